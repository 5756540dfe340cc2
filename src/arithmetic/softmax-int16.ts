/**
 * Softmax of 16-bit numbers as the TFLite reference kernel computes it: exp and the reciprocal from tables of
 * 513 entries with linear interpolation between them.
 */
import { multiplyByQuantizedMultiplier, quantizeMultiplier, roundHalfAway } from './tflite.ts';

const f = Math.fround;

/** Table of f over [from, to]: 513 samples, each shifted by half the interpolation error at its midpoint. */
export function lookupTable(of: (x: number) => number, from: number, to: number): Int16Array {
  const table = new Int16Array(513);
  const scaling = 32768;
  const step = f((to - from) / 512);
  const halfStep = f(step / 2);
  const clamp = (v: number) => Math.min(32767, Math.max(-32768, v));
  for (let i = 0; i < 512; i++) {
    const x = f(from + f(i * step));
    const next = f(from + f((i + 1) * step));
    const sample = roundHalfAway(f(of(x) * scaling));
    const between = roundHalfAway(f(f(f(of(next) * scaling) + sample) / 2));
    const middle = roundHalfAway(f(of(f(x + halfStep)) * scaling));
    const bias = roundHalfAway((between - middle) / 2);
    table[i] = clamp(sample - bias);
  }
  table[512] = clamp(roundHalfAway(f(of(to) * scaling)));
  return table;
}

/** Interpolated value of a table at a 16-bit number. */
function lookup(table: Int16Array, value: number): number {
  const index = 256 + (value >> 7);
  const slope = table[index + 1] - table[index];
  return table[index] + ((slope * (value & 127) + 64) >> 7);
}

const clampInt16 = (x: number) => Math.min(32767, Math.max(-32768, x));

/** A line of stored 16-bit values -> stored values with scale 1/32768. */
export function softmaxInt16(beta: number, inputScale: number) {
  const exp = lookupTable((x) => f(Math.exp(x)), -10, 0);
  const reciprocal = lookupTable((x) => f(1 / f(1 + x)), 0, 1);
  const { multiplier, shift } = quantizeMultiplier((f(inputScale) * f(beta)) / (10 / 65535));
  return (read: (i: number) => number, length: number) => {
    let max = -32768;
    for (let i = 0; i < length; i++) max = Math.max(max, read(i));
    const power = (value: number) =>
      lookup(exp, clampInt16(multiplyByQuantizedMultiplier(value - max, multiplier, shift) + 32767));
    let sum = 0;
    for (let i = 0; i < length; i++) sum = (sum + power(read(i))) | 0;
    const headroom = Math.clz32(sum);
    const shifted = Math.floor((sum * 2 ** (headroom - 1) + 8192) / 16384);
    const scale = lookup(reciprocal, clampInt16(shifted - 98304));
    const right = 31 - headroom;
    return (value: number) => {
      const out = Math.floor((power(value) * scale + 2 ** (right - 1)) / 2 ** right);
      return Math.min(32767, Math.max(0, out));
    };
  };
}
