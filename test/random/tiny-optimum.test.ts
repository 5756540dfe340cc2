import { expect, test } from 'vitest';
import { compare, POLICIES, tinyGraph } from '../../bench/tiny/compare.ts';

/** `npm run bench:tiny` measures 300 seeds and lists every gap. */
const SEEDS = 60;
const FLOOR = 0.97;

test('tiny graphs: fit needs no more than the best order of rows, by brute force', () => {
  const gaps: string[] = [];
  let optimal = 0;
  let plans = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    const graph = tinyGraph(seed, true);
    for (const policy of POLICIES) {
      const c = compare(graph, seed, policy, { liveStates: 60_000, packedStates: 0 });
      plans++;
      if (c.outcome === 'equal' || c.outcome === 'below') optimal++;
      else gaps.push(`seed ${seed}, ${policy.input}: ${c.arenaBytes}, least ${c.leastBytes ?? 'unknown'}`);
    }
  }
  expect(plans).toBe(2 * SEEDS);
  expect(optimal / plans, gaps.join('; ')).toBeGreaterThanOrEqual(FLOOR);
});
