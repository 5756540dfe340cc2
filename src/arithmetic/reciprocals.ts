/** 1/x and 1/sqrt(x) of positive integers in fixed point, as the TFLite reference's DIV and RSQRT take them. */
import { reciprocalOfOnePlus } from './fixed-point-functions.ts';
import { highProduct, type QuantizedMultiplier, roundingShiftRight } from './tflite.ts';

/** 1/x as fraction * 2^-(bits) with the fraction in Q(0); x is a positive integer. */
export function reciprocalOf(x: number): { readonly fraction: number; readonly bits: number } {
  const zeros = Math.clz32(x);
  return { fraction: reciprocalOfOnePlus(x * 2 ** zeros - 2147483648), bits: 31 - zeros };
}

/** Left shift that x bears without overflow. */
export function headroom(x: number): number {
  return x >= 0 ? Math.clz32(x) - 1 : Math.clz32(-2 * x - 1);
}

const ONE_Q3 = 268435456;
const THREE_HALVES_Q3 = 402653184;
const HALF_ROOT_2 = 1518500250;

function saturated(x: number): number {
  return Math.max(-2147483648, Math.min(2147483647, x));
}

/** 1/sqrt(x) as a multiplier with a left shift: five Newton-Raphson steps from 1. x is a positive integer. */
export function inverseSquareRoot(x: number): QuantizedMultiplier {
  if (x <= 1) return { multiplier: 2147483647, shift: 0 };
  let input = x;
  let right = 11;
  while (input >= 536870912) {
    input = Math.trunc(input / 4);
    right++;
  }
  const pairs = ((Math.clz32(input) - 1) >> 1) - 1;
  right -= pairs;
  input *= 4 ** pairs;
  const half = roundingShiftRight(input >> 1, 1);
  let y = ONE_Q3;
  for (let i = 0; i < 5; i++) {
    const cube = saturated(highProduct(highProduct(y, y), y) * 64);
    y = saturated((highProduct(THREE_HALVES_Q3, y) - highProduct(half, cube)) * 8);
  }
  const root = highProduct(y, HALF_ROOT_2);
  return right < 0 ? { multiplier: (root * 2 ** -right) | 0, shift: 0 } : { multiplier: root, shift: -right };
}
