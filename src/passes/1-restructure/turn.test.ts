import { describe, expect, it } from 'vitest';
import { randomInputs } from '../../../test/random/random-graph.ts';
import { difference } from '../../../test/random/random-plans.ts';
import { assemblePlan } from '../../fit/assemble.ts';
import { chooseSpans } from '../../fit/spans.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph } from '../../graph/graph.ts';
import { normalise } from '../../model/normalise/normalise.ts';
import { pick, seeded } from '../../ops/testing/operator-case.ts';
import { checkPlan } from '../../plan/check.ts';
import { graphMacs } from '../../plan/metrics.ts';
import { executePlan } from '../../run/execute.ts';
import { runReference, toGraphLayout } from '../../run/reference.ts';
import { quantiseGraph } from '../../zoo/quantise.ts';
import { placeholderRanges } from '../../zoo/ranges.ts';
import { uniformValues } from '../../zoo/seed.ts';
import { calibratedZooGraph } from '../../zoo/zoo.ts';
import { networkOf } from '../3-schedule/steps.ts';
import { applyTiles } from './apply.ts';
import { linksOf, turnableAt } from './turn.ts';

function turnables(graph: Graph): number[] {
  const links = linksOf(graph);
  return graph.operators.filter((op) => turnableAt(graph, links, op)).map((op) => op.id);
}

/** A 1x1 convolution that widens, maybe something pixel by pixel, a window of any kind, and one that narrows. */
function randomBottleneck(seed: number): Graph {
  const random = seeded(seed);
  const p = (lo: number, hi: number) => pick(random, lo, hi);
  const b = new GraphBuilder(`bottleneck${seed}`, seed % 2 ? 'onnx' : 'tflite');
  const [height, width, narrow, wide] = [p(6, 11), p(6, 11), p(1, 3), p(4, 6)];
  const x = b.input({ name: 'x', shape: [1, height, width, narrow], dtype: 'f32' }, { dtype: 'f32' });
  let salt = 0;
  const weights = (shape: number[]) => {
    const count = shape.reduce((n, d) => n * d, 1);
    return b.constant('w', shape, uniformValues(1000 * seed + salt++, count, 1));
  };
  const point = { stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], groups: 1 };
  let y = b.op('Conv', [x, weights([wide, 1, 1, narrow]), weights([wide])], point);
  if (random() < 0.5) y = b.op('Clip', [y], { min: 0, max: 0.75 });
  const [kh, kw] = [p(2, 3), p(1, 3)];
  const groups = random() < 0.7 ? wide : 1;
  const attrs = {
    stride: [p(1, 3), p(1, 3)],
    dilation: [p(1, 2), 1],
    pads: [p(0, 2), p(0, 2), p(0, 2), p(0, 2)],
    groups,
  };
  y = b.op('Conv', [y, weights([wide, kh, kw, wide / groups]), weights([wide])], attrs);
  y = b.op('Conv', [y, weights([narrow, 1, 1, wide])], point);
  b.output(y, { name: 'y', shape: y.shape, dtype: 'f32' });
  const float = b.build();
  return normalise({ ...quantiseGraph(float, placeholderRanges(float)), dialect: float.dialect });
}

describe('turned windows', () => {
  it('of random bottlenecks: equal bit for bit, as a plan in its arena too', () => {
    let turned = 0;
    for (let seed = 0; seed < 200; seed++) {
      const graph = randomBottleneck(seed);
      const ids = turnables(graph);
      if (ids.length === 0) continue;
      const made = applyTiles(graph, { turned: ids, regions: [] });
      const inputs = randomInputs(graph, seed);
      const expected = runReference(graph, inputs).map((o) => o.values);
      const found = runReference(made, inputs).map((o) => o.values);
      expect(difference(found, expected), `seed ${seed}`).toBeUndefined();
      const network = networkOf(made, { input: 'reuse', output: 'streamed' });
      const spans = chooseSpans(network, { modes: ['pixels'], objective: 'memory', work: { left: 1e7 } })!;
      const { plan } = assemblePlan(made, network, spans, { effort: 'quick' });
      expect(checkPlan(made, plan).problem, `seed ${seed}`).toBeUndefined();
      const laidOut = inputs.map((values, i) => toGraphLayout(graph.inputs[i], values));
      const { outputs } = executePlan(made, plan, laidOut, { paint: 0x5a });
      expect(difference(outputs, expected), `seed ${seed}`).toBeUndefined();
      turned++;
    }
    expect(turned).toBeGreaterThan(100);
  });

  const graph = normalise(calibratedZooGraph('mobilenetv2-0.35-144', { size: [32, 32] }));
  const inputs = randomInputs(graph, 1);
  const expected = runReference(graph, inputs).map((o) => o.values);

  it('compute what widens once for each row of the window', () => {
    const ids = turnables(graph);
    expect(ids.length).toBeGreaterThan(10);
    const made = applyTiles(graph, { turned: ids, regions: [] });
    expect(
      difference(
        runReference(made, inputs).map((o) => o.values),
        expected,
      ),
    ).toBeUndefined();
    // 8 x 8 pixels, stride 1: of 3 x 8 rows two are padding.
    const id = ids.find((i) => graph.operators[i].name === 'dw8')!;
    const one = applyTiles(graph, { turned: [id], regions: [] });
    const expansion = 8 * 48 * 8 * (3 * 8 - 2 - 8);
    expect(graphMacs(one) - graphMacs(graph)).toBe(expansion);
  });

  it('stand in tiles too', () => {
    const region = { operators: [...Array(13).keys()], rows: [0, 4], columns: [0, 1, 2, 4] };
    const ids = turnables(graph).filter((id) => id < 13);
    expect(ids.length).toBe(3);
    const made = applyTiles(graph, { turned: ids, regions: [region] });
    expect(made.operators.filter((op) => op.name.startsWith('conv7/') && op.kind === 'Conv')).toHaveLength(9);
    expect(
      difference(
        runReference(made, inputs).map((o) => o.values),
        expected,
      ),
    ).toBeUndefined();
  });

  it('are refused where an operator cannot be turned', () => {
    expect(() => applyTiles(graph, { turned: [0], regions: [] })).toThrow(
      expect.objectContaining({ code: 'plan-invalid' }),
    );
  });
});
