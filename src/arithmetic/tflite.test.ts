import { expect, test } from 'vitest';
import { pick, seeded } from '../ops/testing/check-operator.ts';
import { errorFunction } from './error-function.ts';
import { expOfNegative, logistic, reciprocalOfOnePlus, tanh } from './fixed-point-functions.ts';
import { inverseSqrt } from './inverse-sqrt.ts';
import { reciprocalOf } from './reciprocal.ts';
import { logisticInt16, tableInput, tanhInt16 } from './sigmoid-table.ts';
import {
  highProduct,
  multiplyByQuantizedMultiplier,
  quantizeMultiplier,
  roundingShiftRight,
  splitExponent,
} from './tflite.ts';

const random = seeded(7);
const anyInt32 = () => pick(random, -2147483648, 2147483647) >> pick(random, 0, 30);

/** floor((a * b + 2^30) / 2^31) in exact arithmetic. */
function exactHighProduct(a: number, b: number): number {
  const q = (BigInt(a) * BigInt(b) + (1n << 30n)) >> 31n;
  return Number(q > 2147483647n ? 2147483647n : q);
}

/** Nearest integer to x / 2^n, ties away from zero, in exact arithmetic. */
function exactShift(x: number, n: number): number {
  const half = n === 0 ? 0n : 1n << BigInt(n - 1);
  const magnitude = (BigInt(Math.abs(x)) + half) >> BigInt(n);
  return Number(x < 0 ? -magnitude : magnitude);
}

test('high product and rounding shift equal exact arithmetic', () => {
  const edges = [0, 1, -1, 2147483647, -2147483648, 1073741824, -1073741824, 65535, -65536];
  for (const a of edges) for (const b of edges) expect(highProduct(a, b)).toBe(exactHighProduct(a, b) + 0);
  for (let i = 0; i < 20000; i++) {
    const [a, b, n] = [anyInt32(), anyInt32(), pick(random, 0, 31)];
    expect(highProduct(a, b)).toBe(exactHighProduct(a, b));
    expect(roundingShiftRight(a, n) + 0).toBe(exactShift(a, n) + 0);
  }
});

test('a quantised multiplier is the factor to 31 bits', () => {
  expect(quantizeMultiplier(0)).toEqual({ multiplier: 0, shift: 0 });
  expect(quantizeMultiplier(1)).toEqual({ multiplier: 1073741824, shift: 1 });
  expect(quantizeMultiplier(0.5)).toEqual({ multiplier: 1073741824, shift: 0 });
  expect(quantizeMultiplier(1 - 2 ** -40)).toEqual({ multiplier: 1073741824, shift: 1 });
  expect(quantizeMultiplier(2 ** -40)).toEqual({ multiplier: 0, shift: 0 });
  expect(splitExponent(5e-324)).toEqual({ fraction: 0.5, exponent: -1073 });
  for (let i = 0; i < 2000; i++) {
    const real = 2 ** (random() * 40 - 25);
    const { multiplier, shift } = quantizeMultiplier(real);
    expect(multiplier).toBeGreaterThanOrEqual(1073741824);
    expect(Math.abs((multiplier * 2 ** (shift - 31)) / real - 1)).toBeLessThan(2 ** -30);
    const x = pick(random, -30000, 30000);
    if (shift > 15) continue;
    const got = multiplyByQuantizedMultiplier(x, multiplier, shift);
    expect(Math.abs(got - x * real)).toBeLessThan(1.01 + Math.abs(x * real) * 2 ** -29);
  }
});

test('fixed-point exp, logistic and tanh approximate the real ones', () => {
  for (let i = 0; i < 20000; i++) {
    const raw = -Math.floor(random() * 2 ** 31);
    expect(Math.abs(expOfNegative(raw, 4) / 2 ** 31 - Math.exp(raw / 2 ** 27))).toBeLessThan(3e-7);
    expect(Math.abs(expOfNegative(raw, 5) / 2 ** 31 - Math.exp(raw / 2 ** 26))).toBeLessThan(3e-7);
    const x = random() < 0.5 ? raw : -raw - 1;
    expect(Math.abs(logistic(x, 4) / 2 ** 31 - 1 / (1 + Math.exp(-x / 2 ** 27)))).toBeLessThan(1e-6);
    expect(Math.abs(tanh(x, 4) / 2 ** 31 - Math.tanh(x / 2 ** 27))).toBeLessThan(1e-6);
    const part = -raw - 1;
    expect(Math.abs(reciprocalOfOnePlus(part) / 2 ** 31 - 1 / (1 + part / 2 ** 31))).toBeLessThan(1e-6);
  }
  expect(logistic(0, 4)).toBe(2 ** 30);
  expect(tanh(0, 4)).toBe(0);
});

test('16-bit logistic and tanh interpolate the table to one step', () => {
  for (const scale of [2 ** -12, 2 ** -11, 0.0007, 0.00002]) {
    const input = tableInput(Math.fround(scale), [0]);
    const inputOfTanh = tableInput(Math.fround(scale), [0, 1]);
    for (let q = -32768; q < 32768; q += 37) {
      const x = q * Math.fround(scale);
      if (scale < 2 ** -11 || Math.abs(x) < 5) {
        expect(Math.abs(logisticInt16(q, input) - 32768 / (1 + Math.exp(-x)))).toBeLessThan(2);
        expect(Math.abs(tanhInt16(q, inputOfTanh) - 32768 * Math.tanh(x))).toBeLessThan(3);
      }
    }
  }
});

test('16-bit logistic at knots of the reference table', () => {
  // Input scale 2^-12: 512 / 3 stored steps a knot; the table's values are those the kernels publish.
  const input = tableInput(2 ** -12, [0]);
  const knots: [number, number][] = [
    [0, 32768],
    [3, 34813],
    [15, 42688],
    [27, 49475],
    [48, 57724],
    [66, 61599],
    [93, 64204],
    [135, 65301],
    [189, 65511],
  ];
  for (const [i, published] of knots) {
    expect(logisticInt16((i * 512) / 3, input)).toBe(((published << 9) + 512) >> 10);
  }
});

test('reciprocals and inverse roots', () => {
  for (let x = 1; x < 3000; x++) {
    const { fraction, bits } = reciprocalOf(x);
    expect(Math.abs((fraction / 2 ** 31 / 2 ** bits) * x - 1)).toBeLessThan(1e-6);
    const { multiplier, shift } = inverseSqrt(x);
    expect(Math.abs((multiplier / 2 ** 31) * 2 ** shift * Math.sqrt(x) - 1)).toBeLessThan(1e-5);
  }
});

test('the error function', () => {
  const known: [number, number][] = [
    [0, 0],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [4, 0.9999999845827421],
    [Infinity, 1],
  ];
  for (const [x, y] of known) {
    expect(errorFunction(x)).toBeCloseTo(y, 14);
    expect(errorFunction(-x)).toBeCloseTo(-y, 14);
  }
  expect(errorFunction(NaN)).toBeNaN();
});
