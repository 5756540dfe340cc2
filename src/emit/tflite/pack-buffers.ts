/**
 * Addresses for buffers that are whole from their first use to their last: the exact solver's problem in its plainest
 * form, and one with a second set of buffers that may rise above a ceiling which the first set keeps to.
 */
import { solvePacking } from '../../passes/4-allocate/solver/solve.ts';
import { ARENA_ALIGNMENT, type ArenaBuffer } from './arena.ts';

/** Orders and nodes of the search: some milliseconds where the bound is met, a second where it cannot be. */
const LIMITS = { tries: 1_000, nodes: 4_000 };

export interface Packed {
  readonly offsets: readonly number[];
  readonly heightBytes: number;
  /** No addresses can take less. */
  readonly lowerBoundBytes: number;
}

/** The output may lie below the input, over it, from a distance on that is less than its size. Indices of buffers. */
export interface Overlap {
  readonly output: number;
  readonly input: number;
  readonly distance: number;
}

/** Lowest addresses that were found. */
export function packBuffers(
  buffers: readonly ArenaBuffer[],
  lowerBound: number,
  overlaps: readonly Overlap[] = [],
): Packed {
  const pairs = new Pairs();
  const excepted = new Set(overlaps.flatMap(({ output: o, input: i }) => [`${o} ${i}`, `${i} ${o}`]));
  forMeeting(buffers, (i, j) => {
    if (!excepted.has(`${i} ${j}`)) pairs.apart(buffers, i, j);
  });
  for (const { output, input, distance } of overlaps)
    pairs.add(output, input, distance, buffers[input].bytes);
  const found = solvePacking(
    { sizes: buffers.map((b) => b.bytes), alignments: buffers.map(() => ARENA_ALIGNMENT), pairs, lowerBound },
    LIMITS,
  );
  // Nothing is fixed, so that there always is an answer.
  const { offsets, height } = found.answer!;
  return { offsets: Array.from(offsets), heightBytes: height, lowerBoundBytes: found.lowerBound };
}

/**
 * The same with others that keep apart from the first `shared` buffers only, and are alone in being allowed above
 * the ceiling. Offsets are those of `buffers`; undefined where nothing was found.
 */
export function packUnderCeiling(
  buffers: readonly ArenaBuffer[],
  shared: number,
  others: readonly ArenaBuffer[],
  ceiling: number,
): readonly number[] | undefined {
  const all = [...buffers, ...others, { bytes: 0, first: 0, last: 0 }];
  const lid = all.length - 1;
  const pairs = new Pairs();
  forMeeting(all.slice(0, lid), (i, j) => {
    const [low, high] = [Math.min(i, j), Math.max(i, j)];
    if (low < shared || high < buffers.length || low >= buffers.length) pairs.apart(all, i, j);
  });
  for (let i = 0; i < buffers.length; i++) pairs.add(i, lid, all[i].bytes, NEVER);
  const found = solvePacking(
    {
      sizes: all.map((b) => b.bytes),
      alignments: all.map(() => ARENA_ALIGNMENT),
      fixed: all.map((_, i) => (i === lid ? ceiling : -1)),
      pairs,
    },
    LIMITS,
  );
  return found.answer && Array.from(found.answer.offsets).slice(0, buffers.length);
}

/** A distance that no arena has. */
const NEVER = 2 ** 40;

/** All pairs that are in use at one time. */
function forMeeting(buffers: readonly ArenaBuffer[], visit: (i: number, j: number) => void): void {
  const order = buffers.map((_, i) => i).sort((a, b) => buffers[a].first - buffers[b].first);
  let live: number[] = [];
  for (const i of order) {
    live = live.filter((j) => buffers[j].last >= buffers[i].first);
    for (const j of live) visit(j, i);
    live.push(i);
  }
}

class Pairs {
  readonly first: number[] = [];
  readonly second: number[] = [];
  readonly above: number[] = [];
  readonly below: number[] = [];

  add(first: number, second: number, above: number, below: number): void {
    this.first.push(first);
    this.second.push(second);
    this.above.push(above);
    this.below.push(below);
  }

  apart(buffers: readonly ArenaBuffer[], i: number, j: number): void {
    this.add(i, j, buffers[i].bytes, buffers[j].bytes);
  }
}
