import { describe, expect, it } from 'vitest';
import { requantisationScale, requantise } from './onnx.ts';
import { multiplyWide } from './tflite-wide.ts';

describe('requantisation', () => {
  it('of wide sums equals 64-bit arithmetic', () => {
    let state = 12345;
    const next = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0);
    for (let i = 0; i < 2000; i++) {
      const multiplier = 2 ** 30 + (next() % 2 ** 30);
      const shift = -(next() % 20);
      const sum = (next() - 2 ** 31) * (i % 3 === 0 ? 2 ** 15 : 1) + (next() % 1000);
      const reduced = multiplier < 0x7fff0000 ? (multiplier + 32768) >> 16 : 0x7fff;
      const total = BigInt(15 - shift);
      const exact = (BigInt(sum) * BigInt(reduced) + (1n << (total - 1n))) >> total;
      expect(multiplyWide(sum, multiplier, shift)).toBe(Number(BigInt.asIntN(32, exact)));
    }
  });

  it('in float32 rounds ties to even and saturates', () => {
    const scale = requantisationScale(0.5, 0.5, 0.5);
    expect([-3, -1, 1, 3, 5].map((sum) => requantise(sum, scale, 10, 0, 255))).toEqual([8, 10, 10, 12, 12]);
    expect(requantise(10000, scale, 10, 0, 255)).toBe(255);
    expect(requantise(-10000, scale, 10, 0, 255)).toBe(0);
  });
});
