/** Seeded numbers for weights and calibration pictures: the same on every machine and in every run. */
import { nextState } from '../seeded.ts';

/** A 32-bit seed from a text (FNV-1a, then mixed so that similar texts give unrelated seeds). */
export function seedOf(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  // No sequence starts at zero.
  return (h ^ (h >>> 16)) | 1;
}

/** `count` float32 values, uniform in [-bound, bound). */
export function uniformValues(seed: number, count: number, bound: number): Float32Array {
  const values = new Float32Array(count);
  const step = bound / 2 ** 31;
  let x = seed | 0;
  for (let i = 0; i < count; i++) {
    x = nextState(x);
    values[i] = x * step;
  }
  return values;
}
