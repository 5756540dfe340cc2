/**
 * The dialects' roundings in the loop-nest language, on i32 scalars or lanes: the same numbers as src/arithmetic.
 * Names are given to what is used twice, so a builder comes along.
 */
import type { QuantizedMultiplier } from '../arithmetic/tflite.ts';
import type { DType } from '../graph/graph.ts';
import {
  add,
  and,
  type Builder,
  compare,
  constant,
  convert,
  highProduct,
  i32,
  max,
  min,
  mul,
  select,
  shl,
  shr,
  splat,
  sub,
  unary,
} from './builder.ts';
import { type Expr, isVector, lanesOf, type Type, typeOf } from './ir.ts';

/** x + 1 where the condition holds. */
function plusWhere(x: Expr, cond: Expr): Expr {
  return isVector(x.type) ? sub(x, cond) : add(x, cond);
}

/** x / 2^exponent, ties away from zero (src/arithmetic/tflite.ts). The exponent is a scalar or has x's lanes. */
export function roundingShiftRight(b: Builder, x: Expr, exponent: Expr): Expr {
  if (exponent.kind === 'const' && exponent.value === 0) return x;
  const v = b.let('v', x);
  const { type } = v;
  const one = constant(exponent.type, 1);
  const narrow =
    exponent.kind === 'const'
      ? constant(exponent.type, 2 ** Number(exponent.value) - 1)
      : b.let('mask', sub(shl(one, exponent), one));
  const mask = exponent.type === type ? narrow : splat(type, narrow);
  const half = narrow.kind === 'const' ? constant(type, Number(narrow.value) >> 1) : shr(mask, i32(1));
  // For negative numbers the threshold is one more.
  const threshold = sub(half, shr(v, i32(31)));
  return plusWhere(shr(v, exponent), compare('gt', and(v, mask), threshold));
}

/** x * multiplier * 2^(shift - 31) with two roundings; a shift costs nothing in the direction that it does not go. */
export function multiplyFixed(b: Builder, x: Expr, { multiplier, shift }: QuantizedMultiplier): Expr {
  const shifted = shift > 0 ? shl(x, i32(shift)) : x;
  return roundingShiftRight(b, highProduct(shifted, constant(x.type, multiplier)), i32(Math.max(0, -shift)));
}

/** Held between two bounds. */
export function clamp(x: Expr, least: number, greatest: number): Expr {
  return min(max(x, constant(x.type, least)), constant(x.type, greatest));
}

/** round(x * scale) + zero, held in [least, greatest]: x an integer, ties to even (src/arithmetic/onnx.ts). */
export function multiplyFloat(x: Expr, scale: Expr, zero: number, least: number, greatest: number): Expr {
  const real: Type = typeOf('f32', lanesOf(x.type));
  return roundedInto(mul(convert(real, x), scale), zero, least, greatest, 'even');
}

/** round(x) + zero of an f32, held in [least, greatest]; NaN becomes the least. Bounds are whole, so they may come first. */
export function roundedInto(
  x: Expr,
  zero: number,
  least: number,
  greatest: number,
  ties: 'even' | 'away',
): Expr {
  const { type } = x;
  const whole: Type = typeOf('i32', lanesOf(type));
  // b < a ? b : a with a constant first keeps NaN out: the comparison fails and the constant stands.
  const low = max(constant(type, least - zero), x);
  const inside = min(low, constant(type, greatest - zero));
  if (ties === 'away') return add(convert(whole, awayFromZero(inside)), constant(whole, zero));
  // Near 1.5 * 2^23 floats are whole numbers: the sum rounds, and its bits count on from the constant's. The bounds
  // of stored integers are far below the 2^22 up to which this holds.
  const bits = convert(whole, add(inside, constant(type, 12582912)), 'bits');
  return add(bits, constant(whole, zero - 0x4b400000));
}

/** Nearest whole number, ties away from zero. The fraction of a float is exact. */
function awayFromZero(x: Expr): Expr {
  const { type } = x;
  const fraction = sub(x, unary('trunc', x));
  const step = select(compare('lt', x, constant(type, 0)), constant(type, -1), constant(type, 1));
  const up = compare('ge', unary('abs', fraction), constant(type, 0.5));
  return add(unary('trunc', x), select(up, step, constant(type, 0)));
}

/** Whole numbers of 32 bits as a typed array of the type keeps them: what is stored must be within its cell. */
export function cutTo(dtype: DType, word: Expr): Expr {
  if (dtype === 'i32' || dtype === 'f32' || dtype === 'bool') return word;
  if (dtype === 'u8') return and(word, constant(word.type, 255));
  const shift = i32(dtype === 'i8' ? 24 : 16);
  const up: Expr = { kind: 'binary', type: word.type, op: 'shl', a: word, b: shift };
  return { kind: 'binary', type: word.type, op: 'shr', a: up, b: shift };
}
