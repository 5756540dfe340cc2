import { describe, expect, it } from 'vitest';
import { randomGraph, randomInputs } from '../../test/random/random-graph.ts';
import { difference } from '../../test/random/random-plans.ts';
import type { Graph } from '../graph/graph.ts';
import { normalise } from '../model/normalise/normalise.ts';
import { applyTiles } from '../passes/1-restructure/apply.ts';
import { networkOf } from '../passes/3-schedule/steps.ts';
import { checkPlan } from '../plan/check.ts';
import { graphMacs } from '../plan/metrics.ts';
import { executePlan } from '../run/execute.ts';
import { runReference, toGraphLayout } from '../run/reference.ts';
import { calibratedZooGraph } from '../zoo/zoo.ts';
import { assemblePlan, layOut, writePlan } from './assemble.ts';
import { chooseSpans } from './spans.ts';
import { chooseStrips } from './strips.ts';

const OUTSIDE = { input: 'external', output: 'streamed' } as const;

/** Where a search without strips comes to. */
function streamedPeak(graph: Graph): number {
  const network = networkOf(graph, OUTSIDE);
  const spans = chooseSpans(network, {
    modes: ['rows', 'pixels'],
    objective: 'memory',
    work: { left: 2e6 },
  })!;
  return assemblePlan(graph, network, spans, { effort: 'quick' }).plan.arenaBytes;
}

/** The last choices are planned, proven, run and compared; gives how many there were. */
function proveChoices(
  graph: Graph,
  seed: number,
  work: number,
  most: number,
  turned = new Set<number>(),
): number {
  const peakBytes = streamedPeak(graph);
  const choices = chooseStrips(graph, {
    policy: OUTSIDE,
    maxOverhead: 1,
    peakBytes,
    descent: 0.06,
    work: { left: work },
  });
  const inputs = randomInputs(graph, seed);
  const expected = runReference(graph, inputs).map((o) => o.values);
  const laidOut = inputs.map((values, i) => toGraphLayout(graph.inputs[i], values));
  for (const choice of choices.slice(-most)) {
    const made = applyTiles(graph, choice.tiling);
    expect(choice.extraMacs, `seed ${seed}`).toBeCloseTo(graphMacs(made) - graphMacs(graph), 3);
    const network = networkOf(made, OUTSIDE);
    expect(choice.spans.at(-1)!.last, `seed ${seed}`).toBe(network.steps.length - 1);
    for (const id of choice.tiling.turned ?? []) turned.add(id);
    const layout = layOut(network, choice.spans, { effort: 'quick' });
    const plan = writePlan(graph, network, layout, choice.tiling);
    expect(checkPlan(graph, plan).problem, `seed ${seed}`).toBeUndefined();
    const { outputs } = executePlan(graph, plan, laidOut, { paint: 0x5a });
    expect(difference(outputs, expected), `seed ${seed}`).toBeUndefined();
  }
  return choices.length;
}

describe('strips, turned windows and channel groups', () => {
  it('of random graphs: every plan is proven, runs, and costs what was said', () => {
    let choices = 0;
    for (let seed = 0; seed < 120; seed++)
      choices += proveChoices(normalise(randomGraph(seed)), seed, 2e5, 9);
    expect(choices).toBeGreaterThan(20);
  });

  it('of an inverted bottleneck network: the same, with windows turned in strips', () => {
    const graph = normalise(calibratedZooGraph('mobilenetv2-0.35-144', { size: [48, 48] }));
    const turned = new Set<number>();
    expect(proveChoices(graph, 1, 1e7, 1, turned)).toBeGreaterThan(2);
    expect(turned.size).toBeGreaterThan(1);
  });
});
