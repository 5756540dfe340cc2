import { expect, test } from 'vitest';
import { normalise } from '../model/normalise/normalise.ts';
import { checkPlan } from '../plan/check.ts';
import { zooGraph } from '../zoo/zoo.ts';
import { fitGraph } from './fit.ts';

test('a search that is broken off gives the best of what it had found, and never less than layer by layer', () => {
  const graph = normalise(zooGraph('ds-cnn', { dtype: 'int8' }));
  const policy = { input: 'reuse', output: 'whole' } as const;
  const all = fitGraph(graph, { policy }).plan.arenaBytes;
  const layerwise = fitGraph(graph, { policy, method: 'layerwise' }).plan.arenaBytes;
  // The first part is layer by layer itself: broken off before that, there is nothing to hand out.
  expect(() => fitGraph(graph, { policy, part: () => undefined })).toThrow(/before even the layer-by-layer/);
  const reached = [1, 2, 3, 5, 1000].map((allowed) => {
    let left = allowed;
    const { plan } = fitGraph(graph, {
      policy,
      part: (run) => (left-- > 0 ? run() : undefined),
    });
    expect(checkPlan(graph, plan).ok).toBe(true);
    return plan.arenaBytes;
  });
  expect(reached[0]).toBe(layerwise);
  expect(Math.max(...reached)).toBe(layerwise);
  expect(reached[1]).toBeLessThan(layerwise);
  expect(reached[4]).toBe(all);
});
