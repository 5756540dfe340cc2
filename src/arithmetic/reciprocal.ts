/** 1/x of positive integers in fixed point, as the TFLite reference's DIV takes it. */
import { reciprocalOfOnePlus } from './fixed-point-functions.ts';

/** 1/x as fraction * 2^-(bits) with the fraction in Q(0); x is a positive integer. */
export function reciprocalOf(x: number): { readonly fraction: number; readonly bits: number } {
  const zeros = Math.clz32(x);
  return { fraction: reciprocalOfOnePlus(x * 2 ** zeros - 2147483648), bits: 31 - zeros };
}

/** Left shift that x bears without overflow. */
export function headroom(x: number): number {
  return x >= 0 ? Math.clz32(x) - 1 : Math.clz32(-2 * x - 1);
}
