/**
 * Numbers that depend on a seed alone, the same on every machine: Marsaglia's xorshift32 (Xorshift RNGs, 2003; shifts 13, 17
 * and 5). It passes through every 32-bit number but 0 before it repeats. Plans, weights and made-up inputs depend on these
 * sequences, so they never change.
 */

/** The state after `state`, from -2^31 to 2^31 - 1. Zero stays zero. */
export function nextState(state: number): number {
  let x = state ^ (state << 13);
  x ^= x >>> 17;
  return x ^ (x << 5);
}

/** Whole numbers from 1 to 2^32 - 1. A start of zero counts as one. */
export function wholeNumbers(start: number): () => number {
  let x = start | 0 || 1;
  return () => (x = nextState(x)) >>> 0;
}

/** Numbers from 0 to below 1. A start of zero counts as one. */
export function uniformNumbers(start: number): () => number {
  const next = wholeNumbers(start);
  return () => next() / 2 ** 32;
}
