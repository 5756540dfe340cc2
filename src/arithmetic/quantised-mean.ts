/** The TFLite reference rule for the mean of quantised numbers: the count is divided into the multiplier. */
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from './tflite.ts';

/**
 * Sum of (stored - zeroPoint) over `count` elements -> mean at the output's scale, before its zero point. As
 * much of 1/count as the multiplier can hold goes into its bits, the rest into the shift.
 */
export function quantizedMean(
  inputScale: number,
  outputScale: number,
  count: number,
): (sum: number) => number {
  const { multiplier, shift } = quantizeMultiplier(Math.fround(inputScale) / Math.fround(outputScale));
  const log2 = 31 - Math.clz32(count);
  const extra = Math.min(log2, 32, 31 + shift);
  const scaled = Number((BigInt(multiplier) << BigInt(extra)) / BigInt(count));
  return (sum) => multiplyByQuantizedMultiplier(sum | 0, scaled, shift - extra);
}
