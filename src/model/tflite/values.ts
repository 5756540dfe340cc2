/** Constants of a file as the graph holds them: wider types narrowed (docs/operators.md), four-bit ones widened. */
import { TidemarkError } from '../../errors.ts';
import type { DType, TypedArray } from '../../graph/graph.ts';
import type { FileType } from './schema.ts';

/** How each element type of a file stands in the graph, and its size in the file in bits. */
const TYPES: Partial<Record<FileType, { readonly dtype: DType; readonly bits: number }>> = {
  f32: { dtype: 'f32', bits: 32 },
  f16: { dtype: 'f32', bits: 16 },
  f64: { dtype: 'f32', bits: 64 },
  BFLOAT16: { dtype: 'f32', bits: 16 },
  i64: { dtype: 'i32', bits: 64 },
  i32: { dtype: 'i32', bits: 32 },
  i16: { dtype: 'i16', bits: 16 },
  i8: { dtype: 'i8', bits: 8 },
  u8: { dtype: 'u8', bits: 8 },
  i4: { dtype: 'i8', bits: 4 },
  bool: { dtype: 'bool', bits: 8 },
};

/** The graph's element type for a file's; throws `type-unsupported` where there is none. */
export function dtypeOfFile(type: FileType, tensor: string): DType {
  const known = TYPES[type];
  if (!known) {
    const what =
      type === 'RESOURCE' || type === 'VARIANT'
        ? 'resource and variant tensors hold state between runs'
        : `element type ${type}`;
    throw new TidemarkError('type-unsupported', `tensor ${tensor}: ${what}: not supported`);
  }
  return known.dtype;
}

/** Bytes that `count` elements take in the file. */
export function fileBytes(type: FileType, count: number): number {
  return Math.ceil((count * (TYPES[type]?.bits ?? 8)) / 8);
}

/** The values of `count` elements. `data` has at least the bytes they take. */
export function readValues(type: FileType, data: Uint8Array, count: number): TypedArray {
  const bytes = data.subarray(0, fileBytes(type, count));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case 'f32':
      return new Float32Array(aligned(bytes));
    case 'i32':
      return new Int32Array(aligned(bytes));
    case 'i16':
      return new Int16Array(aligned(bytes));
    case 'i8':
      return new Int8Array(bytes.buffer, bytes.byteOffset, count);
    case 'f16':
      return Float32Array.from({ length: count }, (_, i) => halfToFloat(view.getUint16(2 * i, true)));
    case 'BFLOAT16':
      return new Float32Array(
        aligned(
          Uint8Array.from({ length: 4 * count }, (_, i) =>
            i % 4 < 2 ? 0 : bytes[(i >> 2) * 2 + (i % 4) - 2],
          ),
        ),
      );
    case 'f64':
      return Float32Array.from({ length: count }, (_, i) => view.getFloat64(8 * i, true));
    case 'i64':
      return Int32Array.from({ length: count }, (_, i) => saturate(view.getBigInt64(8 * i, true)));
    case 'i4':
      // Two elements a byte, the first in the low half.
      return Int8Array.from({ length: count }, (_, i) => ((bytes[i >> 1] >> (4 * (i & 1))) << 28) >> 28);
    default:
      return new Uint8Array(bytes.buffer, bytes.byteOffset, count);
  }
}

/** The bytes at the start of a buffer of their own: in the file nothing is surely aligned for wide elements. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}

function saturate(value: bigint): number {
  if (value > 2147483647n) return 2147483647;
  return value < -2147483648n ? -2147483648 : Number(value);
}

/** IEEE 754 binary16 to a number. */
export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
