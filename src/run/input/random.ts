/**
 * Made-up inputs for runs without a file: reproducible anywhere from a seed. Its numbers are
 * those of seeded.ts from seed * 2654435761 on, the first 16 dropped.
 */
import { elementCount } from '../../graph/graph.ts';
import { wholeNumbers } from '../../seeded.ts';
import type { FileArray, FileType } from './file-array.ts';

/** A generator of uniform 32-bit numbers. */
export function inputNumbers(seed: number): () => number {
  const next = wholeNumbers(Math.imul(seed, 2654435761 | 0));
  for (let i = 0; i < 16; i++) next();
  return next;
}

/** Uniform in [0, 1) for floats, over the whole range for 8 and 16 bits, 0 to 9 for wider integers. */
export function randomArray(dtype: FileType, shape: readonly number[], seed: number): FileArray {
  const next = inputNumbers(seed);
  const draw = drawer(dtype, next);
  const values = new Float64Array(elementCount(shape));
  for (let i = 0; i < values.length; i++) values[i] = draw();
  return { dtype, shape, values };
}

function drawer(dtype: FileType, next: () => number): () => number {
  switch (dtype) {
    case 'f64':
    case 'f32':
      // Rounded to float32 first, as a 32-bit runtime would draw it.
      return () => Math.fround(next() / 2 ** 32);
    case 'f16':
      // Cut off to 11 bits, so that it never reaches 1.
      return () => truncateToHalf(next() / 2 ** 32);
    case 'u8':
      return () => next() >>> 24;
    case 'i8':
      return () => (next() >>> 24) - 128;
    case 'u16':
      return () => next() >>> 16;
    case 'i16':
      return () => (next() >>> 16) - 32768;
    case 'bool':
      return () => next() >>> 31;
    default:
      return () => next() % 10;
  }
}

function truncateToHalf(value: number): number {
  const exponent = value < 2 ** -14 ? -14 : Math.floor(Math.log2(value));
  const step = 2 ** (exponent - 10);
  return Math.floor(value / step) * step;
}
