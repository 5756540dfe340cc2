import { describe, expect, it } from 'vitest';
import { gather } from './gather.ts';
import { gatherND } from './gather-nd.ts';
import { checkMovement } from './testing/check-movement.ts';
import { pick, randomInput, runWhole, seeded } from './testing/check-operator.ts';
import { coordinates, indexOf, randomShape, randomType } from './testing/naive.ts';

describe('Gather and GatherND', () => {
  it('gathers by constant indices', () => {
    const views = checkMovement(gather, 60, (random) => {
      const shape = randomShape(random, pick(random, 1, 4), 4);
      const axis = pick(random, 0, shape.length - 1);
      const x = randomInput(random, shape, randomType(random));
      const indices = {
        ...randomInput(random, randomShape(random, pick(random, 0, 2), 3), { dtype: 'i32' }, true),
      };
      indices.values.forEach((_, i) => {
        indices.values[i] = pick(random, -shape[axis], shape[axis] - 1);
      });
      const rank = indices.shape.length;
      return {
        inputs: [x, indices],
        attrs: { axis },
        from: (at) => {
          const i = indices.values[indexOf(indices.shape, at.slice(axis, axis + rank))];
          return x.values[
            indexOf(shape, [...at.slice(0, axis), i < 0 ? i + shape[axis] : i, ...at.slice(axis + rank)])
          ];
        },
      };
    });
    expect(views).toBeGreaterThan(3);
  });

  it('gathers by indices known at run time, and names one that is outside', () => {
    const x = randomInput(seeded(5), [3, 4]);
    const at = (i: number) => ({ shape: [2], type: { dtype: 'i32' as const }, values: Int32Array.of(2, i) });
    expect([...runWhole(gather, { inputs: [x, at(-3)], attrs: { axis: 0 } })[0]]).toEqual([
      ...x.values.slice(8),
      ...x.values.slice(0, 4),
    ]);
    expect([...runWhole(gather, { inputs: [x, at(1)], attrs: { axis: 1 } })[0]]).toEqual(
      [2, 1, 6, 5, 10, 9].map((i) => x.values[i]),
    );
    expect(() => runWhole(gather, { inputs: [x, at(3)], attrs: { axis: 0 } })).toThrow(/index 3 is outside/);
  });

  it('gathers by coordinates', () => {
    for (let round = 0; round < 30; round++) {
      const random = seeded(round);
      const shape = randomShape(random, pick(random, 1, 4), 4);
      const depth = pick(random, 1, shape.length);
      const x = randomInput(random, shape, randomType(random));
      const rows = randomShape(random, pick(random, 0, 2), 3);
      const indices = randomInput(random, [...rows, depth], { dtype: 'i32' });
      indices.values.forEach((_, i) => {
        indices.values[i] = pick(random, 0, shape[i % depth] - 1);
      });
      const [y] = runWhole(gatherND, { inputs: [x, indices], attrs: {} });
      const result = [...rows, ...shape.slice(depth)];
      coordinates(result).forEach((at, e) => {
        const row = indexOf(rows, at.slice(0, rows.length)) * depth;
        const lead = Array.from({ length: depth }, (_, k) => indices.values[row + k]);
        expect(y[e]).toBe(x.values[indexOf(shape, [...lead, ...at.slice(rows.length)])]);
      });
    }
  });
});
