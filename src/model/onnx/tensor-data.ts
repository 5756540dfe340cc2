/**
 * Values of a TensorProto. Everything is checked against the bytes that are really there before anything is
 * allocated; values are decoded on first use. float16 and float64 become float32, wide integers saturate.
 */
import { TidemarkError } from '../../errors.ts';
import {
  allocate,
  type Constant,
  type DType,
  elementCount,
  lazyConstant,
  type TypedArray,
} from '../../graph/graph.ts';
import { limits, withinLimit } from '../../limits.ts';
import { type FileType, fileType } from './element-type.ts';
import { widenBfloat, widenHalf } from './half.ts';
import { countVarints, decodeVarints, joined, narrow, saturate } from './packed.ts';
import type { TensorProto } from './schema.ts';

/** Gives the bytes of a file beside the model, by its relative path. */
export type ExternalFiles = (relativePath: string) => Uint8Array;

export interface TensorData {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: FileType;
  readonly constant: Constant;
}

/** Dimensions as numbers. Throws `graph-invalid` for negative, absurd or too many ones. */
export function checkedShape(name: string, dims: readonly bigint[]): number[] {
  withinLimit('rank', dims.length, 'graph-invalid', `tensor ${name} has rank ${dims.length}`);
  const shape = dims.map((d) => {
    if (d < 0n || d > BigInt(limits.tensorElements)) {
      throw new TidemarkError('graph-invalid', `tensor ${name}: dimension ${d} of [${dims}] cannot be`);
    }
    return Number(d);
  });
  const count = elementCount(shape);
  withinLimit('tensorElements', count, 'graph-invalid', `tensor ${name} [${shape}] has ${count} elements`);
  return shape;
}

/** Checks a tensor of the file and gives its values, to be decoded on first use. */
export function tensorData(tensor: TensorProto, external?: ExternalFiles): TensorData {
  const name = tensor.name || '(unnamed)';
  const shape = checkedShape(name, tensor.dims);
  const type = fileType(tensor.dataType);
  const count = elementCount(shape);
  const raw = tensor.dataLocation === 1 ? externalBytes(tensor, name, external) : tensor.rawData;
  if (tensor.dataLocation === 1 || raw.length > 0) {
    checkLength(name, shape, raw.length, count * type.bytes, 'bytes');
    return { name, shape, type, constant: lazyConstant(() => decodeRaw(raw, type, count)) };
  }
  return { name, shape, type, constant: typedData(tensor, name, shape, type) };
}

function checkLength(name: string, shape: readonly number[], got: number, want: number, unit: string): void {
  if (got === want) return;
  throw new TidemarkError(
    'graph-invalid',
    `tensor ${name}: its shape [${shape}] needs ${want} ${unit} of data, the file has ${got}`,
  );
}

/** Values that lie in one of the typed lists instead of raw_data. */
function typedData(tensor: TensorProto, name: string, shape: readonly number[], type: FileType): Constant {
  const count = elementCount(shape);
  switch (type.name) {
    case 'f32':
    case 'f64': {
      const bytes = joined(type.name === 'f32' ? tensor.floatData : tensor.doubleData);
      checkLength(name, shape, bytes.length / type.bytes, count, 'values');
      return lazyConstant(() => decodeRaw(bytes, type, count));
    }
    default: {
      const wide = type.name === 'i64' ? tensor.int64Data : tensor.uint64Data;
      const chunks =
        type.name === 'i64' || type.name === 'u64' || type.name === 'u32' ? wide : tensor.int32Data;
      checkLength(name, shape, countVarints(chunks), count, 'values');
      return lazyConstant(() => convert(decodeVarints(chunks, count), type));
    }
  }
}

function convert(values: Int32Array, type: FileType): TypedArray {
  if (type.name === 'f16') return Float32Array.from(values, widenHalf);
  if (type.name === 'bf16') return Float32Array.from(values, widenBfloat);
  if (type.dtype === 'i32') return values;
  const out = allocate(type.dtype, values.length);
  out.set(values);
  return out;
}

/** Little-endian bytes to values. The bytes need not be aligned. */
export function decodeRaw(bytes: Uint8Array, type: FileType, count: number): TypedArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type.bytes === 1) {
    if (type.dtype === 'i8') return new Int8Array(bytes.buffer, bytes.byteOffset, count);
    return type.dtype === 'bool' ? bytes.map((b) => (b ? 1 : 0)) : bytes.subarray(0, count);
  }
  if (type.name === 'f32' || type.name === 'i32' || type.name === 'i16')
    return aligned(bytes, type.dtype, count);
  const out = allocate(type.dtype, count);
  const at = READERS[type.name];
  for (let i = 0; i < count; i++) out[i] = at(view, i);
  return out;
}

const READERS: Record<string, (view: DataView, i: number) => number> = {
  u16: (v, i) => v.getUint16(2 * i, true),
  u32: (v, i) => saturate(v.getUint32(4 * i, true)),
  i64: (v, i) => narrow(v.getInt32(8 * i, true), v.getInt32(8 * i + 4, true)),
  u64: (v, i) => (v.getUint32(8 * i + 4, true) ? saturate(2 ** 32) : saturate(v.getUint32(8 * i, true))),
  f16: (v, i) => widenHalf(v.getUint16(2 * i, true)),
  bf16: (v, i) => widenBfloat(v.getUint16(2 * i, true)),
  f64: (v, i) => v.getFloat64(8 * i, true),
};

/** The bytes seen as the type, copied only where they are not aligned. */
function aligned(bytes: Uint8Array, dtype: DType, count: number): TypedArray {
  const size = dtype === 'i16' ? 2 : 4;
  const source = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  if (dtype === 'f32') return new Float32Array(source.buffer, source.byteOffset, count);
  if (dtype === 'i16') return new Int16Array(source.buffer, source.byteOffset, count);
  return new Int32Array(source.buffer, source.byteOffset, count);
}

function externalBytes(tensor: TensorProto, name: string, external?: ExternalFiles): Uint8Array {
  const entry = (key: string) => tensor.externalData.find((e) => e.key === key)?.value;
  const location = entry('location') ?? '';
  const parts = location.split(/[/\\]/);
  if (location === '' || /^([/\\]|[a-zA-Z]:)/.test(location) || parts.includes('..')) {
    throw new TidemarkError(
      'external-data',
      `tensor ${name}: external data at "${location}" is refused, expected a relative path below the model's folder`,
    );
  }
  if (!external) {
    throw new TidemarkError(
      'external-data',
      `tensor ${name}: its data lie in ${location}, which was not given`,
    );
  }
  const file = external(location);
  const offset = Number(entry('offset') ?? 0);
  const length = Number(entry('length') ?? file.length - offset);
  if (
    !(
      Number.isInteger(offset) &&
      Number.isInteger(length) &&
      offset >= 0 &&
      length >= 0 &&
      offset + length <= file.length
    )
  ) {
    throw new TidemarkError(
      'external-data',
      `tensor ${name}: bytes ${offset} to ${offset + length} of ${location} are needed, which has ${file.length}`,
    );
  }
  return file.subarray(offset, offset + length);
}
