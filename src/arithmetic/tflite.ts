/**
 * Fixed-point requantisation as the TFLite reference kernels define it (default build: two roundings). A real
 * multiplier is a 31-bit fraction and a power of two; products are exact 64-bit ones, here in pairs of doubles.
 */

/** multiplier / 2^31 * 2^shift, with the fraction in [0.5, 1). */
export interface QuantisedMultiplier {
  readonly multiplier: number;
  readonly shift: number;
}

/** Nearest integer, ties away from zero. */
export function roundHalfAway(x: number): number {
  return x < 0 ? -Math.floor(-x + 0.5) : Math.floor(x + 0.5);
}

/** Fraction in [0.5, 1) and exponent of a positive finite number. */
function fractionOf(x: number): readonly [number, number] {
  let exponent = Math.max(-1074, Math.floor(Math.log2(x)) + 1);
  let fraction = x * 2 ** -exponent;
  while (fraction < 0.5) {
    fraction *= 2;
    exponent--;
  }
  while (fraction >= 1) {
    fraction /= 2;
    exponent++;
  }
  return [fraction, exponent];
}

/** Fixed-point form of a real multiplier >= 0. Below 2^-32 it is zero. */
export function quantiseMultiplier(real: number): QuantisedMultiplier {
  if (!(real > 0) || !Number.isFinite(real)) return { multiplier: 0, shift: 0 };
  let [fraction, shift] = fractionOf(real);
  let multiplier = roundHalfAway(fraction * 2 ** 31);
  if (multiplier === 2 ** 31) {
    multiplier /= 2;
    shift++;
  }
  if (shift < -31) return { multiplier: 0, shift: 0 };
  return { multiplier, shift };
}

/** round(a * b / 2^31), ties up, saturated where both are the least int32. */
export function doublingHighMultiply(a: number, b: number): number {
  if (a === -2147483648 && b === -2147483648) return 2147483647;
  // a * b = high * 2^16 + low, each exact in a double; then (a * b + 2^30) >> 31 piece by piece.
  const high = (a >> 16) * b;
  const low = (a & 0xffff) * b + 1073741824;
  const top = Math.floor(high / 32768);
  return top + Math.floor(((high - top * 32768) * 65536 + low) / 2147483648);
}

/** round(x / 2^exponent), ties away from zero; exponent in [0, 31]. */
export function roundingShift(x: number, exponent: number): number {
  if (exponent === 0) return x;
  const mask = exponent === 31 ? 0x7fffffff : (1 << exponent) - 1;
  const remainder = x & mask;
  const threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/** x * multiplier for an int32 x. Left shifts wrap as int32 does. */
export function multiplyQuantised(x: number, multiplier: number, shift: number): number {
  if (shift > 0) return doublingHighMultiply(shift > 31 ? 0 : x << shift, multiplier);
  return roundingShift(doublingHighMultiply(x, multiplier), -shift);
}

/** x * multiplier for a wider x (|x| < 2^47), with the fraction cut to 15 bits and one rounding. */
export function multiplyQuantisedWide(x: number, multiplier: number, shift: number): number {
  const reduced = multiplier < 0x7fff0000 ? (multiplier + 32768) >> 16 : 0x7fff;
  const total = 15 - shift;
  const product = x * reduced;
  if (Math.abs(product) < 2 ** 52) return Math.floor((product + 2 ** (total - 1)) / 2 ** total) | 0;
  const exact = BigInt(x) * BigInt(reduced) + (1n << BigInt(total - 1));
  return Number(BigInt.asIntN(32, exact >> BigInt(total)));
}
