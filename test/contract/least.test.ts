/** Fit tries what the single techniques do: on no network of the small zoo does it take more than one of them. */
import { describe, expect, test } from 'vitest';
import { csdfPlanOf, smallestCsdfPlan } from '../../src/fit/csdf.ts';
import { fitGraph } from '../../src/fit/fit.ts';
import { overlapGraph } from '../../src/fit/overlapped.ts';
import type { Policy } from '../../src/plan/plan.ts';
import { networkNames, networkOf } from './networks.ts';

const all = process.env.CONTRACT === 'all';
const SLOW = ['densenet121', 'inceptionv3', 'googlenet', 'resnet101', 'resnet152'];
const POLICY: Policy = { input: 'reuse', output: 'whole' };

describe.each(networkNames)('%s', (name) => {
  const why = !all && SLOW.includes(name) ? ' (skipped: seconds each; CONTRACT=all runs it)' : '';
  test.skipIf(why)(`fit takes no more than any technique${why}`, () => {
    const { graph } = networkOf(name, 'f32');
    const { arenaBytes } = fitGraph(graph, { policy: POLICY }).plan;
    const others = {
      layerwise: fitGraph(graph, { policy: POLICY, method: 'layerwise' }).plan,
      overlap: overlapGraph(graph, { policy: POLICY, granularity: 'pixel' }).plan,
      csdf: csdfPlanOf(graph, POLICY, 'shared').plan,
      ...(all ? { 'csdf-reuse': smallestCsdfPlan(graph, POLICY).plan } : {}),
    };
    for (const [technique, plan] of Object.entries(others))
      expect(arenaBytes, technique).toBeLessThanOrEqual(plan.arenaBytes);
  });
});
