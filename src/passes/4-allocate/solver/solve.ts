/** The one entry of the solver: it chooses the form of search that a problem allows. */
import type { PackingLimits, PackingProblem, PackingResult, PairList } from './problem.ts';
import { sortedBy } from './sections.ts';
import { solveLives } from './solve-lives.ts';
import { solvePairs } from './solve-pairs.ts';

/** Offsets for all buffers. The same problem and limits give the same result unless `shouldStop` ends it. */
export function solvePacking(problem: PackingProblem, limits: PackingLimits = {}): PackingResult {
  if (!problem.lives) return solvePairs(problem, limits);
  const { alignments, fixed, pairs } = problem;
  const aligned = alignments && Array.prototype.some.call(alignments, (a: number) => a > 1);
  const pinned = fixed && Array.prototype.some.call(fixed, (f: number) => f >= 0);
  if (!aligned && !pinned && !pairs) return solveLives(problem, limits);
  return solvePairs({ ...problem, pairs: withLives(problem) }, limits);
}

/** Pairs that are live together must not overlap; listed ones keep what their own distances say. */
function withLives({ sizes, lives, pairs }: PackingProblem): PairList {
  const { from, to } = lives!;
  const n = sizes.length;
  const result = {
    first: [] as number[],
    second: [] as number[],
    above: [] as number[],
    below: [] as number[],
  };
  const listed = new Set<number>();
  for (let p = 0; pairs && p < pairs.first.length; p++) {
    const a = pairs.first[p];
    const b = pairs.second[p];
    listed.add(Math.min(a, b) * n + Math.max(a, b));
    result.first.push(a);
    result.second.push(b);
    result.above.push(pairs.above[p]);
    result.below.push(pairs.below[p]);
  }
  let live: number[] = [];
  for (const i of sortedBy(n, (k) => from[k])) {
    if (to[i] <= from[i]) continue;
    live = live.filter((j) => to[j] > from[i]);
    for (const j of live) {
      if (listed.has(Math.min(i, j) * n + Math.max(i, j))) continue;
      result.first.push(i);
      result.second.push(j);
      result.above.push(sizes[i]);
      result.below.push(sizes[j]);
    }
    live.push(i);
  }
  return result;
}
