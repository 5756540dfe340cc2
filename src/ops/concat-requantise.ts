/** How Concat brings a part to the output's scale, in each dialect. */
import type { Dialect, ElementType } from '../graph/graph.ts';
import { dequantiser, integerRange, quantiser, roundHalfAway, sameType } from './stored.ts';

/**
 * Stored value of the part -> stored value of the output; undefined where the bytes stay. ONNX dialect:
 * dequantise and quantise. TFLite's reference kernel: uint8 in float32 with a multiplied inverse scale and
 * ties away from zero (ConcatenationWithScaling); int8 and int16 are copied whatever their scales.
 */
export function requantiser(
  from: ElementType,
  to: ElementType,
  dialect: Dialect,
): ((stored: number) => number) | undefined {
  if (sameType(from, to) || !from.quant || !to.quant) return undefined;
  if (dialect === 'onnx') {
    const decode = dequantiser(from);
    const encode = quantiser(to);
    return (q) => encode(decode(q, 0), 0);
  }
  if (from.dtype !== 'u8') return undefined;
  const [lo, hi] = integerRange(to.dtype);
  const inverse = Math.fround(1 / Math.fround(to.quant.scale[0]));
  const scale = Math.fround(Math.fround(from.quant.scale[0]) * inverse);
  const bias = Math.fround(-from.quant.zeroPoint[0] * scale);
  const zero = to.quant.zeroPoint[0];
  return (q) => {
    const real = Math.fround(Math.fround(q * scale) + bias);
    return Math.min(hi, Math.max(lo, roundHalfAway(real) + zero));
  };
}
