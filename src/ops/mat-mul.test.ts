import { describe, expect, it } from 'vitest';
import { matMul } from './mat-mul.ts';
import { checkOperator, contextFor, pick, randomInput, seeded } from './testing/check-operator.ts';

describe('MatMul', () => {
  it('multiplies broadcast stacks of matrices', () => {
    const random = seeded(9);
    for (let round = 0; round < 30; round++) {
      const [m, k, n, s, t] = [1, 1, 1, 1, 1].map(() => pick(random, 1, 4));
      const [transposeA, transposeB, float] = [random() < 0.5, random() < 0.5, random() < 0.5];
      const type = float
        ? { dtype: 'f32' as const }
        : { dtype: 'i8' as const, quant: { scale: [1], zeroPoint: [2], axis: 0 } };
      const a = randomInput(random, [s, 1, ...(transposeA ? [k, m] : [m, k])], type);
      const b = randomInput(random, [t, ...(transposeB ? [n, k] : [k, n])], type, round % 2 === 0);
      const given = { inputs: [a, b], attrs: { transposeA, transposeB } };
      expect(contextFor(matMul, given).outputs[0].shape).toEqual([s, t, m, n]);
      const [found] = checkOperator(matMul, given, round);
      const zero = float ? 0 : 2;
      found.forEach((v, i) => {
        const [column, row] = [i % n, Math.floor(i / n) % m];
        const [inner, outer] = [Math.floor(i / n / m) % t, Math.floor(i / n / m / t)];
        let sum = 0;
        for (let j = 0; j < k; j++) {
          const p = a.values[outer * m * k + (transposeA ? j * m + row : row * k + j)] - zero;
          sum += p * (b.values[inner * k * n + (transposeB ? column * k + j : j * n + column)] - zero);
        }
        expect(v).toBeCloseTo(sum, 4);
      });
    }
  });

  it('takes vectors as a row and a column', () => {
    const random = seeded(1);
    const attrs = { transposeA: false, transposeB: false };
    const shape = (a: number[], b: number[]) =>
      contextFor(matMul, { inputs: [randomInput(random, a), randomInput(random, b)], attrs }).outputs[0]
        .shape;
    expect(shape([3], [3])).toEqual([]);
    expect(shape([2, 3], [3])).toEqual([2]);
    expect(shape([3], [5, 3, 4])).toEqual([5, 4]);
    expect(() => shape([2, 3], [4, 2])).toThrow(/cannot be multiplied/);
  });
});
