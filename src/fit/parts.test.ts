import { expect, test } from 'vitest';
import { normalise } from '../model/normalise/normalise.ts';
import { checkPlan } from '../plan/check.ts';
import { zooGraph } from '../zoo/zoo.ts';
import { fitGraph } from './fit.ts';
import { frontierOf } from './frontier.ts';

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

test('a frontier that is broken off has the points found by then, all of them proven', () => {
  const graph = normalise(zooGraph('ds-cnn', { dtype: 'int8' }));
  const policy = { input: 'external', output: 'streamed' } as const;
  const maxOverhead = 0.05;
  expect(() => frontierOf(graph, { policy, part: () => undefined })).toThrow(
    /before even the layer-by-layer/,
  );
  const all = frontierOf(graph, { policy, maxOverhead }).map((p) => p.arenaBytes);
  const told: number[] = [];
  const reached = [1, 2, 12, 20, 100_000].map((allowed) => {
    let left = allowed;
    const points = frontierOf(graph, {
      policy,
      maxOverhead,
      part: (run) => (left-- > 0 ? run() : undefined),
      onPoint: (found) => told.push(found.length),
    });
    for (const { plan } of points) expect(checkPlan(graph, plan).ok).toBe(true);
    return points.map((p) => p.arenaBytes);
  });
  expect(reached[0]).toHaveLength(1);
  expect(reached[4]).toEqual(all);
  const last = reached.map((points) => points[points.length - 1]);
  expect([...last].sort((a, b) => b - a)).toEqual(last);
  expect(Math.min(...told)).toBe(1);
});
