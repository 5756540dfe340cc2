/**
 * Disjunctive packing: an offset for every buffer so that conflicting ones keep their distance. Each pair has a
 * least distance for either order, so plain non-overlap, overlap as far as live bytes allow, and writing in
 * place are one problem (docs/allocation.md). Everything is in bytes; nothing here knows of networks.
 */

/** Pairs that must keep a distance, as parallel arrays. A pair is listed once. */
export interface PairList {
  readonly first: ArrayLike<number>;
  readonly second: ArrayLike<number>;
  /** `second` may lie above `first` from this distance on: offset(second) - offset(first) >= above. */
  readonly above: ArrayLike<number>;
  /** `first` may lie above `second` from this distance on. */
  readonly below: ArrayLike<number>;
}

/** Buffer i is live during [from[i], to[i]); two that are live at once may not overlap. */
export interface Lives {
  readonly from: ArrayLike<number>;
  readonly to: ArrayLike<number>;
}

export interface PackingProblem {
  readonly sizes: ArrayLike<number>;
  /** Either pairs or lives. Pairs of a plain problem follow from its lives and are never listed. */
  readonly pairs?: PairList;
  readonly lives?: Lives;
  /** Offset i is a multiple of alignments[i]; 1 where left out. */
  readonly alignments?: ArrayLike<number>;
  /** Offset of a buffer that may not move, -1 for the others. */
  readonly fixed?: ArrayLike<number>;
  /** What the caller knows no packing can be below: the greatest load of live bytes, say. */
  readonly lowerBound?: number;
}

/** A valid answer. */
export interface PackingAnswer {
  readonly offsets: Float64Array;
  /** End of the highest buffer. */
  readonly height: number;
}

export interface PackingLimits {
  /** Nodes of the exact search; 0 leaves it out. The same number gives the same answer on any machine. */
  readonly nodes?: number;
  /** Orders that the local search tries before that. */
  readonly tries?: number;
  /** Orders of all buffers that first fit tries first, beside its own. */
  readonly orders?: readonly ArrayLike<number>[];
  /** A height that is good enough to stop at. */
  readonly target?: number;
  /** Asked now and then; true ends the search with what there is. */
  readonly shouldStop?: () => boolean;
  /** Called with each better answer. */
  readonly onBetter?: (answer: PackingAnswer) => void;
  /** Called when the lower bound rises. */
  readonly onBound?: (lowerBound: number) => void;
}

export interface PackingResult {
  /** Undefined where fixed offsets leave no answer, or none was found. */
  readonly answer?: PackingAnswer;
  readonly lowerBound: number;
  /** The answer is proven to be the lowest. */
  readonly optimal: boolean;
  /** There is provably no answer at all. */
  readonly infeasible: boolean;
  /** Nodes that the exact search took. */
  readonly nodes: number;
}

/** What is wrong with an answer, or undefined. Shares nothing with the search. */
export function faultOf(problem: PackingProblem, { offsets, height }: PackingAnswer): string | undefined {
  const { sizes, pairs, lives, alignments, fixed } = problem;
  let highest = 0;
  for (let i = 0; i < sizes.length; i++) {
    const at = offsets[i];
    if (!(at >= 0)) return `buffer ${i} has offset ${at}`;
    if (alignments && at % alignments[i] !== 0)
      return `buffer ${i} at ${at} is not aligned to ${alignments[i]}`;
    if (fixed && fixed[i] >= 0 && at !== fixed[i]) return `buffer ${i} at ${at} must be at ${fixed[i]}`;
    highest = Math.max(highest, at + sizes[i]);
  }
  if (highest !== height) return `the height is ${highest}, not ${height}`;
  if (pairs) {
    for (let p = 0; p < pairs.first.length; p++) {
      const a = pairs.first[p];
      const b = pairs.second[p];
      const apart = offsets[b] - offsets[a];
      if (apart < pairs.above[p] && -apart < pairs.below[p]) return `buffers ${a} and ${b} are too close`;
    }
  }
  return lives ? overlapOf(sizes, lives, offsets) : undefined;
}

/** Two buffers that overlap in time and in memory, found by a sweep over time. */
function overlapOf(sizes: ArrayLike<number>, { from, to }: Lives, offsets: Float64Array): string | undefined {
  const order = Array.from({ length: sizes.length }, (_, i) => i)
    .filter((i) => to[i] > from[i] && sizes[i] > 0)
    .sort((a, b) => from[a] - from[b]);
  let live: number[] = [];
  for (const i of order) {
    live = live.filter((j) => to[j] > from[i]);
    for (const j of live) {
      const close = offsets[i] < offsets[j] + sizes[j] && offsets[j] < offsets[i] + sizes[i];
      if (close) return `buffers ${i} and ${j} overlap`;
    }
    live.push(i);
  }
  return undefined;
}
