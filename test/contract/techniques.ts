/** Every technique as what it hands to a backend: plans of graphs, and how their values come together. */
import { csdfPlanOf, smallestCsdfPlan } from '../../src/fit/csdf.ts';
import { fitGraph } from '../../src/fit/fit.ts';
import { overlapGraph } from '../../src/fit/overlapped.ts';
import type { Graph, TypedArray } from '../../src/graph/graph.ts';
import { restructureGraph } from '../../src/passes/1-restructure/restructure.ts';
import { layersOf } from '../../src/passes/2-partition/layers.ts';
import { partitionLayers } from '../../src/passes/2-partition/partition.ts';
import { checkPlan } from '../../src/plan/check.ts';
import type { Plan, Policy } from '../../src/plan/plan.ts';
import { enteringMaps, leavingOutputs, stagesOf } from '../../src/run/pipeline/stages.ts';
import { fromGraphLayout, toGraphLayout } from '../../src/run/reference.ts';
import type { DType, Network } from './networks.ts';

/** One plan of one graph. */
export interface Part {
  readonly graph: Graph;
  readonly plan: Plan;
}

/** Runs a part on values in its graph's layout. */
export type RunPart = (part: Part, inputs: readonly TypedArray[]) => readonly TypedArray[];

/** A network under a technique. */
export interface Way {
  readonly parts: readonly Part[];
  /** Outputs from inputs, both in the file's order of axes. */
  compute(inputs: readonly TypedArray[], run: RunPart): readonly TypedArray[];
}

export interface Technique {
  readonly name: string;
  /** Why it leaves a network to longer runs (`CONTRACT=all`); undefined where it does not. */
  skips?(network: string, dtype: DType): string | undefined;
  way(network: Network): Way;
}

const WHOLE: Policy = { input: 'reuse', output: 'whole' };

export const POLICIES: readonly Policy[] = (['reuse', 'keep', 'external', 'streamed'] as const).flatMap(
  (input) => (['whole', 'streamed'] as const).map((output) => ({ input, output })),
);

function single(graph: Graph, plan: Plan): Way {
  const part = { graph, plan };
  return {
    parts: [part],
    compute: (inputs, run) =>
      run(
        part,
        inputs.map((v, i) => toGraphLayout(graph.inputs[i], v)),
      ).map((v, i) => fromGraphLayout(graph.outputs[i], v)),
  };
}

/** Spans of a partition, one after another. */
function spans({ graph }: Network): Way {
  const net = layersOf(graph);
  const whole = fitGraph(graph, { policy: WHOLE, method: 'layerwise' }).plan.arenaBytes;
  const { spans: found } = partitionLayers(net, { capacityBytes: Math.ceil(whole / 2), weights: false });
  const stages = stagesOf(
    net,
    found.map((s) => s.layers),
  );
  return {
    parts: stages,
    compute: (inputs, run) => {
      const entering = inputs.map((v, i) => toGraphLayout(graph.inputs[i], v));
      const values = enteringMaps(net, entering);
      for (const stage of stages) {
        const made = run(
          stage,
          stage.inputs.map((m) => values.get(m)!),
        );
        stage.outputs.forEach((m, i) => {
          values.set(m, made[i]);
        });
      }
      return leavingOutputs(net, values).map((v, i) => fromGraphLayout(graph.outputs[i], v));
    },
  };
}

/** Two banks, the first with half of what the network takes. */
function banks({ graph }: Network): Way {
  const whole = fitGraph(graph, { policy: WHOLE, method: 'layerwise' }).plan.arenaBytes;
  const capacities = [Math.ceil(whole / 2), whole];
  const request = ['fast', 'slow'].map((name, i) => ({ name, capacityBytes: capacities[i] }));
  return single(graph, fitGraph(graph, { policy: WHOLE, banks: request }).plan);
}

/** Networks that take a technique seconds to plan, even small. */
const slowOn =
  (...names: readonly string[]) =>
  (name: string) =>
    process.env.CONTRACT !== 'all' && names.includes(name)
      ? 'planning alone takes seconds; CONTRACT=all runs it'
      : undefined;

/** They are planned in 8 bits, by the same search. */
const slowInFloats = slowOn('densenet121', 'inceptionv3', 'googlenet');

const layerwise = (graph: Graph) => fitGraph(graph, { policy: WHOLE, method: 'layerwise' }).plan;

export const techniques: readonly Technique[] = [
  { name: 'layer by layer', way: ({ graph }) => single(graph, layerwise(graph)) },
  {
    name: 'overlap',
    way: ({ graph }) => single(graph, overlapGraph(graph, { policy: WHOLE, granularity: 'pixel' }).plan),
  },
  { name: 'csdf', way: ({ graph }) => single(graph, csdfPlanOf(graph, WHOLE, 'apart').plan) },
  { name: 'csdf-reuse', way: ({ graph }) => single(graph, smallestCsdfPlan(graph, WHOLE).plan) },
  {
    name: 'restructure, then layer by layer',
    skips: slowOn('tinyyolov2', 'tinyyolov3', 'dncnn-17', 'densenet121'),
    way: ({ graph }) => {
      const { graph: tiled } = restructureGraph(graph, { policy: WHOLE });
      return single(tiled, layerwise(tiled));
    },
  },
  { name: 'partition', skips: slowOn('densenet121'), way: spans },
  { name: 'fit, two banks', skips: slowOn('densenet121', 'inceptionv3'), way: banks },
  ...POLICIES.map((policy) => ({
    name: `fit, input ${policy.input}, output ${policy.output}`,
    skips: (name: string, dtype: DType) => (dtype === 'f32' ? slowInFloats(name) : undefined),
    way: ({ graph }: Network) => single(graph, fitGraph(graph, { policy }).plan),
  })),
];

/** What the checker says against any of the plans. */
export function problemOf({ parts }: Way): string | undefined {
  return parts.map(({ graph, plan }) => checkPlan(graph, plan).problem).find((p) => p !== undefined);
}
