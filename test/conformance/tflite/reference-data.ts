/**
 * The public model set as the conformance tests use it: where it lies, the seeded inputs its reference outputs
 * were made with (its MANIFEST.md), and bytes to numbers and back by element type.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TypedArray } from '../../../src/graph/graph.ts';
import { halfToFloat } from '../../../src/model/tflite/values.ts';
import { inputNumbers } from '../../../src/run/input/random.ts';
import { haveModels, MISSING, MODELS } from '../../public-models-folder.ts';

export { haveModels, MISSING, MODELS };

export function readModelFile(...path: string[]): Uint8Array {
  return new Uint8Array(readFileSync(join(MODELS, ...path)));
}

// biome-ignore lint/suspicious/noExplicitAny: a data file of many forms
export function readJson(...path: string[]): any {
  return JSON.parse(readFileSync(join(MODELS, ...path), 'utf8'));
}

/** Element type in the words of `Port.dtype`, from the manifest's. */
export function shortType(name: string): string {
  const long: Record<string, string> = {
    float32: 'f32',
    float16: 'f16',
    int8: 'i8',
    uint8: 'u8',
    int16: 'i16',
    int32: 'i32',
    int64: 'i64',
  };
  return long[name] ?? name;
}

/** Seeded input number `k` (from 1) of the model set's generator, mode `unit`. */
export function seededInput(dtype: string, count: number, k: number): TypedArray {
  const next = inputNumbers(k);
  switch (dtype) {
    case 'f32':
    case 'f16':
      return Float32Array.from({ length: count }, () => next() / 4294967296);
    case 'u8':
      return Uint8Array.from({ length: count }, () => next() >>> 24);
    case 'bool':
      return Uint8Array.from({ length: count }, () => (next() % 10) & 1);
    case 'i8':
      return Int8Array.from({ length: count }, () => (next() >>> 24) - 128);
    case 'i16':
      return Int16Array.from({ length: count }, () => (next() >>> 16) - 32768);
    default:
      return Int32Array.from({ length: count }, () => next() % 10);
  }
}

/** Values of a raw little-endian file, in the graph's element types. */
export function decode(bytes: Uint8Array, dtype: string): TypedArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const all = (width: number) => ({ length: Math.floor(bytes.length / width) });
  switch (dtype) {
    case 'f32':
      return Float32Array.from(all(4), (_, i) => view.getFloat32(4 * i, true));
    case 'f16':
      return Float32Array.from(all(2), (_, i) => halfToFloat(view.getUint16(2 * i, true)));
    case 'i32':
      return Int32Array.from(all(4), (_, i) => view.getInt32(4 * i, true));
    case 'i64':
      return Int32Array.from(all(8), (_, i) => Number(view.getBigInt64(8 * i, true)));
    case 'i16':
      return Int16Array.from(all(2), (_, i) => view.getInt16(2 * i, true));
    case 'i8':
      return new Int8Array(bytes.slice().buffer);
    default:
      return bytes.slice();
  }
}

/** Raw little-endian bytes of values, as the file's element type stores them. */
export function encode(values: TypedArray, dtype: string): Uint8Array {
  if (dtype !== 'i64') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return new Uint8Array(BigInt64Array.from(values as Int32Array, (v) => BigInt(v)).buffer);
}

/** FNV-1a with 64 bits, as 16 hexadecimal digits; two 32-bit halves, so that it is fast enough for megabytes. */
export function fnv1a64(bytes: Uint8Array): string {
  // The prime is 2^40 + 0x1b3, so the product mod 2^64 needs low * 0x1b3 and (low << 8) in the upper half.
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const b of bytes) {
    low = (low ^ b) >>> 0;
    const product = low * 0x1b3;
    const carry = Math.floor(product / 4294967296);
    high = (Math.imul(high, 0x1b3) + carry + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
