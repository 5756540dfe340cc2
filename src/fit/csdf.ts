/**
 * Method 4 from end to end: a network's CSDF graph, its self-timed schedule, what its buffers take in every way of
 * counting, that schedule run in FIFOs of these sizes, and (with exact padding) as a plan that the checker proves.
 */
import { TidemarkError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { runBounded } from '../passes/3-schedule/csdf/bounded.ts';
import { csdfOf, layersOf } from '../passes/3-schedule/csdf/from-graph.ts';
import type { CsdfGraph } from '../passes/3-schedule/csdf/model.ts';
import { type ParetoSet, paretoSet } from '../passes/3-schedule/csdf/pareto.ts';
import { type Pipeline, partitionActors, pipelineOf } from '../passes/3-schedule/csdf/partitions.ts';
import type { Preference, Trace } from '../passes/3-schedule/csdf/simulate.ts';
import { type CsdfSizes, sizesOf } from '../passes/3-schedule/csdf/sizes.ts';
import { type Throughput, throughputOf } from '../passes/3-schedule/csdf/throughput.ts';
import { checkPlan } from '../plan/check.ts';
import type { Plan, Policy } from '../plan/plan.ts';
import { csdfPlan } from './csdf-plan.ts';
import { canStream, refuseTooLarge } from './limits.ts';

export interface CsdfRequest {
  /** `ignore`: the authors' model and their order of firings. `exact`: what kernels read. */
  readonly padding: 'exact' | 'ignore';
  /** By layer: works by parts. Left out: all that can. */
  readonly byParts?: readonly boolean[];
  /** Leaves out what comes in and goes out. */
  readonly inner?: boolean;
  /** Policy of the plan. */
  readonly policy: Policy;
}

export type Totals = Pick<CsdfSizes, 'naiveBytes' | 'bufferBytes' | 'sharedBytes' | 'reuseBytes'>;

export interface CsdfAnswer extends Omit<CsdfSizes, 'buffers'> {
  readonly csdf: CsdfGraph;
  readonly trace: Trace;
  /** The same without the edges that come in and go out, as the published tables count. */
  readonly betweenLayers: Totals;
  readonly throughput: Throughput;
  /** The schedule ran to its end in FIFOs of these sizes; with exact padding its plan is proven too. */
  readonly checked: boolean;
  /** With exact padding: the schedule as a plan, one buffer a tensor, addresses shared. */
  readonly plan?: Plan;
  readonly lowerBoundBytes?: number;
}

const PREFERENCE: Readonly<Record<CsdfRequest['padding'], Preference>> = {
  exact: 'downstream',
  ignore: 'round',
};

export function analyseCsdf(graph: Graph, request: CsdfRequest): CsdfAnswer {
  const { padding, byParts, inner, policy } = request;
  const csdf = graphOf(graph, padding, byParts);
  const preference = PREFERENCE[padding];
  const { buffers: _, ...sizes } = sizesOf(csdf, { preference, inner });
  const { naiveBytes, bufferBytes, sharedBytes, reuseBytes } = sizesOf(csdf, { preference, inner: true });
  const { trace } = sizes;
  const run = runBounded(csdf, trace.most);
  const answer = {
    ...sizes,
    csdf,
    betweenLayers: { naiveBytes, bufferBytes, sharedBytes, reuseBytes },
    throughput: throughputOf(csdf, trace.most),
    checked: run.ok,
  };
  if (padding === 'ignore') return answer;
  const made = csdfPlan(graph, { policy, csdf, sequence: trace.sequence, addresses: 'shared' });
  return { ...answer, ...made, checked: run.ok && checkPlan(graph, made.plan).ok };
}

/** The pipeline of so many stages. */
export function csdfPipeline(graph: Graph, request: CsdfRequest, stages: number): Pipeline {
  const csdf = graphOf(graph, request.padding, request.byParts);
  const layers = layersOf(graph).length;
  if (stages > layers)
    throw new TidemarkError(
      'usage',
      `--partitions ${stages}: ${graph.name} has ${layers} layers; give at most as many`,
    );
  const preference = PREFERENCE[request.padding];
  return pipelineOf(csdf, partitionActors(csdf, stages), { preference, inner: request.inner });
}

/** Memory, with buffers that take turns, against phases. */
export function csdfPareto(
  graph: Graph,
  { padding, inner }: CsdfRequest,
  options: { readonly tries?: number; readonly onProgress?: (done: number) => void } = {},
): ParetoSet {
  const layers = graphOf(graph, padding).actors.filter((a) => a.kind !== 'input' && a.kind !== 'output');
  return paretoSet({
    ...options,
    free: layers.map((a) => a.mostPhases > 1),
    evaluate: (byParts) => {
      const csdf = csdfOf(graph, { padding, byParts });
      const { reuseBytes, phases } = sizesOf(csdf, { preference: PREFERENCE[padding], inner });
      return { bytes: reuseBytes, phases };
    },
  });
}

function graphOf(graph: Graph, padding: CsdfRequest['padding'], byParts?: readonly boolean[]): CsdfGraph {
  refuseTooLarge(graph);
  if (!canStream(graph))
    throw new TidemarkError(
      'shape-too-large',
      `${graph.name}: too many rows to follow one by one; give smaller shapes`,
    );
  return csdfOf(graph, { padding, byParts });
}
