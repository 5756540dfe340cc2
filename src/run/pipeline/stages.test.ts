import { describe, expect, test } from 'vitest';
import type { TypedArray } from '../../graph/graph.ts';
import { normalise } from '../../model/normalise/normalise.ts';
import { randomValues, seeded } from '../../ops/testing/operator-case.ts';
import { Closures } from '../../passes/2-partition/closure.ts';
import { allCuts } from '../../passes/2-partition/cuts.ts';
import { type LayerNet, layersOf } from '../../passes/2-partition/layers.ts';
import { Partitioner } from '../../passes/2-partition/partition.ts';
import { replayClosure } from '../../passes/2-partition/replay.ts';
import { streamPlan } from '../../passes/2-partition/span-graph.ts';
import { residualGraph } from '../../passes/2-partition/testing/residual-graph.ts';
import { rangeOf, untouchedBytes } from '../../passes/2-partition/traffic.ts';
import { checkPlan } from '../../plan/check.ts';
import type { Plan } from '../../plan/plan.ts';
import { zooGraph } from '../../zoo/zoo.ts';
import { executePlan } from '../execute.ts';
import { runReference, toGraphLayout } from '../reference.ts';
import { runStages, stagesOf, TrafficMeter } from './stages.ts';

function inputsOf(net: LayerNet, seed: number): TypedArray[] {
  const random = seeded(seed);
  return net.graph.inputs.map((p) => {
    const t = net.graph.tensors[p.tensor];
    return randomValues(
      random,
      t,
      t.shape.reduce((a, b) => a * b, 1),
    );
  });
}

/** What a run of the whole graph gives, in the graph's layout. */
function expected(net: LayerNet, inputs: readonly TypedArray[]): TypedArray[] {
  const ports = net.graph.inputs.map(({ tensor, name, dtype }) => ({
    tensor,
    name,
    dtype,
    shape: net.graph.tensors[tensor].shape,
  }));
  const outputs = net.graph.outputs;
  return runReference({ ...net.graph, inputs: ports }, inputs).map((o, i) =>
    toGraphLayout(outputs[i], o.values),
  );
}

describe('traffic counted by the executor is what the model says, and every byte moves once', () => {
  const measure = (net: LayerNet, sets: readonly (readonly number[])[], seed: number) => {
    const meter = new TrafficMeter();
    const inputs = inputsOf(net, seed);
    const outputs = runStages(net, stagesOf(net, sets), inputs, meter);
    expect(outputs).toEqual(expected(net, inputs));
    expect(meter.repeated).toBe(0);
    return meter.readBytes + meter.writeBytes;
  };

  test.each([
    ['resnet8', 24],
    ['ds-cnn', 12],
    ['fsrcnn', 20],
  ])('%s on chips of %i KiB', (name, kib) => {
    const size = name === 'fsrcnn' ? ([16, 16] as const) : undefined;
    const net = layersOf(normalise(zooGraph(name, { dtype: 'int8', size })));
    const { spans, trafficBytes } = new Partitioner(net, { capacityBytes: kib * 1024 }).best();
    expect(spans.length).toBeGreaterThan(1);
    const measured = measure(
      net,
      spans.map((s) => s.layers),
      3,
    );
    // A layer run in tiles is charged with its filters too; here it is run whole.
    const tiled = spans.reduce(
      (sum, s) => sum + (s.fits ? 0 : s.trafficBytes - s.readBytes - s.writeBytes),
      0,
    );
    const untouched = spans.reduce((sum, s) => sum + untouchedBytes(net, s.layers), 0);
    expect(measured).toBe(trafficBytes - tiled - untouched);
  });

  test('60 random networks with residuals, cut at random', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const net = layersOf(residualGraph(seed, 7));
      const partitioner = new Partitioner(net, { capacityBytes: 1e9 });
      const all = [...allCuts(net.layers.length)];
      const cuts = all[(seed * 7919) % all.length];
      const untouched = cuts.reduce((sum, [i, j]) => sum + untouchedBytes(net, rangeOf(i, j)), 0);
      const said = partitioner.of(cuts)!.trafficBytes;
      expect(
        measure(
          net,
          cuts.map(([i, j]) => rangeOf(i, j)),
          seed,
        ),
        `seed ${seed}`,
      ).toBe(said - untouched);
    }
  });
});

describe('the closure is enough, and one row fewer is not', () => {
  /** The plan with one ring a row smaller. */
  const shrunk = (plan: Plan, buffer: number, bytes: number): Plan => ({
    ...plan,
    buffers: plan.buffers.map((b, i) => {
      if (i !== buffer) return b;
      return { ...b, bytes: b.bytes - bytes, ring: b.ring! - (b.ring! * bytes) / b.bytes };
    }),
  });

  const graphs = [
    ...Array.from({ length: 60 }, (_, i) => residualGraph(i + 1, 8)).filter((g) => g.outputs.length === 1),
    normalise(zooGraph('resnet8')),
  ];

  test(`every ring of ${graphs.length} networks, by the checker and by a run`, () => {
    let rings = 0;
    let byFormula = 0;
    for (const graph of graphs) {
      const net = layersOf(graph);
      const set = rangeOf(0, net.layers.length - 1);
      const plan = streamPlan(graph, 'replay');
      const inputs = inputsOf(net, 11);
      const right = expected(net, inputs);
      expect(executePlan(graph, plan, inputs).outputs).toEqual(right);
      const formula = new Map(new Closures(net).of(set).maps.map((m) => [m.map.index, m.rows]));
      for (const [m, rows] of replayClosure(net, set).rows) {
        const map = net.maps[m];
        const b = plan.buffers.findIndex((x) => x.tensor === map.tensor);
        // A concat's parts share a ring, and a map that stays whole is no ring.
        if (b < 0 || plan.buffers[b].ring === undefined || rows < 2) continue;
        expect(plan.buffers[b].bytes, `${graph.name} ${map.name}`).toBe(rows * map.rowBytes);
        const less = shrunk(plan, b, map.rowBytes);
        expect(checkPlan(graph, less).ok, `${graph.name} ${map.name}`).toBe(false);
        expect(executePlan(graph, less, inputs).outputs, `${graph.name} ${map.name}`).not.toEqual(right);
        rings++;
        if (formula.get(m) === rows) byFormula++;
      }
    }
    expect(rings).toBeGreaterThan(60);
    expect(byFormula / rings).toBeGreaterThan(0.97);
  });
});
