/** The one entry of the solver. */
import type { PackingLimits, PackingProblem, PackingResult } from './problem.ts';
import { solvePairs } from './solve-pairs.ts';

/** Offsets for all buffers. The same problem and limits give the same result unless `shouldStop` ends it. */
export function solvePacking(problem: PackingProblem, limits: PackingLimits = {}): PackingResult {
  return solvePairs(problem, limits);
}
