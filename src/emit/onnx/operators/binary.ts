/** Elementwise functions of several values. Of pictures the others are brought to four dimensions first. */

import type { TensorId } from '../../../graph/graph.ts';
import { aside, type EmitContext, type Emitter, main, outputTensor } from '../emitter.ts';
import { axesOf, type Layout, rearranged, sameOrder } from '../layout.ts';

/** An operand that broadcasts against a picture, channels first. */
function operand(c: EmitContext, id: TensorId, layout: Layout): string {
  const { values } = c;
  const t = values.tensor(id);
  if (layout === 'last' || t.shape.length === 4 || t.shape.length === 0) return values.real(id, layout);
  const shape = [...new Array<number>(4 - t.shape.length).fill(1), ...t.shape];
  const firstShape = axesOf(4, 'first').map((axis) => shape[axis]);
  if (t.constant && !t.quant) {
    const moved = rearranged(t.constant.load(), shape, axesOf(4, 'first'));
    return values.nodes.initializer(t.name, firstShape, moved, t.dtype);
  }
  const real = values.real(id, 'last');
  if (sameOrder(shape)) return aside(c, 'Reshape', [real, values.nodes.integers(firstShape)]);
  const four = aside(c, 'Reshape', [real, values.nodes.integers(shape)]);
  return aside(c, 'Transpose', [four], { perm: axesOf(4, 'first') });
}

function operands(c: EmitContext): { readonly names: string[]; readonly layout: Layout } {
  const layout: Layout = outputTensor(c).shape.length === 4 ? 'first' : 'last';
  return { names: c.op.inputs.map((id) => operand(c, id, layout)), layout };
}

const plain =
  (opType: string): Emitter =>
  (c) => {
    const { names, layout } = operands(c);
    return { value: main(c, opType, names), layout };
  };

const squaredDifference: Emitter = (c) => {
  const { names, layout } = operands(c);
  const difference = aside(c, 'Sub', names);
  return { value: main(c, 'Mul', [difference, difference]), layout };
};

/** ONNX's integer division truncates: what the floored remainder takes off divides evenly. */
const floorDiv: Emitter = (c) => {
  const { names, layout } = operands(c);
  if (isReal(c)) return { value: main(c, 'Floor', [aside(c, 'Div', names)]), layout };
  const whole = aside(c, 'Sub', [names[0], aside(c, 'Mod', names)]);
  return { value: main(c, 'Div', [whole, names[1]]), layout };
};

/** ONNX's Mod has the divisor's sign for integers, and for reals the dividend's only. */
const mod: Emitter = (c) => {
  const { names, layout } = operands(c);
  if (c.attrs.truncated || !isReal(c)) {
    return { value: main(c, 'Mod', names, { fmod: c.attrs.truncated ? 1 : 0 }), layout };
  }
  const [a, b] = names;
  const shifted = aside(c, 'Add', [aside(c, 'Mod', [a, b], { fmod: 1 }), b]);
  return { value: main(c, 'Mod', [shifted, b], { fmod: 1 }), layout };
};

const isReal = (c: EmitContext) => outputTensor(c).dtype === 'f32' || outputTensor(c).quant !== undefined;

const kinds = [
  ...['Add', 'Sub', 'Mul', 'Div', 'Min', 'Max', 'Pow', 'PRelu', 'Equal', 'Greater', 'GreaterOrEqual', 'Less'],
  ...['LessOrEqual', 'And', 'Or', 'Xor', 'Where'],
];

export const binary: Readonly<Record<string, Emitter>> = {
  ...Object.fromEntries(kinds.map((kind) => [kind, plain(kind)])),
  SquaredDifference: squaredDifference,
  FloorDiv: floorDiv,
  Mod: mod,
};
