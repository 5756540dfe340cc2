/**
 * ADD and SUB of the TFLite reference kernels on stored values: both operands shifted left for precision,
 * brought to twice the larger scale, summed in 32 bits, and brought to the output's scale.
 */
import type { DType } from '../graph/graph.ts';
import { highProduct, quantizeMultiplier, roundingShiftRight } from './tflite.ts';

interface Whole {
  readonly scale: number;
  readonly zero: number;
}

/** `sign` is 1 for a sum and -1 for a difference. Scales are float32 values. */
export function quantisedSum(
  a: Whole,
  b: Whole,
  to: Whole,
  dtype: DType,
  sign: 1 | -1,
): (qa: number, qb: number) => number {
  const leftShift = dtype === 'i16' ? 15 : 20;
  // TFLite computes the factors in double precision; its micro kernel's SUB in float32, which is kept for 8 bits,
  // where that kernel is the reference. Upstream's 16-bit vectors follow the double precision.
  const precise = sign === 1 || dtype !== 'i8' ? (x: number) => x : Math.fround;
  const twiceLarger = 2 * Math.max(a.scale, b.scale);
  const ma = quantizeMultiplier(precise(a.scale / twiceLarger));
  const mb = quantizeMultiplier(precise(b.scale / twiceLarger));
  const mo = quantizeMultiplier(precise(twiceLarger / precise(2 ** leftShift * to.scale)));
  const scaled = (q: number, zero: number, m: typeof ma) =>
    roundingShiftRight(highProduct((q - zero) << leftShift, m.multiplier), -m.shift);
  const outShift = Math.max(0, mo.shift);
  const [lo, hi] = dtype === 'i8' ? [-128, 127] : dtype === 'u8' ? [0, 255] : [-32768, 32767];
  return (qa, qb) => {
    const sum = (scaled(qa, a.zero, ma) + sign * scaled(qb, b.zero, mb)) | 0;
    const q = roundingShiftRight(highProduct(sum << outShift, mo.multiplier), outShift - mo.shift) + to.zero;
    return Math.max(lo, Math.min(hi, q));
  };
}
