/** How far two sets of outputs are apart, in their own unit, relative to the range, and in steps of integers. */
import { TidemarkError } from '../errors.ts';
import type { FileArray } from './input/file-array.ts';

export interface Difference {
  readonly maxAbsError: number;
  /** Largest error over the range (largest minus smallest value) of its expected output. */
  readonly maxRelError: number;
  /** Every element equal; NaN equals NaN. */
  readonly exact: boolean;
  readonly elements: number;
  readonly differing: number;
}

/** One output against what it should be. */
export function compareArrays(name: string, actual: FileArray, expected: FileArray): Difference {
  const count = expected.values.length;
  if (actual.values.length !== count) {
    throw new TidemarkError(
      'shape-mismatch',
      `output ${name} has shape [${actual.shape}], the reference gives [${expected.shape}]`,
    );
  }
  let maxAbsError = 0;
  let differing = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const a = actual.values[i];
    const e = expected.values[i];
    if (Number.isFinite(e)) {
      low = Math.min(low, e);
      high = Math.max(high, e);
    }
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) continue;
    differing++;
    // A number where none should be, or none where one should be, is as wrong as can be.
    const error = Math.abs(a - e);
    maxAbsError = Math.max(maxAbsError, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  }
  // A constant output has no range: then its size is the measure.
  const range = high > low ? high - low : Math.max(Math.abs(high), 1e-30);
  const maxRelError = maxAbsError === 0 ? 0 : maxAbsError / range;
  return { maxAbsError, maxRelError, exact: differing === 0, elements: count, differing };
}

/** The worst of several outputs. */
export function worstOf(differences: readonly Difference[]): Difference {
  return {
    maxAbsError: Math.max(0, ...differences.map((d) => d.maxAbsError)),
    maxRelError: Math.max(0, ...differences.map((d) => d.maxRelError)),
    exact: differences.every((d) => d.exact),
    elements: differences.reduce((n, d) => n + d.elements, 0),
    differing: differences.reduce((n, d) => n + d.differing, 0),
  };
}
