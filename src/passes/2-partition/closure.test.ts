import { describe, expect, test } from 'vitest';
import { randomGraph } from '../../../test/random/random-graph.ts';
import { normalise } from '../../model/normalise/normalise.ts';
import { pick, seeded } from '../../ops/testing/operator-case.ts';
import { zooGraph, zooNames } from '../../zoo/zoo.ts';
import { scheduleSpan } from '../3-schedule/stream.ts';
import { Closures } from './closure.ts';
import { type LayerNet, layersOf } from './layers.ts';
import { syncGraph } from './sync.ts';
import { replayedSpans, rowDifferences } from './testing/replayed-spans.ts';
import { residualGraph } from './testing/residual-graph.ts';
import { rangeOf } from './traffic.ts';

const zoo = (name: string) => layersOf(normalise(zooGraph(name, { dtype: 'int8' })), { dense: false });
const whole = (net: LayerNet) => rangeOf(0, net.layers.length - 1);

describe('closures of the literature, in elements', () => {
  test.each([
    ['alexnet', 106_947],
    ['vgg16', 518_112],
    ['resnet18', 254_048],
  ])('%s: %i', (name, bytes) => {
    const net = zoo(name);
    expect(new Closures(net).of(whole(net)).bytes).toBe(bytes);
  });

  test('less where the adds of ResNet-18 are done in place: one row of each, but for the last', () => {
    const net = zoo('resnet18');
    const inPlace = new Closures(net, { inPlace: true }).of(whole(net)).bytes;
    expect(254_048 - inPlace).toBe(8 * 3584);
  });

  test('a residual source keeps max(k, 1 + sum of (k - 1 - p) times the earlier strides) rows', () => {
    const net = zoo('resnet18');
    const rows = new Map(new Closures(net).of(whole(net)).maps.map((m) => [m.map.name, m.rows]));
    // Two 3x3 and the identity: 1 + 1 + 1. A 3x3 of stride 2, a 3x3, and a projection: 1 + 1 + 2.
    expect(rows.get('add5')).toBe(3);
    expect(rows.get('add8')).toBe(4);
  });
});

/** Those that are not zero. */
const apart = (differences: readonly number[]) => differences.filter((d) => d !== 0);

describe('the formula equals the replay', () => {
  // DenseNet's concats of everything so far are copied part by part: spans that cut through them may hold a row more.
  test.each(zooNames().filter((n) => n !== 'densenet121'))('%s: the whole and 25 spans', (name) => {
    const net = zoo(name);
    const closures = new Closures(net);
    const sync = syncGraph(net);
    const random = seeded(7);
    const n = net.layers.length;
    const sets = [whole(net)];
    for (let i = 0; i < 25; i++) {
      const first = pick(random, 0, n - 1);
      sets.push(rangeOf(first, Math.min(n - 1, first + pick(random, 0, 25))));
    }
    for (const set of sets) expect(apart(rowDifferences(net, set, closures, sync)), `${set}`).toEqual([]);
  });

  test('every span of 150 random networks with residuals', () => {
    let spans = 0;
    let unequal = 0;
    for (let seed = 1; seed <= 150; seed++)
      for (const { differences } of replayedSpans(layersOf(residualGraph(seed, 7)), () => true)) {
        spans++;
        if (apart(differences).length > 0) unequal++;
      }
    expect(spans).toBeGreaterThan(4000);
    expect(unequal / spans).toBeLessThan(0.02);
  });

  test('spans of random graphs of every operator, one way out: never less than the replay, and seldom more', () => {
    let spans = 0;
    let more = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const net = layersOf(normalise(randomGraph(seed)));
      for (const { first, last, differences } of replayedSpans(net, (exits) => exits <= 1)) {
        spans++;
        expect(
          differences.filter((d) => d < 0),
          `seed ${seed}, layers ${first} to ${last}`,
        ).toEqual([]);
        if (apart(differences).length > 0) more++;
      }
    }
    expect(spans).toBeGreaterThan(2500);
    expect(more / spans).toBeLessThan(0.01);
  });
});

test.each(['alexnet', 'vgg16', 'resnet18', 'resnet50', 'squeezenet1.1', 'mobilenetv2-1.0-224'])(
  'the replay holds what the rings of the row schedule hold: %s',
  (name) => {
    const net = zoo(name);
    const { network, layers } = net;
    const span = scheduleSpan(network, { first: 0, last: layers[layers.length - 1].step, mode: 'rows' })!;
    for (const { map, rows } of new Closures(net).of(whole(net)).maps) {
      const { root } = network.storage.places[map.tensor];
      const r = network.rootIndex.get(root)!;
      // The global pool's input is a row at a time; parts of a concat share one ring.
      expect(span.rings.get(r)! / network.roots[r].rowElements, map.name).toBe(rows);
    }
  },
);

test('left out on purpose: without residuals a closure is too small', () => {
  const net = zoo('resnet18');
  expect(new Closures(net, { residuals: false }).of(whole(net)).bytes).toBeLessThan(254_048);
});
