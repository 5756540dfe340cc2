import { expect, test } from 'vitest';
import { randomGraph } from '../../../../test/random/random-graph.ts';
import { normalise } from '../../../model/normalise/normalise.ts';
import { zooGraph } from '../../../zoo/zoo.ts';
import { runBounded, slackEdges } from './bounded.ts';
import { csdfOf } from './from-graph.ts';
import { inconsistency } from './model.ts';
import { sizesOf } from './sizes.ts';
import { publishedNetworks } from './testing/published-networks.ts';
import { throughputOf } from './throughput.ts';

const zoo = (name: string) => normalise(zooGraph(name, { dtype: 'int8' }));

test.each(['vgg16', 'mobilenetv1-0.25-96', 'ds-cnn', 'dncnn-17', 'espcn'])(
  '%s is a chain: its sizes are enough, and one token less in any FIFO is not',
  (name) => {
    for (const padding of ['exact', 'ignore'] as const) {
      const graph = csdfOf(zoo(name), { padding });
      const { trace } = sizesOf(graph, { preference: 'downstream' });
      const run = runBounded(graph, trace.most);
      expect(run.stuck).toEqual([]);
      expect(run.most).toEqual(trace.most);
      expect(slackEdges(graph, trace.most)).toEqual([]);
    }
  },
);

test("the authors' files run in the published sizes", () => {
  for (const name of ['vgg16', 'squeezenet', 'resnet18', 'resnet50', 'densenet121'] as const) {
    const graph = publishedNetworks[name]().graph(name);
    const { trace } = sizesOf(graph, { preference: 'round' });
    expect(runBounded(graph, trace.most).stuck).toEqual([]);
  }
});

test('random graphs are consistent and run in their sizes, by parts, whole and mixed', () => {
  for (let seed = 0; seed < 200; seed++) {
    const graph = normalise(randomGraph(seed));
    for (const padding of ['exact', 'ignore'] as const) {
      for (const every of [1, 2, 1000]) {
        const byParts = graph.operators.map((_, i) => (i + seed) % every === 0);
        const csdf = csdfOf(graph, { padding, byParts });
        expect(inconsistency(csdf), `seed ${seed}`).toBeUndefined();
        for (const preference of ['downstream', 'round'] as const) {
          const { trace, ...sizes } = sizesOf(csdf, { preference });
          const run = runBounded(csdf, trace.most);
          expect(run.stuck, `seed ${seed}`).toEqual([]);
          expect(run.firings).toBe(sizes.phases);
          expect(sizes.bufferBytes).toBeLessThanOrEqual(sizes.naiveBytes);
          expect(sizes.reuseBytes).toBeLessThanOrEqual(sizes.bufferBytes);
          expect(sizes.sharedBytes).toBeLessThanOrEqual(sizes.bufferBytes);
          throughputOf(csdf, trace.most);
        }
      }
    }
  }
});

test('larger FIFOs let layers overlap; no period is shorter than the slowest layer', () => {
  const graph = csdfOf(zoo('ds-cnn'), { padding: 'exact' });
  const { trace } = sizesOf(graph, { preference: 'downstream' });
  const tight = throughputOf(graph, trace.most);
  const wide = throughputOf(
    graph,
    trace.most.map((n) => 2 * n),
  );
  expect(tight.periodMacs).toBeLessThanOrEqual(tight.macs);
  expect(wide.periodMacs).toBeLessThan(tight.periodMacs);
  expect(wide.periodMacs).toBeGreaterThanOrEqual(wide.boundMacs);
});
