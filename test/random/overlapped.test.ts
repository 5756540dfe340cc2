/** Random graphs layer by layer with outputs over dead input: every plan is proven, runs, and gives the same result. */
import { describe, expect, it } from 'vitest';
import { overlapGraph } from '../../src/fit/overlapped.ts';
import { subjectOf, type Touched, verifyPlan } from './random-plans.ts';

const SEEDS = 60;
const PIECE = 20;

describe('overlapped plans of random graphs', () => {
  for (let first = 0; first < SEEDS; first += PIECE) {
    it(`seeds ${first} to ${first + PIECE - 1}: every plan is proven and right`, () => {
      const totals: Touched = { arenaBytes: 0, touchedBytes: 0, plans: 0 };
      for (let seed = first; seed < first + PIECE; seed++) {
        const subject = subjectOf(20_000 + seed);
        for (const granularity of ['pixel', 'row', 'element'] as const) {
          const { plan, lowerBoundBytes, floorBytes, overlapBytes } = overlapGraph(subject.graph, {
            policy: subject.policy,
            granularity,
          });
          verifyPlan(subject, { name: `overlap by ${granularity}`, plan }, totals);
          const most = Math.max(lowerBoundBytes, floorBytes, overlapBytes);
          if (most > plan.arenaBytes)
            expect.fail(
              `seed ${seed}: ${lowerBoundBytes}, ${floorBytes} or ${overlapBytes} above ${plan.arenaBytes}`,
            );
        }
      }
      expect(totals.plans).toBe(3 * PIECE);
    });
  }
});
