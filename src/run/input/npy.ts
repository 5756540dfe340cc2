/**
 * NumPy's .npy format, versions 1 to 3: magic, a Python dictionary with type, order and shape, then the
 * elements. Format: numpy.lib.format in NumPy's documentation (NEP 1).
 */
import { TidemarkError } from '../../errors.ts';
import { elementCount } from '../../graph/graph.ts';
import {
  decodeElements,
  encodeElements,
  type FileArray,
  type FileType,
  fileTypeBytes,
} from './file-array.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

const TYPES: Readonly<Record<string, FileType>> = {
  f8: 'f64',
  f4: 'f32',
  f2: 'f16',
  i8: 'i64',
  i4: 'i32',
  i2: 'i16',
  i1: 'i8',
  u8: 'u64',
  u4: 'u32',
  u2: 'u16',
  u1: 'u8',
  b1: 'bool',
};

/** Reads an array; `name` is what messages call the file. Fortran order is turned into row-major order. */
export function readNpy(bytes: Uint8Array, name: string): FileArray {
  if (bytes.length < 10 || MAGIC.some((b, i) => bytes[i] !== b))
    throw bad(name, 'it does not start as a .npy file');
  const version = bytes[6];
  if (version < 1 || version > 3) throw bad(name, `version ${version} is not known (1 to 3 are)`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : bytes.length >= 12 ? view.getUint32(8, true) : 0;
  if (start + length > bytes.length) throw bad(name, 'the header is cut off');
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const dims = /'shape'\s*:\s*\(([^)]*)\)/.exec(header)?.[1];
  if (descr === undefined || fortran === undefined || dims === undefined) {
    throw bad(name, "the header lacks 'descr', 'fortran_order' or 'shape' (structured arrays are not read)");
  }
  const shape = dims
    .split(',')
    .filter((d) => d.trim() !== '')
    .map(Number);
  const dtype = elementType(descr, name);
  const count = elementCount(shape);
  if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0) || !Number.isSafeInteger(count)) {
    throw bad(name, `the shape (${dims}) cannot be held`);
  }
  const data = bytes.subarray(start + length);
  const needed = count * fileTypeBytes(dtype);
  if (data.length < needed)
    throw bad(name, `the shape (${dims}) needs ${needed} bytes of data, ${data.length} are there`);
  const values = decodeElements(data, dtype, count);
  return {
    dtype,
    shape,
    values: fortran === 'True' && shape.length > 1 ? toRowMajor(values, shape) : values,
  };
}

/** The bytes of a version 1 file, the header padded so that the data starts at a multiple of 64. */
export function writeNpy(array: FileArray): Uint8Array {
  const code = Object.keys(TYPES).find((key) => TYPES[key] === array.dtype)!;
  const order = fileTypeBytes(array.dtype) === 1 ? '|' : '<';
  const shape = array.shape.length === 1 ? `${array.shape[0]},` : array.shape.join(', ');
  const fields = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${shape}), }`;
  const total = Math.ceil((10 + fields.length + 1) / 64) * 64;
  const header = new TextEncoder().encode(`${fields.padEnd(total - 11)}\n`);
  const data = encodeElements(array);
  const out = new Uint8Array(total + data.length);
  out.set(MAGIC);
  out.set([1, 0, header.length & 255, header.length >> 8], 6);
  out.set(header, 10);
  out.set(data, total);
  return out;
}

function elementType(descr: string, name: string): FileType {
  const order = descr[0];
  const dtype = TYPES[descr.slice(1)];
  if (!dtype || !'<>|='.includes(order)) {
    throw bad(name, `elements of type '${descr}' are not read (floats, integers and bool are)`);
  }
  if (order === '>' && fileTypeBytes(dtype) > 1) {
    throw bad(
      name,
      `it is big endian ('${descr}'); save it little endian, e.g. with a.astype(a.dtype.newbyteorder('<'))`,
    );
  }
  return dtype;
}

function toRowMajor(values: ArrayLike<number>, shape: readonly number[]): Float64Array {
  const out = new Float64Array(values.length);
  const index = new Array(shape.length).fill(0);
  for (let from = 0; from < values.length; from++) {
    let to = 0;
    for (let axis = 0; axis < shape.length; axis++) to = to * shape[axis] + index[axis];
    out[to] = values[from];
    // In Fortran order the first index runs fastest.
    for (let axis = 0; axis < shape.length && ++index[axis] === shape[axis]; axis++) index[axis] = 0;
  }
  return out;
}

function bad(name: string, why: string): TidemarkError {
  return new TidemarkError('input-invalid', `${name}: ${why}`);
}
