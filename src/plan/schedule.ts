/** Loop-compressed firing sequences: `(A^2 B)^55` instead of a hundred and sixty-five entries. */
import { limits } from '../limits.ts';
import type { ScheduleNode } from './plan.ts';

/** The firings one after another, as actor indices. */
export function expandSchedule(schedule: readonly ScheduleNode[], limit = limits.firings): Int32Array {
  let total = 0;
  const count = (nodes: readonly ScheduleNode[], times: number): void => {
    for (const node of nodes) {
      if (typeof node === 'number') {
        if (!(node >= 0 && node < 2 ** 31)) throw new RangeError(`the schedule has an entry of ${node}`);
        total += times;
      } else count(node.slice(1) as ScheduleNode[], times * node[0]);
      if (total > limit) throw new RangeError(`the schedule has more than ${limit} firings`);
    }
  };
  count(schedule, 1);
  const out = new Int32Array(total);
  let at = 0;
  const write = (nodes: readonly ScheduleNode[]): void => {
    for (const node of nodes) {
      if (typeof node === 'number') {
        out[at++] = node;
        continue;
      }
      const body = node.slice(1) as ScheduleNode[];
      const start = at;
      write(body);
      const length = at - start;
      if (length === 0) continue;
      for (let i = 1; i < node[0]; i++, at += length) out.copyWithin(at, start, start + length);
    }
  };
  write(schedule);
  return out;
}

/** Longest loop body that is looked for at one level, in entries of the level below. */
const LONGEST_BODY = 256;

/** Times that all body lengths are gone through; what a fold makes equal is found in the next sweep. */
const MOST_SWEEPS = 6;

/**
 * Folds repeats bottom up: at each level the shortest body that repeats is folded wherever it does, until
 * nothing repeats. Greedy, not minimal; exact in that expanding gives the sequence back.
 */
export function compressSchedule(firings: ArrayLike<number>): ScheduleNode[] {
  // Equal subtrees share a symbol, so that comparing bodies is comparing numbers.
  const nodes: ScheduleNode[] = [];
  const symbols = new Map<string, number>();
  const intern = (node: ScheduleNode, key: string): number => {
    let id = symbols.get(key);
    if (id === undefined) {
      id = nodes.length;
      nodes.push(node);
      symbols.set(key, id);
    }
    return id;
  };
  let level: Int32Array = Int32Array.from(firings as ArrayLike<number>, (a) => intern(a, `a${a}`));
  const loop = (times: number, body: readonly number[]): number => {
    const inner = body.map((s) => nodes[s]);
    // A loop around a single loop is one loop.
    if (inner.length === 1 && typeof inner[0] !== 'number') {
      const [n, ...rest] = inner[0];
      return intern([n * times, ...rest], `r${n * times}:${body.join(',')}'`);
    }
    return intern([times, ...inner], `r${times}:${body.join(',')}`);
  };
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    const before = level.length;
    for (let length = 1; length <= Math.min(LONGEST_BODY, level.length >> 1); length++) {
      level = foldRepeats(level, length, loop);
    }
    if (level.length === before) break;
  }
  return Array.from(level, (s) => nodes[s]);
}

/** Every body of so many entries that repeats becomes a loop; the level itself where none does. */
function foldRepeats(
  level: Int32Array,
  length: number,
  fold: (times: number, body: readonly number[]) => number,
): Int32Array {
  let out: Int32Array | undefined;
  let size = 0;
  let i = 0;
  while (i < level.length) {
    let same = 0;
    // Count how far the sequence equals itself shifted by `length`.
    while (i + same + length < level.length && level[i + same] === level[i + same + length]) same++;
    const times = Math.floor(same / length) + 1;
    // A body of several is worth a loop from two on, a single one too.
    if (times >= 2) {
      if (!out) {
        out = level.slice();
        size = i;
      }
      out[size++] = fold(times, Array.from(level.subarray(i, i + length)));
      i += times * length;
    } else {
      if (out) out[size++] = level[i];
      i++;
    }
  }
  return out ? out.slice(0, size) : level;
}

/** Entries of a compressed schedule: actors and loop heads. What storing it takes, times an entry's bytes. */
export function scheduleEntries(schedule: readonly ScheduleNode[]): number {
  let n = 0;
  for (const node of schedule)
    n += typeof node === 'number' ? 1 : 1 + scheduleEntries(node.slice(1) as ScheduleNode[]);
  return n;
}

/**
 * Bytes of a compressed schedule as numbers of seven bits a byte: an actor is twice its index; a loop is twice its count
 * and one, then the entries of its body.
 */
export function scheduleBytes(schedule: readonly ScheduleNode[]): number {
  let n = 0;
  for (const node of schedule) {
    if (typeof node === 'number') n += varintBytes(2 * node);
    else {
      const [times, ...body] = node as readonly [number, ...ScheduleNode[]];
      n += varintBytes(2 * times + 1) + varintBytes(body.length) + scheduleBytes(body);
    }
  }
  return n;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
