/**
 * Softmax of 8-bit numbers as the TFLite reference kernel computes it: differences to the maximum with 5 integer
 * bits, gemmlowp's exp, a sum with 12 integer bits, one reciprocal a line.
 */
import { type DType, type ElementType, perTensor } from '../graph/graph.ts';
import { expOfNegative, reciprocalOfOnePlus } from './fixed-point-functions.ts';
import { highProduct, quantizeMultiplier, roundingShiftRight } from './tflite.ts';

const DIFFERENCE_BITS = 5;
const SUM_BITS = 12;

/** The output type that TFLite prescribes for a softmax of this input type. */
export function softmaxOutputType(dtype: DType): ElementType {
  if (dtype === 'i16') return { dtype, quant: perTensor(1 / 32768, 0) };
  return { dtype, quant: perTensor(1 / 256, dtype === 'i8' ? -128 : 0) };
}

/** A line of stored 8-bit values -> stored values of `to` (i8, u8 or i16). */
export function softmaxFixedPoint(beta: number, inputScale: number, to: DType) {
  const real = Math.min(
    Math.fround(beta) * Math.fround(inputScale) * 2 ** (31 - DIFFERENCE_BITS),
    2147483647,
  );
  const { multiplier, shift } = quantizeMultiplier(real);
  const radius = Math.floor(((2 ** DIFFERENCE_BITS - 1) * 2 ** (31 - DIFFERENCE_BITS)) / 2 ** shift);
  const bits = to === 'i16' ? 16 : 8;
  const least = to === 'i16' ? -32768 : to === 'i8' ? -128 : 0;
  const greatest = least + 2 ** bits - 1;
  const power = (difference: number) =>
    expOfNegative(highProduct((difference * 2 ** shift) | 0, multiplier), DIFFERENCE_BITS);
  return (read: (i: number) => number, length: number) => {
    let max = -32768;
    for (let i = 0; i < length; i++) max = Math.max(max, read(i));
    let sum = 0;
    for (let i = 0; i < length; i++) {
      const difference = read(i) - max;
      if (difference >= -radius) sum = (sum + roundingShiftRight(power(difference), SUM_BITS)) | 0;
    }
    const headroom = Math.clz32(sum);
    const scale = reciprocalOfOnePlus(((sum << headroom) ^ (1 << 31)) | 0);
    const exponent = SUM_BITS - headroom + 31 - bits;
    return (value: number) => {
      const difference = value - max;
      if (difference < -radius) return least;
      const out = roundingShiftRight(highProduct(scale, power(difference)), exponent) + least;
      return Math.min(greatest, Math.max(least, out));
    };
  };
}
