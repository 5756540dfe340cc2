/**
 * Stored and real numbers: how elements of a quantised tensor are decoded and encoded in each dialect, with the
 * index along the quantised axis where there is one scale per channel.
 */
import { roundEven as roundHalfEven } from '../arithmetic/onnx.ts';
import { roundHalfAway } from '../arithmetic/tflite.ts';
import type { Dialect, DType, ElementType, Quantisation } from '../graph/graph.ts';

export { roundHalfAway, roundHalfEven };

/** Least and greatest stored value of an integer type. */
export function integerRange(dtype: DType): readonly [number, number] {
  switch (dtype) {
    case 'i8':
      return [-128, 127];
    case 'u8':
      return [0, 255];
    case 'i16':
      return [-32768, 32767];
    case 'bool':
      return [0, 1];
    default:
      return [-2147483648, 2147483647];
  }
}

/** A function of an element and its index along the quantised axis (its channel, as a rule). */
export type ElementFunction = (value: number, index: number) => number;

/** The same where types with one scale leave the index out. */
export type Coder = (value: number, index?: number) => number;

/**
 * real -> stored: round(x / scale) + zeroPoint, saturated; the division in float32. Ties go to even (ONNX
 * QuantizeLinear) or away from zero (TFLite QUANTIZE). NaN becomes the least value, as ONNX Runtime's vector code
 * has it.
 */
export function quantiser(to: ElementType, dialect: Dialect = 'onnx'): Coder {
  const { quant, dtype } = to;
  if (!quant) return (x) => x;
  const [lo, hi] = integerRange(dtype);
  const round = dialect === 'tflite' ? roundHalfAway : roundHalfEven;
  const scales = Float32Array.from(quant.scale);
  const zeros = Int32Array.from(quant.zeroPoint);
  const encode = (x: number, scale: number, zero: number) => {
    const q = round(Math.fround(x / scale)) + zero;
    return q >= lo ? Math.min(hi, q) : lo;
  };
  const scale = scales[0];
  const zero = zeros[0];
  return scales.length > 1 ? (x, i = 0) => encode(x, scales[i], zeros[i]) : (x) => encode(x, scale, zero);
}

/** stored -> real: (q - zeroPoint) * scale, in float32. */
export function dequantiser(from: ElementType): Coder {
  const { quant } = from;
  if (!quant) return (q) => q;
  const scales = Float32Array.from(quant.scale);
  const zeros = Int32Array.from(quant.zeroPoint);
  const scale = scales[0];
  const zero = zeros[0];
  return scales.length > 1
    ? (q, i = 0) => Math.fround(Math.fround(q - zeros[i]) * scales[i])
    : (q) => Math.fround(Math.fround(q - zero) * scale);
}

/** True when both mean the same number by the same stored value. */
export function sameQuantisation(a: Quantisation | undefined, b: Quantisation | undefined): boolean {
  if (a === b) return true;
  if (!a || !b || a.scale.length !== b.scale.length) return false;
  return a.scale.every(
    (s, i) => Math.fround(s) === Math.fround(b.scale[i]) && a.zeroPoint[i] === b.zeroPoint[i],
  );
}

/** True when both types store and mean the same. */
export function sameType(a: ElementType, b: ElementType): boolean {
  return a.dtype === b.dtype && sameQuantisation(a.quant, b.quant);
}

/** Scale (as float32) and zero point of a type quantised as a whole; undefined where it is not. */
export function wholeQuantisation(
  type: ElementType,
): { readonly scale: number; readonly zero: number } | undefined {
  const { quant } = type;
  if (quant?.scale.length !== 1) return undefined;
  return { scale: Math.fround(quant.scale[0]), zero: quant.zeroPoint[0] };
}

/** A value held inside a type's range. */
export function saturate(q: number, dtype: DType): number {
  const [lo, hi] = integerRange(dtype);
  return Math.max(lo, Math.min(hi, q));
}
