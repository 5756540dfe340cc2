/**
 * Time cut into sections. Only the moments matter at which the set of live buffers cannot grow: every other set is
 * part of one of these. A buffer then covers a run of sections, and what conflicts shares one.
 */
import type { Lives } from './problem.ts';

export interface Sections {
  readonly count: number;
  /** Buffer i covers sections first[i] to last[i]; last < first where it is never live. */
  readonly first: Int32Array;
  readonly last: Int32Array;
}

export function sectionsOf({ from, to }: Lives, members: ArrayLike<number>): Sections {
  const n = members.length;
  const byFrom = sortedBy(n, (k) => from[members[k]]);
  const byTo = sortedBy(n, (k) => to[members[k]]);
  const first = new Int32Array(n);
  const last = new Int32Array(n).fill(-1);
  let count = 0;
  let next = 0;
  let grown = false;
  // A section ends when, after a birth, the next thing that happens is a death.
  for (const k of byTo) {
    const i = members[k];
    while (next < n && from[members[byFrom[next]]] < to[i]) {
      const born = byFrom[next++];
      first[born] = count;
      if (to[members[born]] > from[members[born]]) grown = true;
    }
    if (to[i] <= from[i]) {
      first[k] = 0;
      continue;
    }
    if (grown) {
      count++;
      grown = false;
    }
    last[k] = count - 1;
  }
  return { count, first, last };
}

/** 0 to n - 1 by a key, then by index. */
export function sortedBy(n: number, key: (k: number) => number): Int32Array {
  const keys = Float64Array.from({ length: n }, (_, k) => key(k));
  return Int32Array.from({ length: n }, (_, k) => k).sort((a, b) => keys[a] - keys[b] || a - b);
}
