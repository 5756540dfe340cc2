import { describe, expect, test } from 'vitest';
import { normalise } from '../../model/normalise/normalise.ts';
import { zooGraph } from '../../zoo/zoo.ts';
import { allCuts, bestCuts, greedyCuts, levelCuts } from './cuts.ts';
import { type LayerNet, layersOf } from './layers.ts';
import { baseBytes, Partitioner } from './partition.ts';
import { replayClosure } from './replay.ts';
import { residualGraph } from './testing/residual-graph.ts';
import { baseTraffic, rangeOf } from './traffic.ts';

const MIB = 1 << 20;
const zoo = (name: string) => layersOf(normalise(zooGraph(name, { dtype: 'int8' })), { dense: false });

describe('least traffic of the literature, in elements', () => {
  test.each([
    ['alexnet', 3, 163_803, 1, 163_803],
    ['alexnet', 2, 250_331, 2, 293_595],
    ['vgg16', 3, 2_784_768, 7, undefined],
    ['vgg16', 4, 1_981_952, 6, 2_383_360],
    ['vgg19', 3, 3_788_288, 9, undefined],
    ['resnet50', 3, 3_313_664, 12, 3_815_424],
  ])('%s at %i MiB: %i in %i spans, greedy %s', (name, mib, bytes, spans, greedy) => {
    const partitioner = new Partitioner(zoo(name), { capacityBytes: mib * MIB });
    const best = partitioner.best();
    expect(best.trafficBytes).toBe(bytes);
    expect(best.spans).toHaveLength(spans);
    expect(best.spans.every((s) => s.fits)).toBe(true);
    if (greedy !== undefined) expect(partitioner.greedy().trafficBytes).toBe(greedy);
  });

  test.each([
    ['alexnet', 4_024_539, 1_690_459],
    ['vgg16', 44_995_904, 30_281_216],
    ['resnet50', 62_921_856, undefined],
  ])('base case of %s: %i, activations alone %s', (name, bytes, activations) => {
    const net = zoo(name);
    expect(baseBytes(net)).toBe(bytes);
    if (activations !== undefined) expect(baseTraffic(net).activationBytes).toBe(activations);
  });
});

test('traffic never rises with capacity; with all on chip it is image and output', () => {
  for (const name of ['alexnet', 'resnet18', 'squeezenet1.1']) {
    const net = zoo(name);
    let before = Number.POSITIVE_INFINITY;
    for (const mib of [0.125, 0.25, 0.5, 1, 2, 3, 4, 8, 16, 32]) {
      const { trafficBytes } = new Partitioner(net, { capacityBytes: mib * MIB }).best();
      expect(trafficBytes, `${name} at ${mib} MiB`).toBeLessThanOrEqual(before);
      before = trafficBytes;
    }
    const image = net.maps.filter((m) => m.writer < 0).reduce((n, m) => n + m.bytes, 0);
    const output = net.maps.filter((m) => m.leaves).reduce((n, m) => n + m.bytes, 0);
    expect(before).toBe(image + output);
  }
});

test('adds in place and looking at residuals never cost traffic; looking no further does', () => {
  for (const name of ['resnet18', 'resnet50', 'resnet101']) {
    const net = zoo(name);
    for (const mib of [2, 3, 4, 6]) {
      const plain = new Partitioner(net, { capacityBytes: mib * MIB });
      const inPlace = new Partitioner(net, { capacityBytes: mib * MIB, inPlace: true });
      const best = plain.best().trafficBytes;
      expect(inPlace.best().trafficBytes).toBeLessThanOrEqual(best);
      expect(plain.greedy().trafficBytes).toBeGreaterThanOrEqual(best);
      expect(plain.blind().trafficBytes).toBeGreaterThanOrEqual(best);
    }
  }
});

test('ResNet-152 partitions in under a second', () => {
  const net = zoo('resnet152');
  const started = process.cpuUsage();
  expect(new Partitioner(net, { capacityBytes: 3 * MIB }).best().trafficBytes).toBe(9_334_784);
  const { user, system } = process.cpuUsage(started);
  expect(user + system).toBeLessThan(1e6);
});

