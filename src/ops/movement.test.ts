import { describe, expect, it } from 'vitest';
import { batchToSpace } from './batch-to-space.ts';
import { channelShuffle } from './channel-shuffle.ts';
import { expand } from './expand.ts';
import { pad } from './pad.ts';
import { reshape } from './reshape.ts';
import { slice } from './slice.ts';
import { spaceToBatch } from './space-to-batch.ts';
import { checkAliases } from './testing/check-aliases.ts';
import { checkMovement } from './testing/check-movement.ts';
import { checkOperator, contextFor, pick, randomInput, seeded } from './testing/check-operator.ts';
import { coordinates, indexOf, quantised, randomShape, randomType } from './testing/naive.ts';
import { tile } from './tile.ts';
import { transpose } from './transpose.ts';

describe('movement', () => {
  it('reshapes in raster order, always as a view', () => {
    const views = checkMovement(reshape, 40, (random) => {
      const [a, b, c, d] = randomShape(random, 4);
      const x = randomInput(random, [a, b, c, d], randomType(random));
      const shape = [[a * b * c * d], [a * b, c * d], [a, b, c * d], [b, a * c, 1, d], [d, c, b, a]][
        pick(random, 0, 4)
      ];
      return { inputs: [x], attrs: { shape }, from: (at, s) => x.values[indexOf(s, at)] };
    });
    expect(views).toBe(40);
    expect(() =>
      contextFor(reshape, { inputs: [randomInput(seeded(1), [2, 3])], attrs: { shape: [5] } }),
    ).toThrow(/numbers of elements differ/);
  });

  it('keeps per-axis quantisation where its axis stays whole', () => {
    const type = { dtype: 'i8' as const, quant: { scale: [1, 2, 3], zeroPoint: [0, 0, 0], axis: 1 } };
    const x = randomInput(seeded(2), [2, 3, 4], type);
    expect(contextFor(reshape, { inputs: [x], attrs: { shape: [2, 1, 3, 4] } }).outputs[0].quant?.axis).toBe(
      2,
    );
    expect(contextFor(transpose, { inputs: [x], attrs: { perm: [2, 0, 1] } }).outputs[0].quant?.axis).toBe(2);
    expect(() => contextFor(reshape, { inputs: [x], attrs: { shape: [6, 4] } })).toThrow(/per axis 1/);
    const cut = { starts: [0, 1, 0], steps: [1, 1, 1], sizes: [2, 2, 4] };
    expect(contextFor(slice, { inputs: [x], attrs: cut }).outputs[0].quant?.scale).toEqual([2, 3]);
  });

  it('slices with any step', () => {
    const views = checkMovement(slice, 80, (random) => {
      const shape = randomShape(random);
      const x = randomInput(random, shape, randomType(random));
      const steps = shape.map(() => (random() < 0.6 ? 1 : pick(random, 0, 1) ? 2 : -1));
      const starts = shape.map((d) => pick(random, 0, d - 1));
      const sizes = shape.map((d, k) =>
        pick(random, 1, Math.floor((steps[k] > 0 ? d - 1 - starts[k] : starts[k]) / Math.abs(steps[k])) + 1),
      );
      return {
        inputs: [x],
        attrs: { starts, steps, sizes },
        from: (at) =>
          x.values[
            indexOf(
              shape,
              at.map((i, k) => starts[k] + i * steps[k]),
            )
          ],
      };
    });
    expect(views).toBeGreaterThan(10);
  });

  it('slices channels, rows and columns as views', () => {
    const x = randomInput(seeded(3), [1, 4, 5, 6]);
    const of = (starts: number[], sizes: number[], steps = [1, 1, 1, 1], input = x) =>
      checkAliases(slice, { inputs: [input], attrs: { starts, sizes, steps } });
    expect(of([0, 0, 0, 2], [1, 4, 5, 3])).toBe(1);
    expect(of([0, 1, 0, 0], [1, 2, 5, 6])).toBe(1);
    expect(of([0, 2, 1, 1], [1, 1, 3, 2])).toBe(1);
    expect(of([0, 1, 1, 0], [1, 2, 3, 6])).toBe(1);
    expect(of([0, 1, 0, 2], [1, 2, 3, 2], [1, 2, 2, 1])).toBe(1);
    expect(of([0, 3, 1, 0], [1, 2, 3, 6], [1, -1, 1, 1])).toBe(0);
    const two = randomInput(seeded(4), [2, 4, 5, 6]);
    expect(of([0, 0, 1, 0], [2, 4, 3, 6], [1, 1, 1, 1], two)).toBe(1);
    expect(of([0, 0, 1, 0], [2, 3, 3, 6], [1, 1, 1, 1], two)).toBe(0);
  });

  it('pads in every mode', () => {
    checkMovement(pad, 80, (random) => {
      const shape = randomShape(random);
      const type = randomType(random);
      const x = randomInput(random, shape, type);
      const mode = (['constant', 'edge', 'reflect', 'symmetric'] as const)[pick(random, 0, 3)];
      const most = (d: number) => (mode === 'reflect' ? d - 1 : mode === 'symmetric' ? d : 3);
      const before = shape.map((d) => Math.min(pick(random, 0, 2), most(d)));
      const after = shape.map((d) => Math.min(pick(random, 0, 2), most(d)));
      const value = pick(random, 0, 1) * 2;
      const fill = type.quant ? value / type.quant.scale[0] + type.quant.zeroPoint[0] : value;
      const inside = (i: number, d: number): number => {
        if (i >= 0 && i < d) return i;
        if (mode === 'constant') return -1;
        if (mode === 'edge') return i < 0 ? 0 : d - 1;
        if (mode === 'reflect') return i < 0 ? -i : d - 1 - (i - (d - 1));
        return i < 0 ? -1 - i : d - 1 - (i - d);
      };
      return {
        inputs: [x],
        attrs: { before, after, mode, value },
        from: (at) => {
          const source = at.map((i, k) => inside(i - before[k], shape[k]));
          return source.includes(-1) ? fill : x.values[indexOf(shape, source)];
        },
      };
    });
  });

  it('cuts where padding is negative', () => {
    const x = randomInput(seeded(4), [4, 3]);
    const [y] = checkOperator(pad, {
      inputs: [x],
      attrs: { before: [-1, 0], after: [0, -1], mode: 'constant', value: 0 },
    });
    expect([...y]).toEqual([3, 4, 6, 7, 9, 10].map((i) => x.values[i]));
  });

  it('transposes', () => {
    const views = checkMovement(transpose, 60, (random) => {
      const shape = randomShape(random, pick(random, 1, 4), 4);
      const x = randomInput(random, shape, randomType(random));
      const perm = shape.map((_, k) => k).sort(() => random() - 0.5);
      return {
        inputs: [x],
        attrs: { perm },
        from: (at) =>
          x.values[
            indexOf(
              shape,
              shape.map((_, k) => at[perm.indexOf(k)]),
            )
          ],
      };
    });
    expect(views).toBeGreaterThan(5);
  });

  it('shuffles channels', () => {
    checkMovement(channelShuffle, 20, (random) => {
      const [groups, each] = [pick(random, 1, 3), pick(random, 1, 4)];
      const shape = [1, pick(random, 1, 3), pick(random, 1, 3), groups * each];
      const x = randomInput(random, shape, randomType(random));
      // Channel c of the output stands in row c / groups, column c % groups of the transposed table.
      return {
        inputs: [x],
        attrs: { groups },
        from: ([n, h, w, c]) =>
          x.values[indexOf(shape, [n, h, w, (c % groups) * each + Math.floor(c / groups)])],
      };
    });
  });

  it('tiles', () => {
    checkMovement(tile, 40, (random) => {
      const shape = randomShape(random, pick(random, 1, 4), 3);
      const x = randomInput(random, shape, randomType(random));
      const repeats = shape.map(() => pick(random, 1, 3));
      return {
        inputs: [x],
        attrs: { repeats },
        from: (at) =>
          x.values[
            indexOf(
              shape,
              at.map((i, k) => i % shape[k]),
            )
          ],
      };
    });
  });

  it('expands', () => {
    checkMovement(expand, 40, (random) => {
      const to = randomShape(random, pick(random, 1, 4), 4);
      const shape = to.slice(pick(random, 0, to.length)).map((d) => (random() < 0.5 ? 1 : d));
      const x = randomInput(random, shape, randomType(random));
      const asked = to.map((d, k) =>
        random() < 0.3 && (shape[k - to.length + shape.length] ?? 1) === d ? 1 : d,
      );
      return {
        inputs: [x],
        attrs: { shape: asked },
        from: (at) =>
          x.values[
            indexOf(
              shape,
              at.slice(to.length - shape.length).map((i, k) => (shape[k] === 1 ? 0 : i)),
            )
          ],
      };
    });
  });

  it('puts space into the batch and back', () => {
    for (let round = 0; round < 30; round++) {
      const random = seeded(round);
      const block = [pick(random, 1, 3), pick(random, 1, 3)];
      const before = [pick(random, 0, 2), pick(random, 0, 2)];
      const [h, w] = [pick(random, 1, 5), pick(random, 1, 5)];
      const after = [h, w].map((d, k) => (block[k] - ((d + before[k]) % block[k])) % block[k]);
      const shape = [pick(random, 1, 2), h, w, pick(random, 1, 3)];
      const x = randomInput(random, shape, quantised('i8', 0.5, 7));
      const given = { inputs: [x], attrs: { block, before, after } };
      const [y] = checkOperator(spaceToBatch, given, round);
      const out = contextFor(spaceToBatch, given).outputs[0];
      coordinates(out.shape).forEach(([b, oy, ox, c], e) => {
        const [n, k] = [b % shape[0], Math.floor(b / shape[0])];
        const iy = oy * block[0] + Math.floor(k / block[1]) - before[0];
        const ix = ox * block[1] + (k % block[1]) - before[1];
        const inside = iy >= 0 && iy < h && ix >= 0 && ix < w;
        expect(y[e]).toBe(inside ? x.values[indexOf(shape, [n, iy, ix, c])] : 7);
      });
      const back = {
        inputs: [{ shape: out.shape, type: x.type, values: y }],
        attrs: { block, before, after },
      };
      expect(checkOperator(batchToSpace, back, round)[0]).toEqual(x.values);
    }
  });
});
