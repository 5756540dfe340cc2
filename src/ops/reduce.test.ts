import { describe, expect, it } from 'vitest';
import { type ElementType, elementCount } from '../graph/graph.ts';
import { argMax, argMin } from './argmax.ts';
import { reduceL2 } from './reduce-l2.ts';
import { reduceMax } from './reduce-max.ts';
import { reduceMean } from './reduce-mean.ts';
import { reduceMin } from './reduce-min.ts';
import { reduceProd } from './reduce-prod.ts';
import { reduceSum } from './reduce-sum.ts';
import { checkOperator, contextFor, pick, randomInput, seeded } from './testing/check-operator.ts';
import { coordinates, F32, indexOf, quantised, randomShape } from './testing/naive.ts';

const sum = (x: number[]) => x.reduce((a, b) => a + b, 0);

/** For each output element the stored values it is made of, in ascending order. */
function groups(shape: readonly number[], axes: readonly number[], values: ArrayLike<number>): number[][] {
  const kept = shape.map((d, k) => (axes.includes(k) ? 1 : d));
  const found: number[][] = Array.from({ length: elementCount(kept) }, () => []);
  coordinates(shape).forEach((at, e) => {
    found[
      indexOf(
        kept,
        at.map((i, k) => (axes.includes(k) ? 0 : i)),
      )
    ].push(values[e]);
  });
  return found;
}

function randomAxes(random: () => number, rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, k) => k).filter(() => random() < 0.5);
  return axes.length > 0 ? axes : [rank - 1];
}

describe('reductions', () => {
  const kinds = [
    { def: reduceMean, of: (x: number[]) => sum(x) / x.length },
    { def: reduceSum, of: sum },
    { def: reduceMax, of: (x: number[]) => Math.max(...x) },
    { def: reduceMin, of: (x: number[]) => Math.min(...x) },
    { def: reduceProd, of: (x: number[]) => x.reduce((a, b) => a * b, 1) },
    { def: reduceL2, of: (x: number[]) => Math.hypot(...x) },
  ];

  it.each(kinds)('$def.kind over any axes, whole, in pieces and folded', ({ def, of }) => {
    for (let round = 0; round < 50; round++) {
      const random = seeded(round);
      const shape = randomShape(random);
      const axes = randomAxes(random, shape.length);
      const keepDims = random() < 0.5;
      const x = randomInput(random, shape);
      const given = { inputs: [x], attrs: { axes, keepDims } };
      const [y] = checkOperator(def, given, round);
      const expected = shape
        .map((d, k) => (axes.includes(k) ? 1 : d))
        .filter((_, k) => keepDims || !axes.includes(k));
      expect(contextFor(def, given).outputs[0].shape).toEqual(expected);
      groups(shape, axes, x.values).forEach((group, e) => {
        expect(y[e]).toBeCloseTo(of(group), 4);
      });
    }
  });

  it('adds floats in ascending order', () => {
    const values = Float32Array.of(1e8, 1, -1e8, 1);
    const x = { shape: [1, 2, 2, 1], type: F32, values };
    const [y] = checkOperator(reduceSum, { inputs: [x], attrs: { axes: [1, 2], keepDims: true } });
    expect(y[0]).toBe(1);
  });

  it('reduces quantised tensors to the nearest step in both dialects', () => {
    for (let round = 0; round < 60; round++) {
      const random = seeded(round);
      const dtype = (['i8', 'u8', 'i16'] as const)[round % 3];
      const from = quantised(dtype, 0.05, dtype === 'i16' ? 0 : 10);
      const shape = [1, pick(random, 1, 5), pick(random, 1, 5), pick(random, 1, 4)];
      const x = randomInput(random, shape, from);
      const to = quantised(dtype, 0.07, dtype === 'i16' ? 0 : -5 + (dtype === 'u8' ? 100 : 0));
      for (const dialect of ['onnx', 'tflite'] as const) {
        for (const keepDims of [true, false]) {
          const out = keepDims ? [1, 1, 1, shape[3]] : [1, shape[3]];
          const given = {
            inputs: [x],
            attrs: { axes: [1, 2], keepDims },
            dialect,
            given: [{ shape: out, ...to }],
          };
          const real = (q: number, t: ElementType) => (q - t.quant!.zeroPoint[0]) * t.quant!.scale[0];
          const [y] = checkOperator(reduceMean, given, round);
          const [s] = checkOperator(reduceSum, given, round);
          const [least, most] = { i8: [-128, 127], u8: [0, 255], i16: [-32768, 32767] }[dtype];
          groups(shape, [1, 2], x.values).forEach((group, e) => {
            const total = sum(group.map((q) => real(q, from)));
            const clip = (v: number) => Math.min(real(most, to), Math.max(real(least, to), v));
            // TFLite rounds the high product and then the shift: half a step, and up to a quarter more.
            const steps = dialect === 'onnx' ? 0.52 : 0.77;
            expect(Math.abs(real(y[e], to) - clip(total / group.length))).toBeLessThanOrEqual(0.07 * steps);
            expect(Math.abs(real(s[e], to) - clip(total))).toBeLessThanOrEqual(0.07 * steps);
          });
        }
      }
    }
  });

  it('reduces integers without rounding', () => {
    const x = { shape: [2, 3], type: { dtype: 'i32' as const }, values: Int32Array.of(1, 2, 3, -7, 5, 0) };
    const of = (def: typeof reduceSum) => [
      ...checkOperator(def, { inputs: [x], attrs: { axes: [1], keepDims: false } })[0],
    ];
    expect(of(reduceSum)).toEqual([6, -2]);
    expect(of(reduceProd)).toEqual([6, 0]);
    expect(of(reduceMax)).toEqual([3, 5]);
    expect(of(reduceMin)).toEqual([1, -7]);
    expect(of(reduceMean)).toEqual([2, 0]);
  });

  it('refuses axes that do not exist', () => {
    const x = randomInput(seeded(1), [2, 3]);
    expect(() => contextFor(reduceSum, { inputs: [x], attrs: { axes: [2], keepDims: true } })).toThrow(
      /axis 2/,
    );
    expect(() => contextFor(reduceSum, { inputs: [x], attrs: { axes: [1, 1], keepDims: true } })).toThrow(
      /twice/,
    );
  });
});

describe('ArgMax and ArgMin', () => {
  it('name the first or last of the best, as stored', () => {
    for (let round = 0; round < 60; round++) {
      const random = seeded(round);
      const shape = randomShape(random);
      const axis = pick(random, 0, shape.length - 1);
      const x = randomInput(random, shape, quantised('i8', 0.5, 3));
      // Few values, so that the best is often there more than once.
      x.values.forEach((v, i) => {
        x.values[i] = v % 3;
      });
      const selectLast = random() < 0.5;
      const attrs = { axis, keepDims: random() < 0.5, selectLast };
      for (const [def, best] of [
        [argMax, Math.max],
        [argMin, Math.min],
      ] as const) {
        const [y] = checkOperator(def, { inputs: [x], attrs }, round);
        expect(y).toBeInstanceOf(Int32Array);
        groups(shape, [axis], x.values).forEach((group, e) => {
          const at = best(...group);
          expect(y[e]).toBe(selectLast ? group.lastIndexOf(at) : group.indexOf(at));
        });
      }
    }
  });
});