/** Bytes across a span's edge and whether it fits, from the graph and a replay alone. */
function plainly(net: LayerNet, first: number, last: number, capacity: number): number | undefined {
  const inside = (i: number) => i >= first && i <= last;
  let bytes = 0;
  for (const map of net.maps) {
    const readers = map.readers.filter(inside);
    if (!inside(map.writer) && readers.length > 0) bytes += map.bytes;
    if (inside(map.writer) && (map.leaves || map.readers.some((r) => !inside(r)))) bytes += map.bytes;
  }
  const set = rangeOf(first, last);
  let held = set.reduce((sum, i) => sum + net.layers[i].filterBytes + net.layers[i].stateBytes, 0);
  for (const [m, rows] of replayClosure(net, set).rows)
    held += Math.min(net.maps[m].bytes, rows * net.maps[m].rowBytes);
  if (held <= capacity) return bytes;
  // One layer alone that does not fit, but whose input and a single filter do: everything once.
  return first === last ? bytes + net.layers[first].filterBytes : undefined;
}

test('all cuts of 300 random networks with residuals: none is better, and the best is found', () => {
  let compared = 0;
  let cut = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const net = layersOf(residualGraph(seed, 8));
    const sizes = net.layers.map((l) => l.filterBytes);
    const n = net.layers.length;
    // Between the largest layer and about the half of everything.
    const largest = Math.max(
      ...rangeOf(0, n - 1)
        .map((i) => new Partitioner(net, { capacityBytes: 1e9 }).span(i, i)!)
        .map((s) => s.closureBytes + s.filterBytes),
    );
    const all = sizes.reduce((a, b) => a + b, 0);
    const capacityBytes = Math.max(largest, Math.round(largest + (all * (seed % 5)) / 8));
    const found = new Partitioner(net, { capacityBytes }).best();
    const costs = new Map<string, number | undefined>();
    const cost = (i: number, j: number) => {
      const key = `${i} ${j}`;
      if (!costs.has(key)) costs.set(key, plainly(net, i, j, capacityBytes));
      return costs.get(key);
    };
    let least = Number.POSITIVE_INFINITY;
    for (const cuts of allCuts(n)) {
      let sum = 0;
      for (const [i, j] of cuts) sum += cost(i, j) ?? Number.POSITIVE_INFINITY;
      if (sum < least) least = sum;
    }
    expect(found.trafficBytes, `seed ${seed}`).toBe(least);
    compared++;
    if (found.spans.length > 1) cut++;
  }
  expect(compared).toBe(300);
  expect(cut).toBeGreaterThan(200);
});

describe('cuts', () => {
  const cost = (i: number, j: number) =>
    j - i < 3 ? [5, 1, 7, 2, 9, 3, 4][i] + [2, 8, 1, 6, 3, 5, 4][j] : undefined;

  test('the least of all ways, and of the greatest span', () => {
    let least = Number.POSITIVE_INFINITY;
    const level = new Array<number>(8).fill(Number.POSITIVE_INFINITY);
    for (const cuts of allCuts(7)) {
      const own = cuts.map(([i, j]) => cost(i, j) ?? Number.POSITIVE_INFINITY);
      least = Math.min(
        least,
        own.reduce((a, b) => a + b, 0),
      );
      for (let m = cuts.length; m <= 7; m++) level[m] = Math.min(level[m], Math.max(...own));
    }
    expect(bestCuts(7, cost)!.cost).toBe(least);
    expect(greedyCuts(7, cost).cost).toBeGreaterThanOrEqual(least);
    for (let m = 1; m <= 7; m++) {
      const found = levelCuts(7, cost, m);
      expect(found?.cost ?? Number.POSITIVE_INFINITY).toBe(level[m]);
      if (!found) continue;
      expect(found.spans.length).toBeLessThanOrEqual(m);
      expect(found.spans.flatMap(([i, j]) => rangeOf(i, j))).toEqual(rangeOf(0, 6));
      expect(Math.max(...found.spans.map(([i, j]) => cost(i, j)!))).toBe(found.cost);
    }
  });
});
