/**
 * Writes bench/results/random.md: 5,000 random graphs through every mode of the planner. Each plan is proven by the
 * checker, survives JSON, runs twice on differently painted memory, and gives the layer-by-layer result bit for bit; no plan
 * of fit is above layer by layer. Stops at the first plan for which one of these does not hold.
 */
import { expect, test } from 'vitest';
import { fitPlans, rawPlans, subjectOf, type Touched, verifyPlan } from '../../test/random/random-plans.ts';
import { writeResult, writtenBy } from '../report.ts';

const GRAPHS = 5000;

test(`${GRAPHS} random graphs`, () => {
  const totals: Touched = { arenaBytes: 0, touchedBytes: 0, plans: 0 };
  const byName = new Map<string, number>();
  for (let seed = 0; seed < GRAPHS; seed++) {
    const subject = subjectOf(seed);
    for (const plan of [...fitPlans(subject), ...rawPlans(subject)]) {
      verifyPlan(subject, plan, totals);
      byName.set(plan.name, (byName.get(plan.name) ?? 0) + 1);
    }
  }
  expect(totals.touchedBytes).toBeLessThanOrEqual(totals.arenaBytes);
  const touched = ((100 * totals.touchedBytes) / totals.arenaBytes).toFixed(2);
  const lines = [
    '# Random graphs through every mode',
    '',
    `${writtenBy('bench:random')} ${GRAPHS} graphs, ${totals.plans} plans: all proven, all executed twice, all equal to layer by layer bit for bit.`,
    `Of ${totals.arenaBytes} bytes of arenas ${touched} % were written in the runs. No plan of \`fit\` is above layer by layer.`,
    '',
    '| plans | number |',
    '| --- | --- |',
    ...[...byName].map(([name, count]) => `| ${name} | ${count} |`),
  ];
  writeResult('random.md', lines);
});
