/** From a range of real values to an integer type, and from real values to stored ones. */
import { type ElementType, perTensor, type TypedArray } from '../graph/graph.ts';
import { quantiser, roundHalfEven } from '../ops/stored.ts';
import type { Range } from './ranges.ts';

/** int8 with one scale and a zero point such that zero is exact. */
export function activationType(range: Range): ElementType {
  const min = Math.min(0, range.min);
  const max = Math.max(0, range.max);
  // A tensor that is always zero: any scale will do.
  const scale = max > min ? Math.fround((max - min) / 255) : Math.fround(1 / 128);
  // Adding 0 turns -0 into 0.
  const zero = Math.min(127, Math.max(-128, roundHalfEven(-128 - min / scale))) + 0;
  return { dtype: 'i8', quant: perTensor(scale, zero) };
}

/** One symmetric scale for each of `channels` equal parts of the values, so that -127 to 127 spans them. */
export function channelScales(values: ArrayLike<number>, channels: number): number[] {
  const each = values.length / channels;
  const scales: number[] = new Array(channels);
  for (let c = 0; c < channels; c++) {
    let greatest = 0;
    for (let i = c * each; i < (c + 1) * each; i++) greatest = Math.max(greatest, Math.abs(values[i]));
    scales[c] = greatest > 0 ? Math.fround(greatest / 127) : Math.fround(1 / 127);
  }
  return scales;
}

/** A symmetric type with one scale for each index of the first dimension. */
export function channelType(dtype: 'i8' | 'i32', scale: readonly number[]): ElementType {
  return { dtype, quant: { scale, zeroPoint: scale.map(() => 0), axis: 0 } };
}

/** Values stored as a type whose scale is one, or one for each of as many equal parts as it has scales. */
export function storedValues(values: TypedArray, type: ElementType): TypedArray {
  const stored = type.dtype === 'i32' ? new Int32Array(values.length) : new Int8Array(values.length);
  const encode = quantiser(type);
  const each = values.length / (type.quant?.scale.length ?? 1);
  for (let i = 0; i < values.length; i++) stored[i] = encode(values[i], Math.floor(i / each));
  return stored;
}
