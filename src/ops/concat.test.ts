import { describe, expect, it } from 'vitest';
import { concat } from './concat.ts';
import { checkAliases } from './testing/check-aliases.ts';
import { checkOperator, contextFor, pick, randomInput, runWhole, seeded } from './testing/check-operator.ts';
import { coordinates, F32, indexOf, quantised, randomShape, randomType } from './testing/naive.ts';

describe('Concat', () => {
  it('joins along any axis; as views where one stride reaches', () => {
    let views = 0;
    for (let round = 0; round < 60; round++) {
      const random = seeded(round);
      const shape = randomShape(random);
      const axis = pick(random, 0, shape.length - 1);
      const type = randomType(random);
      const parts = Array.from({ length: pick(random, 1, 3) }, () =>
        randomInput(
          random,
          shape.map((d, k) => (k === axis ? pick(random, 1, 4) : d)),
          type,
        ),
      );
      const given = { inputs: parts, attrs: { axis } };
      const [y] = checkOperator(concat, given, round);
      views += checkAliases(concat, given) ? 1 : 0;
      coordinates(contextFor(concat, given).outputs[0].shape).forEach((at, e) => {
        let i = at[axis];
        let part = 0;
        while (i >= parts[part].shape[axis]) i -= parts[part++].shape[axis];
        expect(y[e]).toBe(
          parts[part].values[
            indexOf(
              parts[part].shape,
              at.map((v, k) => (k === axis ? i : v)),
            )
          ],
        );
      });
    }
    expect(views).toBeGreaterThan(20);
  });

  it('is a view on channels, rows and columns', () => {
    const part = (shape: number[]) => randomInput(seeded(6), shape);
    const count = (a: number[], b: number[], axis: number) =>
      checkAliases(concat, { inputs: [part(a), part(b)], attrs: { axis } });
    expect(count([2, 3, 4, 5], [2, 3, 4, 1], 3)).toBe(2);
    expect(count([1, 3, 4, 5], [1, 2, 4, 5], 1)).toBe(2);
    expect(count([1, 3, 4, 5], [1, 3, 2, 5], 2)).toBe(2);
    expect(count([2, 3, 4, 5], [2, 2, 4, 5], 1)).toBe(2);
  });

  it('brings parts to the output scale as each dialect does', () => {
    const part = (scale: number, zero: number, dtype: 'i8' | 'u8' = 'u8') => ({
      ...randomInput(seeded(7), [2, 3], quantised(dtype, scale, zero)),
    });
    for (const dialect of ['onnx', 'tflite'] as const) {
      const inputs = [part(0.02, 100), part(0.05, 3)];
      const given = {
        inputs,
        attrs: { axis: 1 },
        dialect,
        given: [{ shape: [2, 6], ...quantised('u8', 0.05, 3) }],
      };
      const [y] = checkOperator(concat, given);
      expect(checkAliases(concat, given)).toBe(0);
      const real = (q: number) => Math.max(0, Math.min(255, Math.round((q - 100) * 0.4) + 3));
      for (const r of [0, 1]) {
        for (const c of [0, 1, 2]) {
          expect(Math.abs(y[r * 6 + c] - real(inputs[0].values[r * 3 + c]))).toBeLessThanOrEqual(1);
          expect(y[r * 6 + 3 + c]).toBe(inputs[1].values[r * 3 + c]);
        }
      }
    }
    const bytes = [part(0.02, 1, 'i8'), part(0.05, 3, 'i8')];
    const [copied] = runWhole(concat, { inputs: bytes, attrs: { axis: 0 }, dialect: 'tflite' });
    expect([...copied]).toEqual([...bytes[0].values, ...bytes[1].values]);
  });

  it('refuses parts that do not fit', () => {
    const inputs = [randomInput(seeded(8), [1, 2, 3], F32), randomInput(seeded(8), [1, 3, 4], F32)];
    expect(() => contextFor(concat, { inputs, attrs: { axis: 2 } })).toThrow(/cannot join/);
  });
});
