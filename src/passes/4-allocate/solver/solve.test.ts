/** The solver against brute force over all orders on small random problems. */
import { describe, expect, it } from 'vitest';
import { faultOf, type PackingProblem } from './problem.ts';
import { solvePacking } from './solve.ts';
import { leastHeight, randomProblem } from './testing/small-problems.ts';

const KINDS = ['plain', 'asymmetric', 'aligned', 'fixed'] as const;
const EACH = 500;

describe.each(KINDS)('%s', (kind) => {
  it(`${EACH} small problems: valid, and the optimum is found and proven`, () => {
    for (let seed = 1; seed <= EACH; seed++) {
      const problem = randomProblem(kind, seed);
      const result = solvePacking(problem, { nodes: 20_000, tries: 20 });
      const least = leastHeight(problem);
      const where = `seed ${seed}`;
      if (least === undefined) {
        expect(result.answer, where).toBeUndefined();
        expect(result.infeasible, where).toBe(true);
        continue;
      }
      expect(faultOf(problem, result.answer!), where).toBeUndefined();
      expect(result.answer!.height, where).toBe(least);
      expect(result.optimal, where).toBe(true);
      expect(result.lowerBound, where).toBe(least);
    }
  });

  it('few nodes: still valid, and the bound still holds', () => {
    for (let seed = 1; seed <= EACH; seed++) {
      const problem = randomProblem(kind, seed);
      const least = leastHeight(problem);
      const { answer, lowerBound, optimal } = solvePacking(problem, { nodes: 2, tries: 0 });
      const where = `seed ${seed}`;
      if (least !== undefined) expect(lowerBound, where).toBeLessThanOrEqual(least);
      if (!answer) continue;
      expect(faultOf(problem, answer), where).toBeUndefined();
      if (optimal) expect(answer.height, where).toBe(least);
    }
  });
});

describe('larger plain problems', () => {
  it('the search of lifetimes and the search of pairs prove the same optimum', () => {
    let proven = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const problem = randomProblem('plain', seed, 10);
      const plain = solvePacking(problem, { nodes: 40_000 });
      // A listed pair that says nothing new makes it a problem of pairs.
      const pairs = { first: [], second: [], above: [], below: [] };
      const other = solvePacking({ ...problem, pairs }, { nodes: 40_000 });
      expect(faultOf(problem, plain.answer!)).toBeUndefined();
      expect(plain.optimal, `seed ${seed}`).toBe(true);
      expect(plain.answer!.height, `seed ${seed}`).toBeLessThanOrEqual(other.answer!.height);
      expect(plain.answer!.height, `seed ${seed}`).toBeGreaterThanOrEqual(other.lowerBound);
      if (other.optimal) proven++;
    }
    expect(proven).toBeGreaterThan(50);
  });

  it('is the same every time, better step by step, and stops when told', () => {
    const problem = randomProblem('plain', 7, 60);
    const heights: number[] = [];
    const once = solvePacking(problem, { nodes: 5000, onBetter: (a) => heights.push(a.height) });
    const again = solvePacking(problem, { nodes: 5000 });
    expect(again.answer!.offsets).toEqual(once.answer!.offsets);
    expect(heights).toEqual([...heights].sort((a, b) => b - a));
    const stopped = solvePacking(problem, { nodes: 1e9, shouldStop: () => true });
    expect(faultOf(problem, stopped.answer!)).toBeUndefined();
  });

  it('nothing at all, and what is never live', () => {
    expect(solvePacking({ sizes: [], lives: { from: [], to: [] } }).answer!.height).toBe(0);
    const problem: PackingProblem = { sizes: [4, 6], lives: { from: [0, 3], to: [0, 3] } };
    expect(solvePacking(problem).answer!.height).toBe(6);
  });
});
