/** Mean and standard deviation of a run of numbers, in float32: what the normalisation layers share. */
import { sqrt32 } from '../arithmetic/float32.ts';

/** Subtract `mean`, then multiply by `inverse`. */
export interface Moments {
  readonly mean: number;
  /** 1 / sqrt(variance + epsilon). */
  readonly inverse: number;
}

/** Two passes in ascending order: the mean, then the mean square of the differences. */
export function moments(read: (i: number) => number, count: number, epsilon: number): Moments {
  let sum = 0;
  for (let i = 0; i < count; i++) sum = Math.fround(sum + read(i));
  const mean = Math.fround(sum / count);
  let squares = 0;
  for (let i = 0; i < count; i++) {
    const d = Math.fround(read(i) - mean);
    squares = Math.fround(squares + Math.fround(d * d));
  }
  const variance = Math.fround(squares / count);
  return { mean, inverse: Math.fround(1 / sqrt32(Math.fround(variance + Math.fround(epsilon)))) };
}
