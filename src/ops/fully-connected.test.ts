import { describe, expect, it } from 'vitest';
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from '../arithmetic/tflite.ts';
import type { ElementType } from '../graph/graph.ts';
import { fullyConnected } from './fully-connected.ts';
import { checkOperator, contextFor, pick, randomInput, seeded } from './testing/check-operator.ts';

const quant = (scale: number, zero: number) => ({ scale: [scale], zeroPoint: [zero], axis: 0 });

describe('FullyConnected', () => {
  it('is x times w transposed, whole, in pieces and folded', () => {
    const random = seeded(1);
    for (let round = 0; round < 40; round++) {
      const [n, batch] = [pick(random, 1, 9), pick(random, 1, 2)];
      const flatten = random() < 0.6;
      const inner = flatten
        ? [batch, pick(random, 1, 3), pick(random, 1, 3), pick(random, 1, 4)]
        : [batch, 3, pick(random, 1, 9)];
      const k = flatten ? inner[1] * inner[2] * inner[3] : inner[2];
      const x = randomInput(random, inner);
      const w = randomInput(random, [n, k], { dtype: 'f32' }, true);
      const b = round % 3 ? randomInput(random, [n], { dtype: 'f32' }, true) : undefined;
      const given = { inputs: [x, w, b], attrs: { flatten } };
      expect(contextFor(fullyConnected, given).outputs[0].shape).toEqual(
        flatten ? [batch, n] : [batch, 3, n],
      );
      const [found] = checkOperator(fullyConnected, given, round);
      found.forEach((v, i) => {
        let sum = b ? b.values[i % n] : 0;
        for (let j = 0; j < k; j++) sum += x.values[Math.floor(i / n) * k + j] * w.values[(i % n) * k + j];
        expect(v).toBeCloseTo(sum, 4);
      });
    }
  });

  it.each(['i8', 'u8', 'i16'] as const)('requantises %s', (dtype) => {
    const random = seeded(2);
    for (let round = 0; round < 20; round++) {
      const [n, k] = [pick(random, 1, 9), pick(random, 1, 40)];
      const zero = { i8: -3, u8: 120, i16: 0 }[dtype];
      const zeroW = dtype === 'u8' ? 131 : 0;
      const type: ElementType = { dtype, quant: quant(0.02, zero) };
      const weights: ElementType = { dtype: dtype === 'u8' ? 'u8' : 'i8', quant: quant(0.013, zeroW) };
      const out = { dtype, quant: quant(dtype === 'i16' ? 0.02 : 0.4, zero) };
      const x = randomInput(random, [1, 1, k], type);
      const w = randomInput(random, [n, k], weights, true);
      const b = randomInput(random, [n], { dtype: 'i32' }, true);
      const given = {
        inputs: [x, w, b],
        attrs: { flatten: true },
        dialect: 'tflite' as const,
        given: [{ shape: [], ...out }],
      };
      const [found] = checkOperator(fullyConnected, given, round);
      const factor = Math.fround(Math.fround(0.02) * Math.fround(0.013)) / Math.fround(out.quant.scale[0]);
      const { multiplier, shift } = quantizeMultiplier(factor);
      found.forEach((v, i) => {
        let sum = b.values[i];
        for (let j = 0; j < k; j++) sum += (x.values[j] - zero) * (w.values[i * k + j] - zeroW);
        const [lo, hi] = { i8: [-128, 127], u8: [0, 255], i16: [-32768, 32767] }[dtype];
        const expected = Math.min(
          hi,
          Math.max(lo, multiplyByQuantizedMultiplier(sum, multiplier, shift) + zero),
        );
        if (dtype === 'i16') expect(Math.abs(v - expected)).toBeLessThan(1.6 + Math.abs(expected) * 2 ** -14);
        else expect(v).toBe(expected);
      });
    }
  });

  it('refuses weights of another depth', () => {
    const random = seeded(3);
    const inputs = [randomInput(random, [1, 5]), randomInput(random, [2, 4], { dtype: 'f32' }, true)];
    expect(() => contextFor(fullyConnected, { inputs, attrs: { flatten: true } })).toThrow(/does not fit/);
  });
});
