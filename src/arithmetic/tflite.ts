/**
 * The fixed-point arithmetic of the TFLite reference kernels: a real factor as a 32-bit multiplier and a shift,
 * applied with two roundings (the high product, then the shift). 64-bit products are held exactly in two
 * doubles. Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
 * Integer-Arithmetic-Only Inference" (CVPR 2018), section 2.2, and the kernels' documented behaviour.
 */
import { TidemarkError } from '../errors.ts';

/** A real factor as multiplier * 2^(shift - 31); the multiplier is 0 or in [2^30, 2^31). */
export interface QuantizedMultiplier {
  readonly multiplier: number;
  readonly shift: number;
}

/** real = fraction * 2^exponent with the fraction in [0.5, 1); zero and non-finite values have exponent 0. */
export function splitExponent(real: number): { readonly fraction: number; readonly exponent: number } {
  if (real === 0 || !Number.isFinite(real)) return { fraction: real, exponent: 0 };
  let exponent = Math.max(-1023, Math.floor(Math.log2(Math.abs(real))) + 1);
  let fraction = real * 2 ** -exponent;
  while (Math.abs(fraction) >= 1) {
    fraction /= 2;
    exponent++;
  }
  while (Math.abs(fraction) < 0.5) {
    fraction *= 2;
    exponent--;
  }
  return { fraction, exponent };
}

/** Nearest integer, ties away from zero. */
export function roundHalfAway(x: number): number {
  return x < 0 ? -Math.round(-x) : Math.round(x);
}

/** Shifts of a factor end here: the kernels have no meaning for larger ones. */
const MOST_SHIFT = 30;

/**
 * The multiplier and shift nearest to a factor; factors under 2^-32 become zero. Throws `quantisation-invalid` where the
 * shift is more than `most`.
 */
export function quantizeMultiplier(real: number, most = MOST_SHIFT): QuantizedMultiplier {
  if (real === 0) return { multiplier: 0, shift: 0 };
  const { fraction, exponent } = splitExponent(real);
  let multiplier = roundHalfAway(fraction * 2147483648);
  let shift = exponent;
  if (multiplier === 2147483648) {
    multiplier = 1073741824;
    shift++;
  }
  if (!Number.isFinite(real) || shift > most) {
    throw new TidemarkError(
      'quantisation-invalid',
      `the scales come to a factor of ${real}; expected less than 2^${most}, which is where TFLite's arithmetic ends`,
    );
  }
  return shift < -31 ? { multiplier: 0, shift: 0 } : { multiplier, shift };
}

/** round(a * b / 2^31), ties towards plus infinity; saturates in its one overflow. */
export function highProduct(a: number, b: number): number {
  if (a === -2147483648 && b === -2147483648) return 2147483647;
  const low = a * (b & 0xffff) + 1073741824;
  return Math.floor((a * (b >> 16) + Math.floor(low / 65536)) / 32768);
}

/** round(x / 2^exponent), ties away from zero. `exponent` is 0 to 31. */
export function roundingShiftRight(x: number, exponent: number): number {
  const mask = ((1 << exponent) - 1) | 0;
  return (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0 ? 1 : 0) ? 1 : 0);
}

/** x * multiplier * 2^(shift - 31) with the reference's two roundings. x and the result are 32-bit. */
export function multiplyByQuantizedMultiplier(x: number, multiplier: number, shift: number): number {
  return shift > 0
    ? highProduct(x << shift, multiplier)
    : roundingShiftRight(highProduct(x, multiplier), -shift);
}
