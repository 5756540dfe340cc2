import { expect, test } from 'vitest';
import { normalise } from '../../model/normalise/normalise.ts';
import { zooGraph } from '../../zoo/zoo.ts';
import { allCuts } from './cuts.ts';
import { layerFusion, pyramidBytes } from './layer-fusion.ts';
import { type LayerNet, layersOf } from './layers.ts';
import { bestSets } from './orders.ts';
import { Partitioner } from './partition.ts';
import { residualGraph } from './testing/residual-graph.ts';
import { bestTiling } from './tiling.ts';
import { baseTraffic, setTraffic } from './traffic.ts';

const MIB = 1 << 20;
const zoo = (name: string, dtype: 'int8' | 'f32' = 'int8') =>
  layersOf(normalise(zooGraph(name, { dtype })), { dense: false });

/** Every order that the layers can run in. */
function* orders(net: LayerNet, done: number[] = []): Generator<number[]> {
  if (done.length === net.layers.length) yield done;
  for (const { index, reads } of net.layers) {
    if (done.includes(index)) continue;
    if (reads.every(({ map }) => net.maps[map].writer < 0 || done.includes(net.maps[map].writer)))
      yield* orders(net, [...done, index]);
  }
}

test('all orders and all cuts of 120 small networks: the shortest path is the least', () => {
  let better = 0;
  for (let seed = 1; seed <= 120; seed++) {
    const net = layersOf(residualGraph(seed, 6));
    const capacityBytes = 600 + 300 * (seed % 6);
    const p = new Partitioner(net, { capacityBytes });
    const costs = new Map<string, number>();
    const cost = (set: readonly number[]) => {
      const key = set.join();
      if (!costs.has(key)) costs.set(key, p.set(set)?.trafficBytes ?? Number.POSITIVE_INFINITY);
      return costs.get(key)!;
    };
    let least = Number.POSITIVE_INFINITY;
    for (const order of orders(net))
      for (const cuts of allCuts(order.length)) {
        let sum = 0;
        for (const [i, j] of cuts) sum += cost(order.slice(i, j + 1).sort((a, b) => a - b));
        least = Math.min(least, sum);
      }
    const sets = bestSets(net, (set) => p.set(set)?.trafficBytes)!;
    expect(
      sets.reduce((sum, set) => sum + cost(set), 0),
      `seed ${seed}`,
    ).toBe(least);
    expect([...sets.flat()].sort((a, b) => a - b)).toEqual(net.layers.map((l) => l.index));
    if (least < p.best().trafficBytes) better++;
  }
  expect(better).toBeGreaterThan(0);
});

test('a better order saves traffic on residual networks and on inception modules', () => {
  for (const [name, mib] of [
    ['resnet50', 3],
    ['resnet152', 3],
    ['googlenet', 1],
  ] as const) {
    const p = new Partitioner(zoo(name), { capacityBytes: mib * MIB });
    expect(p.bestInAnyOrder()!.trafficBytes, name).toBeLessThan(p.best().trafficBytes);
  }
});

test('too many orders end without an answer', () => {
  expect(
    new Partitioner(zoo('googlenet'), { capacityBytes: MIB }).bestInAnyOrder({ states: 20 }),
  ).toBeUndefined();
});

test('a local search over orders never loses, and finds the least on most small networks', () => {
  let least = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const p = new Partitioner(layersOf(residualGraph(seed, 7)), { capacityBytes: 600 + 300 * (seed % 6) });
    const found = p.bestInImprovedOrder().trafficBytes;
    const exact = p.bestInAnyOrder()!.trafficBytes;
    expect(found).toBeLessThanOrEqual(p.best().trafficBytes);
    expect(found).toBeGreaterThanOrEqual(exact);
    if (found === exact) least++;
  }
  expect(least).toBeGreaterThan(50);
});

test("layer fusion: VGG-E's first five convolutions keep about the 362 KB of the paper", () => {
  const net = zoo('vgg19', 'f32');
  expect(net.layers[6].name).toBe('conv7');
  const bytes = pyramidBytes(net, 0, 6, 'reuse');
  expect(bytes / 1024).toBeGreaterThan(340);
  expect(bytes / 1024).toBeLessThan(390);
  // Image in and the fifth convolution's map out: 3.6 MiB.
  const { readBytes, writeBytes } = setTraffic(net, [0, 1, 2, 3, 4, 5, 6]);
  expect((readBytes + writeBytes) / MIB).toBeCloseTo(3.6, 1);
});

test('layer fusion: filters come in again; recomputing moves and computes more', () => {
  for (const name of ['vgg16', 'resnet18']) {
    const net = zoo(name);
    const reuse = layerFusion(net, { capacityBytes: 3 * MIB });
    const again = layerFusion(net, { capacityBytes: 3 * MIB, variant: 'recompute' });
    const macs = net.layers.reduce((sum, l) => sum + l.macs, 0);
    expect(reuse.filterBytes).toBe(baseTraffic(net).filterBytes);
    expect(reuse.macs).toBe(macs);
    expect(again.macs).toBeGreaterThanOrEqual(macs);
    expect(again.activationBytes).toBeGreaterThanOrEqual(reuse.activationBytes);
  }
});

test('a layer too large for the chip moves no less than everything once, and more on a smaller chip', () => {
  const net = zoo('vgg16');
  const index = net.layers.findIndex((l) => l.name === 'conv12');
  const { readBytes, writeBytes } = setTraffic(net, [index]);
  let before = 0;
  for (const kib of [2048, 1024, 256, 64, 16, 8]) {
    const tiling = bestTiling(net, index, { capacityBytes: kib * 1024, weights: true, closureBytes: 43_008 });
    expect(tiling.trafficBytes).toBeGreaterThanOrEqual(
      readBytes + writeBytes + net.layers[index].filterBytes,
    );
    expect(tiling.trafficBytes).toBeGreaterThanOrEqual(before);
    expect(tiling.fits).toBe(true);
    expect(tiling.onChipBytes).toBeLessThanOrEqual(kib * 1024);
    before = tiling.trafficBytes;
  }
  const roomy = bestTiling(net, index, { capacityBytes: 2 * MIB, weights: true, closureBytes: 43_008 });
  expect(roomy.trafficBytes).toBe(readBytes + writeBytes + net.layers[index].filterBytes);
});
