import { expect, test } from 'vitest';
import { fitGraph } from '../fit/fit.ts';
import { overlapGraph } from '../fit/overlapped.ts';
import { normalise } from '../model/normalise/normalise.ts';
import { zooGraph } from '../zoo/zoo.ts';
import { timelineOf } from './timeline.ts';

const POLICY = { input: 'reuse', output: 'whole' } as const;

test.each([
  ['dncnn-17', 12],
  ['ds-cnn', undefined],
  ['resnet8', undefined],
] as const)('%s: what is live fits the arena, also where outputs chase inputs either way', (name, size) => {
  const graph = normalise(
    zooGraph(name, { dtype: 'int8', ...(size ? { size: [size, size] as const } : {}) }),
  );
  const whole = fitGraph(graph, { policy: POLICY, method: 'layerwise' }).plan;
  expect(timelineOf(graph, whole).peakBytes).toBe(whole.arenaBytes);
  for (const granularity of ['pixel', 'row'] as const) {
    const { plan } = overlapGraph(graph, { policy: POLICY, granularity });
    expect(plan.actors.some((a) => a.staged !== undefined)).toBe(true);
    const { peakBytes, lives } = timelineOf(graph, plan);
    expect(peakBytes).toBeLessThanOrEqual(plan.arenaBytes);
    // Some bytes between the two maps belong to neither.
    expect(peakBytes).toBeGreaterThan(0.9 * plan.arenaBytes);
    expect(lives.some((l) => l.name.endsWith('/staged'))).toBe(true);
  }
});
