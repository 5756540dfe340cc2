/** The writers of all kinds. */
import { type Emitter, inputTensor } from '../emitter.ts';
import { binary } from './binary.ts';
import { movement } from './movement.ts';
import { products } from './products.ts';
import { reductions } from './reductions.ts';
import { emitUnary, unaryKinds } from './unary.ts';
import { windows } from './windows.ts';

const unary: Emitter = (c) => {
  const { shape } = inputTensor(c, 0);
  const { nodes } = c.values;
  const context = { nodes, name: c.op.name, attrs: c.attrs, shape, layout: 'first' } as const;
  return { value: emitUnary(c.op.kind, c.values.real(c.op.inputs[0], 'first'), context), layout: 'first' };
};

export const emitters: ReadonlyMap<string, Emitter> = new Map([
  ...unaryKinds.map((kind): [string, Emitter] => [kind, unary]),
  ...[windows, products, binary, reductions, movement].flatMap((group) => Object.entries(group)),
]);
