/**
 * About the least that a run of steps can need, whichever way it is cut into spans: line buffers cannot be smaller than
 * what a window reads, and what lies whole where two spans meet is there at the end of one and the beginning of the
 * other. While lines fill, the front of a span's input is freed, so only half of what lies whole is counted beside them.
 */
export interface PartTensor {
  /** Step that makes it; -1: it is there from the start. */
  readonly made: number;
  /** Its last reader; the number of steps: it stays. */
  readonly last: number;
  readonly bytes: number;
  /** Bytes that its line buffer cannot do without. */
  readonly window: number;
}

const WHOLE_BESIDE_LINES = 0.5;

/** The least, over all ways to cut, of the worst span; or of all as one span. */
export function streamingFloor(tensors: readonly PartTensor[], steps: number, cuts: 'any' | 'none'): number {
  const whole = new Float64Array(steps + 1);
  for (const t of tensors) for (let c = t.made + 1; c <= t.last; c++) whole[c] += t.bytes;
  const best = new Float64Array(steps + 1).fill(Number.POSITIVE_INFINITY);
  best[0] = whole[0];
  for (let q = cuts === 'any' ? 1 : steps; q <= steps; q++) {
    // Tensors that lie inside the span [p, q), as p goes down.
    let lines = 0;
    for (let p = q - 1; p >= 0; p--) {
      for (const t of tensors) if (t.made === p && t.last < q) lines += t.window;
      const ends = Math.max(whole[p], whole[q]);
      const floor = Math.max(ends, lines + WHOLE_BESIDE_LINES * ends);
      if (cuts === 'any' && lines >= best[q]) break;
      if (cuts === 'any' || p === 0) best[q] = Math.min(best[q], Math.max(best[p], floor));
    }
  }
  return best[steps];
}
