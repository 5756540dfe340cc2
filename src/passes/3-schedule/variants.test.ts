import { expect, test } from 'vitest';
import { normalise } from '../../model/normalise/normalise.ts';
import { zooGraph } from '../../zoo/zoo.ts';
import { copiedConcats, networkVariants } from './variants.ts';

const policy = { input: 'reuse', output: 'whole' } as const;

test('a chain has one variant: its own order, with nothing to copy', () => {
  const chain = normalise(zooGraph('ds-cnn', { dtype: 'int8' }));
  expect(copiedConcats(chain)).toEqual([]);
  expect(networkVariants(chain, policy)).toHaveLength(1);
});

test('concats are written in place in some variants and copied in the others', () => {
  const fires = normalise(zooGraph('squeezenet1.1', { dtype: 'int8' }));
  const parts = fires.operators.filter((op) => op.kind === 'Concat').flatMap((op) => op.inputs);
  expect(copiedConcats(fires)).toHaveLength(parts.length);
  const counts = networkVariants(fires, policy).map((n) => n.copies.length);
  expect(counts).toContain(0);
  expect(Math.max(...counts)).toBe(parts.length);
});
