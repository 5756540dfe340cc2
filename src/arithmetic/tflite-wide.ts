/** Requantisation of sums wider than int32, as the TFLite reference kernels do it for int16 activations. */

/** The most that a shift may be. */
export const MOST_WIDE_SHIFT = 7;

/** x * multiplier * 2^(shift - 31) for |x| < 2^47: the fraction cut to 15 bits, one rounding (ties up). */
export function multiplyWide(x: number, multiplier: number, shift: number): number {
  const reduced = multiplier < 0x7fff0000 ? (multiplier + 32768) >> 16 : 0x7fff;
  const total = 15 - shift;
  const product = x * reduced;
  if (Math.abs(product) < 2 ** 52) return Math.floor((product + 2 ** (total - 1)) / 2 ** total) | 0;
  const exact = BigInt(x) * BigInt(reduced) + (1n << BigInt(total - 1));
  return Number(BigInt.asIntN(32, exact >> BigInt(total)));
}
