/**
 * e^x, the logistic function and tanh on 32-bit fixed-point numbers, bit for bit as the TFLite reference
 * kernels compute them through gemmlowp's fixed-point functions. "Q(n)" has n integer bits: raw = real *
 * 2^(31 - n). Division is Newton-Raphson's; e^x is a Taylor polynomial around -1/8 times powers of e.
 */
import { highProduct, roundingShiftRight } from './tflite.ts';

/** 1.0 as near as Q(0) comes to it. */
const ONE_Q0 = 2147483647;
/** 1.0 in Q(2). */
const ONE_Q2 = 536870912;
/** 48/17 and -32/17 in Q(2): the best linear start for 1/d over [1/2, 1]. */
const START_Q2 = 1515870810;
const SLOPE_Q2 = -1010580540;
/** e^(-1/8) and 1/3 in Q(0). */
const EXP_MINUS_EIGHTH = 1895147668;
const THIRD = 715827883;
/** e^(-2^k) in Q(0), for k = -2 to 4. */
const EXP_POWERS = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];

/** x * 2^exponent, saturated to 32 bits. */
export function saturatingShiftLeft(x: number, exponent: number): number {
  const y = x * 2 ** exponent;
  return Math.max(-2147483648, Math.min(2147483647, y));
}

/** e^x for x in [-1/4, 0), Q(0) to Q(0). */
function expOfSmall(raw: number): number {
  const x = raw + 268435456;
  const x2 = highProduct(x, x);
  const x3 = highProduct(x2, x);
  const x4 = highProduct(x2, x2);
  const upper = highProduct(roundingShiftRight(x4, 2) + x3, THIRD) + x2;
  return EXP_MINUS_EIGHTH + highProduct(EXP_MINUS_EIGHTH, x + roundingShiftRight(upper, 1));
}

/** e^x for x <= 0, Q(integerBits) to Q(0). */
export function expOfNegative(raw: number, integerBits: number): number {
  if (raw === 0) return ONE_Q0;
  const fractionBits = 31 - integerBits;
  if (integerBits > 5 && raw < -(2 ** (36 - integerBits))) return 0;
  const quarter = 1 << (fractionBits - 2);
  const rest = (raw & (quarter - 1)) - quarter;
  let result = expOfSmall(saturatingShiftLeft(rest, integerBits));
  const quarters = (rest - raw) | 0;
  for (let k = -2; k <= 4; k++) {
    if (integerBits > k && (quarters & (1 << (fractionBits + k))) !== 0) {
      result = highProduct(result, EXP_POWERS[k + 2]);
    }
  }
  return result;
}

/** 1 / ((1 + x) / 2) in Q(2) for x in [0, 1] in Q(0): three Newton-Raphson steps. */
function reciprocalOfHalfSum(x: number): number {
  const half = Math.floor((x + ONE_Q0 + 1) / 2);
  let y = START_Q2 + highProduct(half, SLOPE_Q2);
  for (let i = 0; i < 3; i++) {
    const error = ONE_Q2 - highProduct(half, y);
    y = (y + saturatingShiftLeft(highProduct(y, error), 2)) | 0;
  }
  return y;
}

/** 1 / (1 + x), Q(0) to Q(0), for x in [0, 1]. */
export function reciprocalOfOnePlus(x: number): number {
  return saturatingShiftLeft(reciprocalOfHalfSum(x), 1);
}

/** 1 / (1 + e^-x), Q(integerBits) to Q(0). */
export function logistic(raw: number, integerBits: number): number {
  if (raw === 0) return 1073741824;
  const positive = reciprocalOfOnePlus(expOfNegative(-Math.abs(raw), integerBits));
  return raw > 0 ? positive : ONE_Q0 - positive;
}

/** tanh x, Q(integerBits) to Q(0), as (1 - e^-2x) / (1 + e^-2x). */
export function tanh(raw: number, integerBits: number): number {
  if (raw === 0) return 0;
  const power = expOfNegative(-Math.abs(raw), integerBits + 1);
  const magnitude = saturatingShiftLeft((reciprocalOfHalfSum(power) - ONE_Q2) | 0, 2);
  return raw < 0 ? -magnitude : magnitude;
}
