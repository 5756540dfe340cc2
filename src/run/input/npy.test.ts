import { describe, expect, it } from 'vitest';
import { TidemarkError } from '../../errors.ts';
import { elementCount } from '../../graph/graph.ts';
import { widenHalf } from '../../model/onnx/half.ts';
import { type FileArray, type FileType, numberToHalf } from './file-array.ts';
import { readNpy, writeNpy } from './npy.ts';
import { readNpz, writeNpz } from './npz.ts';
import { randomArray } from './random.ts';

const TYPES: readonly FileType[] = [
  'f64',
  'f32',
  'f16',
  'i64',
  'i32',
  'i16',
  'i8',
  'u64',
  'u32',
  'u16',
  'u8',
  'bool',
];

/** A version 1 file from a header as NumPy writes it. */
function made(header: string, data: readonly number[]): Uint8Array {
  const text = new TextEncoder().encode(`${header}\n`);
  return Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length, 0, ...text, ...data]);
}

const plain = (a: FileArray) => ({ ...a, values: Array.from(a.values) });

describe('npy', () => {
  it.each(TYPES)('gives back what was written: %s', (dtype) => {
    for (const shape of [[], [0], [3], [2, 3], [1, 2, 3, 4]]) {
      const array = randomArray(dtype, shape, 1 + elementCount(shape));
      expect(plain(readNpy(writeNpy(array), 'a.npy'))).toEqual(plain(array));
    }
  });

  it('starts its data at a multiple of 64', () => {
    const bytes = writeNpy({ dtype: 'u8', shape: [5], values: [1, 2, 3, 4, 5] });
    expect((bytes.length - 5) % 64).toBe(0);
    expect(bytes[bytes.length - 6]).toBe(10);
  });

  it('turns Fortran order into row-major order', () => {
    const file = made("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", [1, 4, 2, 5, 3, 6]);
    expect(plain(readNpy(file, 'a.npy'))).toEqual({ dtype: 'u8', shape: [2, 3], values: [1, 2, 3, 4, 5, 6] });
  });

  it.each([
    [
      'big endian',
      made("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", [0, 0, 0, 0]),
      /big endian/,
    ],
    [
      'strings',
      made("{'descr': '<U3', 'fortran_order': False, 'shape': (1,), }", [0]),
      /elements of type '<U3'/,
    ],
    [
      'short data',
      made("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", [0, 0, 0, 0]),
      /needs 8 bytes/,
    ],
    ['a cut header', made("{'descr': '<f4'", []).subarray(0, 14), /cut off/],
    ['something else', Uint8Array.from({ length: 40 }, () => 7), /does not start/],
    ['nothing', new Uint8Array(0), /does not start/],
    [
      'a wild shape',
      made("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999), }", []),
      /cannot be held/,
    ],
  ])('refuses %s in one line', (_, file, line) => {
    expect(() => readNpy(file, 'a.npy')).toThrow(TidemarkError);
    expect(() => readNpy(file, 'a.npy')).toThrow(line);
  });
});

describe('npz', () => {
  it('gives back its arrays by name', () => {
    const arrays = new Map([
      ['x', randomArray('f32', [2, 3], 1)],
      ['y', randomArray('i8', [4], 2)],
    ]);
    const back = readNpz(writeNpz(arrays), 'a.npz');
    expect([...back].map(([name, a]) => [name, plain(a)])).toEqual(
      [...arrays].map(([name, a]) => [name, plain(a)]),
    );
  });

  it('refuses what is no zip', () => {
    expect(() => readNpz(Uint8Array.from([1, 2, 3]), 'a.npz')).toThrow(/a\.npz: it cannot be unpacked/);
  });
});

describe('half precision', () => {
  it('gives back every one of the 65,536 values', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = widenHalf(bits);
      if (Number.isNaN(value)) expect(Number.isNaN(widenHalf(numberToHalf(value)))).toBe(true);
      else if (numberToHalf(value) !== bits) expect([bits, numberToHalf(value)]).toEqual([bits, bits]);
    }
  });

  it('rounds to the nearest, ties to even', () => {
    expect(numberToHalf(1 + 2 ** -11)).toBe(0x3c00);
    expect(numberToHalf(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(numberToHalf(65519)).toBe(0x7bff);
    expect(numberToHalf(65520)).toBe(0x7c00);
    expect(numberToHalf(2 ** -25)).toBe(0);
  });
});
