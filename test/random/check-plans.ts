/** Registers a test for a stretch of seeds, in pieces so that a failure is near and progress is seen. */
import { describe, expect, it } from 'vitest';
import { fitPlans, rawPlans, subjectOf, type Touched, verifyPlan } from './random-plans.ts';

/** Seeds a test. */
const PIECE = 50;

/** Seeds [from, to): every plan is proven, runs, and gives the layer-by-layer result bit for bit. */
export function checkSeeds(from: number, to: number): void {
  describe(`random graphs ${from} to ${to - 1}`, () => {
    for (let first = from; first < to; first += PIECE) {
      const last = Math.min(to, first + PIECE) - 1;
      it(`seeds ${first} to ${last}: every plan is proven and right`, () => {
        const totals: Touched = { arenaBytes: 0, touchedBytes: 0, plans: 0 };
        for (let seed = first; seed <= last; seed++) {
          const subject = subjectOf(seed);
          for (const plan of [...fitPlans(subject), ...rawPlans(subject)]) verifyPlan(subject, plan, totals);
        }
        expect(totals.plans).toBeGreaterThanOrEqual(7 * (last - first + 1));
        expect(totals.touchedBytes).toBeLessThanOrEqual(totals.arenaBytes);
      });
    }
  });
}
