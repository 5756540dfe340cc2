/** The closed form against a replay of all firings, and sampled lifetimes against those of every firing. */
import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../graph/builder.ts';
import type { Graph, Tensor } from '../../../graph/graph.ts';
import { resolveStorage } from '../../../graph/storage.ts';
import { pick, type Random, seeded } from '../../../ops/testing/operator-case.ts';
import { networkOf } from '../../3-schedule/steps.ts';
import { type Timeline, timelineOf } from '../lifetimes.ts';
import { separations } from '../separation.ts';
import { distanceFrom, overlappedFiring, replayedDistance } from './key-firings.ts';
import { SampledNetwork } from './sampled.ts';

const GRANULARITIES = ['pixel', 'row', 'element'] as const;
const DIRECTIONS = ['forward', 'backward'] as const;

/** A window of any kind that fits, over one or two pictures. */
function randomLayer(b: GraphBuilder, random: Random, x: Tensor): Tensor | undefined {
  const [, height, width, channels] = x.shape;
  const pads = Array.from({ length: 4 }, () => pick(random, 0, 3));
  const kernel = [pick(random, 1, 4), pick(random, 1, 4)];
  const dilation = [pick(random, 1, 3), pick(random, 1, 3)];
  const stride = [pick(random, 1, 3), pick(random, 1, 3)];
  if (height + pads[0] + pads[2] < (kernel[0] - 1) * dilation[0] + 1) return undefined;
  if (width + pads[1] + pads[3] < (kernel[1] - 1) * dilation[1] + 1) return undefined;
  const window = { stride, dilation, pads };
  if (pick(random, 0, 2) === 0)
    return b.op(pick(random, 0, 1) ? 'MaxPool' : 'AveragePool', [x], {
      ...window,
      kernel,
      ceil: false,
      countPad: false,
    });
  const depthwise = pick(random, 0, 2) === 0;
  const filters = depthwise ? channels : pick(random, 1, 6);
  const cin = depthwise ? 1 : channels;
  const w = b.constant(
    'w',
    [filters, ...kernel, cin],
    new Float32Array(filters * kernel[0] * kernel[1] * cin),
  );
  return b.op('Conv', [x, w], { ...window, groups: depthwise ? channels : 1 });
}

function randomChain(seed: number, layers: number): Graph | undefined {
  const random = seeded(seed);
  const b = new GraphBuilder('chain', 'onnx');
  const shape = [pick(random, 1, 2), pick(random, 2, 9), pick(random, 2, 9), pick(random, 1, 4)];
  let x: Tensor = b.input({ name: 'x', shape, dtype: 'f32' }, { dtype: 'f32' });
  for (let k = 0; k < layers; k++) {
    const next = randomLayer(b, random, x);
    if (!next) return undefined;
    x = next;
  }
  b.output(x, { name: 'y', shape: x.shape, dtype: 'f32' });
  return b.build();
}

test('the closed form is what a replay finds, over thousands of layers', () => {
  let layers = 0;
  for (let seed = 1; layers < 3000; seed++) {
    const graph = randomChain(seed, 1);
    if (!graph) continue;
    layers++;
    const { storage } = resolveStorage(graph);
    for (const granularity of GRANULARITIES)
      for (const direction of DIRECTIONS) {
        const fired = overlappedFiring(graph, 0, granularity, direction);
        const found = distanceFrom(graph, storage, fired, 0);
        const replayed = replayedDistance(graph, storage, fired, 0);
        if (found.bytes !== replayed.bytes)
          expect(found, `seed ${seed}, ${granularity}, ${direction}`).toEqual(replayed);
      }
  }
});

test('a few firings stand for all: distances are those of every firing, in both directions', () => {
  const compared = { pixel: 0, row: 0, element: 0 };
  let distances = 0;
  const tighter = { pixel: 0, row: 0, element: 0 };
  for (let seed = 1; compared.element < 400; seed++) {
    const graph = randomChain(seed, 3);
    if (!graph) continue;
    const network = networkOf(graph, { input: 'reuse', output: 'whole' });
    // Streams fold a pool of the whole picture; method 1 fires its output.
    if (network.steps.some((_, s) => network.table(s, 'rows').shape.fold)) continue;
    const random = seeded(seed);
    for (const granularity of GRANULARITIES) {
      const directions = network.steps.map((s) =>
        s.kind === 'operator' ? DIRECTIONS[pick(random, 0, 1)] : undefined,
      );
      const sampled = new SampledNetwork(network, granularity);
      const few = sampled.timeline(directions, false);
      const staged = granularity !== 'element';
      const every = timelineOf(
        network,
        sampled.spans(directions).map((s) => ({ ...s, staged })),
      );
      const all = { ...every, lifetimes: every.lifetimes.filter((l) => !l.staging) };
      expect(few.lifetimes.map((l) => l.name)).toEqual(all.lifetimes.map((l) => l.name));
      compared[granularity]++;
      const [mine, theirs] = [pairs(few), pairs(all)];
      expect([...mine.keys()].filter((pair) => !theirs.has(pair))).toEqual([]);
      for (const [pair, distance] of theirs) {
        const found = mine.get(pair) ?? Number.NEGATIVE_INFINITY;
        expect(found, `seed ${seed}, ${granularity}, ${pair}`).toBeLessThanOrEqual(distance);
        distances++;
        if (found < distance) tighter[granularity]++;
      }
    }
  }
  // Lifetimes of every firing learn only after the first what no firing reads at all.
  expect(tighter).toEqual({ pixel: 0, row: 0, element: expect.any(Number) });
  expect(tighter.element).toBeLessThan(distances / 15);
});

/** Distance by pair: from the first up to the second. */
function pairs(timeline: Timeline): Map<string, number> {
  const found = separations(timeline).flatMap(({ other, above }, i) =>
    other.map((o, k) => [`${i} below ${o}`, above[k]] as const),
  );
  return new Map(found.sort((a, b) => (a[0] < b[0] ? -1 : 1)));
}
