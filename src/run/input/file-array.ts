/**
 * An array as files hold it: its own element type and shape. Values are numbers whatever the type; 64-bit
 * integers are exact up to 2^53, which is beyond what any tensor of a graph can hold.
 */
import { elementCount } from '../../graph/graph.ts';
import { widenHalf } from '../../model/onnx/half.ts';

export type FileType =
  | 'f64'
  | 'f32'
  | 'f16'
  | 'i64'
  | 'i32'
  | 'i16'
  | 'i8'
  | 'u64'
  | 'u32'
  | 'u16'
  | 'u8'
  | 'bool';

export interface FileArray {
  readonly dtype: FileType;
  readonly shape: readonly number[];
  /** elementCount(shape) numbers, last dimension fastest. */
  readonly values: ArrayLike<number>;
}

const BYTES: Readonly<Record<FileType, number>> = {
  f64: 8,
  f32: 4,
  f16: 2,
  i64: 8,
  i32: 4,
  i16: 2,
  i8: 1,
  u64: 8,
  u32: 4,
  u16: 2,
  u8: 1,
  bool: 1,
};

/** Smallest and largest value of the integer types. */
export const INTEGER_RANGE: Readonly<Partial<Record<string, readonly [number, number]>>> = {
  i64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  u64: [0, Number.MAX_SAFE_INTEGER],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  i16: [-32768, 32767],
  u16: [0, 65535],
  i8: [-128, 127],
  u8: [0, 255],
  bool: [0, 1],
};

export function isFileType(name: string): name is FileType {
  return name in BYTES;
}

/** Bytes of one element in a file. */
export function fileTypeBytes(dtype: FileType): number {
  return BYTES[dtype];
}

/** Little-endian bytes as numbers. `bytes` holds `count` elements from its start. */
export function decodeElements(bytes: Uint8Array, dtype: FileType, count: number): ArrayLike<number> {
  // A copy gives the alignment that typed arrays ask for.
  const buffer = bytes.slice(0, count * BYTES[dtype]).buffer;
  switch (dtype) {
    case 'f64':
      return new Float64Array(buffer);
    case 'f32':
      return new Float32Array(buffer);
    case 'f16':
      return Float32Array.from(new Uint16Array(buffer), widenHalf);
    case 'i64':
      return Float64Array.from(new BigInt64Array(buffer), Number);
    case 'u64':
      return Float64Array.from(new BigUint64Array(buffer), Number);
    case 'i32':
      return new Int32Array(buffer);
    case 'u32':
      return new Uint32Array(buffer);
    case 'i16':
      return new Int16Array(buffer);
    case 'u16':
      return new Uint16Array(buffer);
    case 'i8':
      return new Int8Array(buffer);
    default:
      return new Uint8Array(buffer);
  }
}

/** Numbers as the little-endian bytes of a type. */
export function encodeElements(array: FileArray): Uint8Array {
  return new Uint8Array(typedElements(array).buffer);
}

/** Numbers as an array of the type's own elements; a half as its bits. */
export function typedElements({ dtype, values, shape }: FileArray): ArrayBufferView {
  if (values.length !== elementCount(shape)) {
    throw new RangeError(`${values.length} values for the shape [${shape}]`);
  }
  switch (dtype) {
    case 'f64':
      return Float64Array.from(values);
    case 'f32':
      return Float32Array.from(values);
    case 'f16':
      return Uint16Array.from(values, numberToHalf);
    case 'i64':
      return BigInt64Array.from(Array.from(values, (v) => BigInt(v)));
    case 'u64':
      return BigUint64Array.from(Array.from(values, (v) => BigInt(v)));
    case 'i32':
      return Int32Array.from(values);
    case 'u32':
      return Uint32Array.from(values);
    case 'i16':
      return Int16Array.from(values);
    case 'u16':
      return Uint16Array.from(values);
    case 'i8':
      return Int8Array.from(values);
    default:
      return Uint8Array.from(values);
  }
}

/** The nearest binary16 bits, ties to even. */
export function numberToHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  // Below 2^-14 the step is fixed at 2^-24.
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const step = 2 ** (exponent - 10);
  const steps = roundEven(size / step);
  // 1024 steps carry into the exponent by themselves in this sum; subnormals have exponent field 0.
  return sign | (((exponent + 14) << 10) + steps);
}

function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
