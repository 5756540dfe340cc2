import { describe, expect, it } from 'vitest';
import { randomGraph, randomInputs } from '../../../test/random/random-graph.ts';
import { difference } from '../../../test/random/random-plans.ts';
import { assemblePlan } from '../../fit/assemble.ts';
import { wholeSpans } from '../../fit/spans.ts';
import type { Graph } from '../../graph/graph.ts';
import { normalise } from '../../model/normalise/normalise.ts';
import { checkPlan } from '../../plan/check.ts';
import { fingerprint } from '../../plan/fingerprint.ts';
import { executePlan } from '../../run/execute.ts';
import { runReference } from '../../run/reference.ts';
import { zooGraph } from '../../zoo/zoo.ts';
import { networkOf } from '../3-schedule/steps.ts';
import { applyTiles } from './apply.ts';
import { restructureGraph } from './restructure.ts';
import { TileSearch } from './search.ts';
import { sequenceOf } from './sequence.ts';
import { tilingSchema } from './tiling.ts';

const int8 = (name: string): Graph => normalise(zooGraph(name, { dtype: 'int8' }));

it('says before the graph is made what it will need', () => {
  for (const name of ['resnet18', 'squeezenet1.1', 'mobilenetv1-0.25-96', 'resnet8', 'densenet121']) {
    const graph = int8(name);
    const sequence = sequenceOf(graph);
    const search = new TileSearch(sequence, { regions: 'many', across: [1, 2], bands: true });
    const choice = search.within(Math.floor(sequence.peakBytes * 0.8), Number.POSITIVE_INFINITY);
    if (!choice) continue;
    const regions = choice.cuttings.map(({ region, rows, columns, apart }) => ({
      operators: region.operators.map(({ op }) => op.id),
      rows: [...rows],
      columns: [...columns],
      apart,
    }));
    expect(sequenceOf(applyTiles(graph, { regions })).peakBytes, name).toBeLessThanOrEqual(choice.peakBytes);
  }
});

it('saves 75 % and more also where every region ends in a join, as published', () => {
  const { peakBeforeBytes, peakBytes, tiling } = restructureGraph(int8('vgg16'), { bands: false });
  expect(1 - peakBytes / peakBeforeBytes).toBeGreaterThan(0.85);
  expect(tiling.regions.some((r) => r.apart)).toBe(false);
});

it('comes down to a budget at less overhead than it takes to come down as far as it can', () => {
  const graph = int8('mobilenetv1-0.25-96');
  const most = restructureGraph(graph, { maxOverhead: 0.3 });
  const budgetBytes = Math.ceil((most.peakBeforeBytes + most.peakBytes) / 2);
  const within = restructureGraph(graph, { maxOverhead: 0.3, budgetBytes });
  expect(within.peakBytes).toBeLessThanOrEqual(budgetBytes);
  expect(within.macOverhead).toBeLessThan(most.macOverhead);
});

it('makes the same graph again from the tiling as JSON', () => {
  const graph = int8('resnet8');
  const { tiling, graph: tiled } = restructureGraph(graph, { maxOverhead: 0.2 });
  expect(tiling.regions.length).toBeGreaterThan(0);
  const read = tilingSchema.parse(JSON.parse(JSON.stringify(tiling)));
  expect(fingerprint(applyTiles(graph, read))).toBe(fingerprint(tiled));
});

describe('random graphs', () => {
  it.each([0, 30])('seeds %i and on: never above before, planned, proved, run and equal', (from) => {
    let cut = 0;
    for (let seed = from; seed < from + 30; seed++) {
      const graph = randomGraph(seed);
      const found = restructureGraph(graph, { maxOverhead: 3 });
      expect(found.peakBytes).toBeLessThanOrEqual(found.peakBeforeBytes);
      if (found.tiling.regions.length === 0) continue;
      cut++;
      const inputs = randomInputs(graph, seed);
      const expected = runReference(graph, inputs).map((o) => o.values);
      const network = networkOf(found.graph, { input: 'reuse', output: 'whole' });
      const { plan } = assemblePlan(found.graph, network, wholeSpans(network), { effort: 'quick' });
      expect(checkPlan(found.graph, plan).problem, `seed ${seed}`).toBeUndefined();
      const ran = executePlan(found.graph, plan, inputs, { paint: 0xa5 });
      expect(difference(ran.outputs, expected), `seed ${seed}`).toBeUndefined();
    }
    expect(cut).toBeGreaterThan(5);
  });
});

it('gives the best tiles found by then where it is broken off', () => {
  const graph = int8('vgg16');
  const all = restructureGraph(graph, { bands: false });
  const peaks = [1, 2, 6, 10_000].map((allowed) => {
    let left = allowed;
    const part = <T>(run: () => T) => (left-- > 0 ? run() : undefined);
    return restructureGraph(graph, { bands: false, part }).peakBytes;
  });
  expect(peaks[0]).toBe(all.peakBeforeBytes);
  expect([...peaks].sort((a, b) => b - a)).toEqual(peaks);
  expect(peaks[2]).toBeLessThan(all.peakBeforeBytes);
  expect(peaks[3]).toBe(all.peakBytes);
  expect(() => restructureGraph(graph, { part: () => undefined })).toThrow(/stopped before it began/);
});
