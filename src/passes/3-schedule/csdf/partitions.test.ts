import { describe, expect, it, test } from 'vitest';
import { randomGraph } from '../../../../test/random/random-graph.ts';
import { normalise } from '../../../model/normalise/normalise.ts';
import { zooGraph } from '../../../zoo/zoo.ts';
import { csdfOf } from './from-graph.ts';
import { partitionActors, pipelineOf, runPipeline } from './partitions.ts';
import { sizesOf } from './sizes.ts';

const PREFER = { preference: 'downstream' } as const;

describe('resnet8 in three stages', () => {
  const graph = csdfOf(normalise(zooGraph('resnet8', { dtype: 'int8' })), { padding: 'exact' });
  const stageOf = partitionActors(graph, 3);
  const pipeline = pipelineOf(graph, stageOf, PREFER);

  it('cuts where the slowest stage is fastest', () => {
    const n = graph.actors.length;
    let least = Number.POSITIVE_INFINITY;
    const sum = (from: number, to: number) => graph.actors.slice(from, to).reduce((m, a) => m + a.macs, 0);
    for (let i = 1; i < n; i++)
      for (let j = i + 1; j < n; j++) least = Math.min(least, Math.max(sum(0, i), sum(i, j), sum(j, n)));
    expect(pipeline.periodMacs).toBe(least);
    expect(pipeline.stages.reduce((m, s) => m + s.macs, 0)).toBe(pipeline.macs);
  });

  it('keeps what crosses a cut whole, twice', () => {
    expect(pipeline.crossings.length).toBeGreaterThan(0);
    for (const c of pipeline.crossings) {
      const e = graph.edges.find(
        (x) => graph.actors[x.from].name === c.from && graph.actors[x.to].name === c.to,
      )!;
      expect(c.bytes).toBe(c.copies * e.wholeTokens);
      expect(c.copies).toBeGreaterThanOrEqual(2);
    }
  });
});

test('one stage is no pipeline', () => {
  const graph = csdfOf(normalise(zooGraph('ds-cnn', { dtype: 'int8' })), { padding: 'exact' });
  const pipeline = pipelineOf(graph, partitionActors(graph, 1), PREFER);
  const sizes = sizesOf(graph, PREFER);
  expect(pipeline.crossings).toEqual([]);
  expect([pipeline.bufferBytes, pipeline.reuseBytes]).toEqual([sizes.bufferBytes, sizes.reuseBytes]);
});

test('pipelines run in the copies they are given, a picture each time the slowest stage is done', () => {
  for (let seed = 0; seed < 60; seed++) {
    const graph = csdfOf(normalise(randomGraph(seed)), { padding: 'exact' });
    for (const stages of [2, 3, 4]) {
      if (graph.actors.filter((a) => a.kind !== 'input' && a.kind !== 'output').length < stages) continue;
      const stageOf = partitionActors(graph, stages);
      const pipeline = pipelineOf(graph, stageOf, PREFER);
      const run = runPipeline(graph, stageOf, 12);
      expect(run.periodMacs, `seed ${seed}`).toBe(pipeline.periodMacs);
      for (const [e, copies] of run.copies) {
        const { from, to } = graph.edges[e];
        expect(copies).toBeLessThanOrEqual(stageOf[to] - stageOf[from] + 1);
      }
    }
  }
});
