/**
 * The conflict graph as the search reads it: distances counted in units, a row of neighbours for each buffer. The
 * unit is the greatest that all offsets of some lowest answer are multiples of, so that no rounding is left to
 * the search and bounds are as sharp as alignment allows.
 */
import type { PackingProblem } from './problem.ts';

export interface PairGraph {
  readonly count: number;
  /** Bytes of one step of an offset. */
  readonly unit: number;
  /** Bytes, not units: heights need not be aligned. */
  readonly sizes: Float64Array;
  /** Offsets of buffer i are multiples of this many units. */
  readonly steps: Float64Array;
  /** All of `steps` are 1. */
  readonly even: boolean;
  /** Offset in units of a buffer that may not move, else -1. */
  readonly fixed: Float64Array;
  /** Pair p: second may lie above first from up[p] units on, first above second from down[p]. */
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly up: Float64Array;
  readonly down: Float64Array;
  /** Entries start[i] to start[i + 1] of `entries` are i's pairs: 2p where i is first, 2p + 1 where it is second. */
  readonly start: Int32Array;
  readonly entries: Int32Array;
}

/** The graph of some of a problem's buffers; `members` gives the problem's index of each. */
export function pairGraphOf(problem: PackingProblem, members: ArrayLike<number>): PairGraph {
  const { pairs, alignments, fixed: places } = problem;
  const count = members.length;
  const index = new Int32Array(problem.sizes.length).fill(-1);
  for (let k = 0; k < count; k++) index[members[k]] = k;
  const kept: number[] = [];
  if (pairs) {
    for (let p = 0; p < pairs.first.length; p++) {
      const inside = index[pairs.first[p]] >= 0 && index[pairs.second[p]] >= 0;
      // Distances that add up to nothing forbid nothing.
      if (inside && pairs.above[p] + pairs.below[p] > 0) kept.push(p);
    }
  }
  const sizes = Float64Array.from(members, (i) => problem.sizes[i]);
  const align = Float64Array.from(members, (i) => alignments?.[i] ?? 1);
  const fixed = Float64Array.from(members, (i) => places?.[i] ?? -1);
  const unit = unitOf(align, fixed, kept, pairs);
  const first = Int32Array.from(kept, (p) => index[pairs!.first[p]]);
  const second = Int32Array.from(kept, (p) => index[pairs!.second[p]]);
  const up = Float64Array.from(kept, (p) => Math.ceil(pairs!.above[p] / unit));
  const down = Float64Array.from(kept, (p) => Math.ceil(pairs!.below[p] / unit));
  const steps = align.map((a) => Math.max(1, a / unit));
  const start = new Int32Array(count + 1);
  for (let p = 0; p < first.length; p++) {
    start[first[p] + 1]++;
    start[second[p] + 1]++;
  }
  for (let i = 0; i < count; i++) start[i + 1] += start[i];
  const at = start.slice();
  const entries = new Int32Array(2 * first.length);
  for (let p = 0; p < first.length; p++) {
    entries[at[first[p]]++] = 2 * p;
    entries[at[second[p]]++] = 2 * p + 1;
  }
  return {
    count,
    unit,
    sizes,
    steps,
    even: steps.every((s) => s === 1),
    fixed: fixed.map((f) => (f < 0 ? -1 : f / unit)),
    first,
    second,
    up,
    down,
    start,
    entries,
  };
}

/**
 * Offsets of a lowest answer are sums of distances from 0 or from a fixed offset, so what divides all of these
 * divides the offsets, unless alignment pushes them further; a common alignment does in any case.
 */
function unitOf(
  align: Float64Array,
  fixed: Float64Array,
  kept: readonly number[],
  pairs: PackingProblem['pairs'],
): number {
  let unit = fixed.reduce((u, f) => (f < 0 ? u : divisor(u, f)), 0);
  for (const p of kept) unit = divisor(divisor(unit, Math.abs(pairs!.above[p])), Math.abs(pairs!.below[p]));
  return align.every((a) => unit % a === 0) ? Math.max(1, unit) : align.reduce(divisor, 0);
}

function divisor(a: number, b: number): number {
  let x = a;
  let y = b;
  while (y > 0) [x, y] = [y, x % y];
  return x;
}

/** Groups of buffers that conflict, directly or through others: each can be packed by itself. */
export function componentsOf(problem: PackingProblem): Int32Array[] {
  const n = problem.sizes.length;
  const parent = Int32Array.from({ length: n }, (_, i) => i);
  const root = (i: number): number => {
    let r = i;
    while (parent[r] !== r) {
      parent[r] = parent[parent[r]];
      r = parent[r];
    }
    return r;
  };
  const { pairs } = problem;
  if (pairs) {
    for (let p = 0; p < pairs.first.length; p++) {
      if (pairs.above[p] + pairs.below[p] > 0) parent[root(pairs.first[p])] = root(pairs.second[p]);
    }
  }
  const groups = new Map<number, number[]>();
  for (let i = 0; i < n; i++) {
    const group = groups.get(root(i));
    if (group) group.push(i);
    else groups.set(root(i), [i]);
  }
  return [...groups.values()].map((g) => Int32Array.from(g));
}
