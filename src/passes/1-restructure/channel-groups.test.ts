import { describe, expect, it } from 'vitest';
import { randomInputs } from '../../../test/random/random-graph.ts';
import { difference } from '../../../test/random/random-plans.ts';
import { writeOnnx } from '../../emit/onnx/write.ts';
import { fitGraph } from '../../fit/fit.ts';
import type { Graph } from '../../graph/graph.ts';
import { normalise } from '../../model/normalise/normalise.ts';
import { graphMacs } from '../../plan/metrics.ts';
import { executePlan } from '../../run/execute.ts';
import { runReference, toGraphLayout } from '../../run/reference.ts';
import { calibratedZooGraph, zooGraph } from '../../zoo/zoo.ts';
import { applyTiles } from './apply.ts';
import { channelChain } from './channel-groups.ts';
import { restructureGraph } from './restructure.ts';
import { evenCuts, type TiledRegion } from './tiling.ts';

/** Every inverted bottleneck of a graph, its middle channels in `groups` groups. */
function allInGroups(graph: Graph, groups: number): TiledRegion[] {
  const regions: TiledRegion[] = [];
  for (let first = 0; first + 3 <= graph.operators.length; first++) {
    const operators = [first, first + 1, first + 2];
    const chain = channelChain(graph, operators);
    if (!chain) continue;
    const [, height, width] = graph.tensors[chain.narrow.outputs[0]].shape;
    regions.push({
      operators,
      rows: [0, height],
      columns: [0, width],
      channels: evenCuts(chain.middle, groups),
    });
    first += 2;
  }
  return regions;
}

describe('inverted bottlenecks in channel groups', () => {
  const small = { size: [32, 32] as const };

  it.each(['onnx', 'tflite'] as const)(
    'int8 (%s): equal bit for bit, as a plan in its arena too',
    (dialect) => {
      const graph = { ...normalise(calibratedZooGraph('mobilenetv2-0.35-144', small)), dialect };
      const regions = allInGroups(graph, 3);
      expect(regions.length).toBeGreaterThan(10);
      const tiled = applyTiles(graph, { regions });
      const inputs = randomInputs(graph, 1);
      const expected = runReference(graph, inputs).map((o) => o.values);
      expect(
        difference(
          runReference(tiled, inputs).map((o) => o.values),
          expected,
        ),
      ).toBeUndefined();
      const laidOut = inputs.map((values, i) => toGraphLayout(graph.inputs[i], values));
      expect(() => writeOnnx(tiled)).toThrow(expect.objectContaining({ code: 'type-unsupported' }));
      const { plan } = fitGraph(tiled, { policy: { input: 'reuse', output: 'whole' }, method: 'layerwise' });
      expect(difference(executePlan(tiled, plan, laidOut).outputs, expected)).toBeUndefined();
    },
  );

  it.each(['onnx', 'tflite'] as const)(
    'a convolution and a global pooling (%s): each group is a part of the output',
    (dialect) => {
      const graph = { ...normalise(calibratedZooGraph('mobilenetv2-0.35-144', small)), dialect };
      const at = graph.operators.findIndex((op) => op.kind === 'ReduceMean');
      const region = { operators: [at - 1, at], rows: [0, 1], columns: [0, 1], channels: evenCuts(1280, 3) };
      const tiled = applyTiles(graph, { regions: [region] });
      expect(graphMacs(tiled)).toBe(graphMacs(graph));
      const inputs = randomInputs(graph, 1);
      const expected = runReference(graph, inputs).map((o) => o.values);
      const found = runReference(tiled, inputs).map((o) => o.values);
      expect(difference(found, expected)).toBeUndefined();
      const laidOut = inputs.map((values, i) => toGraphLayout(graph.inputs[i], values));
      const { plan } = fitGraph(tiled, { policy: { input: 'reuse', output: 'whole' }, method: 'layerwise' });
      expect(difference(executePlan(tiled, plan, laidOut).outputs, expected)).toBeUndefined();
    },
  );

  it('float32: equal but for the order of sums', () => {
    const graph = normalise(zooGraph('mobilenetv2-0.35-144', small));
    const tiled = applyTiles(graph, { regions: allInGroups(graph, 4) });
    const inputs = randomInputs(graph, 1);
    const [expected] = runReference(graph, inputs);
    const [found] = runReference(tiled, inputs);
    const most = Math.max(...expected.values.map(Math.abs));
    found.values.forEach((v, i) => {
      expect(Math.abs(v - expected.values[i])).toBeLessThan(1e-5 * most);
    });
  });

  it('lower the peak of a float network without computing anything twice', () => {
    const graph = normalise(zooGraph('mobilenetv2-0.35-144'));
    const rows = restructureGraph(graph, { maxOverhead: 0 });
    const groups = restructureGraph(graph, { maxOverhead: 0, channelGroups: true });
    expect(groups.macOverhead).toBe(0);
    expect(groups.peakBytes).toBeLessThan(rows.peakBytes);
    expect(groups.tiling.regions.some((r) => r.channels)).toBe(true);
  });
});
