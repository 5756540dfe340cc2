/**
 * 1 / sqrt(n) of a whole number in the fixed-point steps of the TFLite reference kernels (L2_NORMALIZATION):
 * n is brought into [2^27, 2^29) by even shifts, then five Newton-Raphson steps from 1 with 3 integer bits.
 */
import { saturatingShiftLeft } from './fixed-point-functions.ts';
import { highProduct, type QuantizedMultiplier, roundingShiftRight } from './tflite.ts';

const HALF_THREE_Q3 = 2 ** 28 + 2 ** 27;
const HALF_SQRT_2_Q0 = 1518500250;

/** The factor as multiplier * 2^(shift - 31). 0 counts as 1. */
export function inverseSqrt(n: number): QuantizedMultiplier {
  if (n <= 1) return { multiplier: 2147483647, shift: 0 };
  let right = 11;
  let input = n;
  while (input >= 2 ** 29) {
    input = Math.floor(input / 4);
    right++;
  }
  const pairs = Math.floor((Math.clz32(input) - 1) / 2) - 1;
  right -= pairs;
  const half = roundingShiftRight((input * 4 ** pairs) >> 1, 1);
  let x = 2 ** 28;
  for (let step = 0; step < 5; step++) {
    const cube = saturatingShiftLeft(highProduct(highProduct(x, x), x), 6);
    x = saturatingShiftLeft((highProduct(HALF_THREE_Q3, x) - highProduct(half, cube)) | 0, 3);
  }
  const multiplier = highProduct(x, HALF_SQRT_2_Q0);
  return right < 0 ? { multiplier: multiplier << -right, shift: 0 } : { multiplier, shift: -right };
}
