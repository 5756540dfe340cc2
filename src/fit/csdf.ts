/**
 * Method 4 from end to end: a network's CSDF graph, its self-timed schedule, what its buffers take in every way of
 * counting, that schedule run in FIFOs of these sizes, and (with exact padding) as a plan that the checker proves.
 */
import { TidemarkError } from '../errors.ts';
import { type Graph, pixelsOf, rowPixels } from '../graph/graph.ts';
import type { Part } from '../part.ts';
import { runBounded } from '../passes/3-schedule/csdf/bounded.ts';
import { csdfOf, layersOf } from '../passes/3-schedule/csdf/from-graph.ts';
import type { CsdfGraph } from '../passes/3-schedule/csdf/model.ts';
import { type ParetoSet, paretoSet } from '../passes/3-schedule/csdf/pareto.ts';
import { type Pipeline, partitionActors, pipelineOf } from '../passes/3-schedule/csdf/partitions.ts';
import { type Preference, simulate, type Trace } from '../passes/3-schedule/csdf/simulate.ts';
import { type CsdfSizes, sizesOf } from '../passes/3-schedule/csdf/sizes.ts';
import { type Throughput, throughputOf } from '../passes/3-schedule/csdf/throughput.ts';
import { checkPlan } from '../plan/check.ts';
import type { Plan, Policy } from '../plan/plan.ts';
import type { Candidate } from './candidates.ts';
import { type CsdfPlan, csdfPlan, csdfPlans } from './csdf-plan.ts';
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
  const planned = { policy, csdf, sequence: trace.sequence, addresses: 'shared' } as const;
  const { plan, lowerBoundBytes } = csdfPlan(graph, planned);
  return { ...answer, plan, lowerBoundBytes, checked: run.ok && checkPlan(graph, plan).ok };
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

export interface ParetoRequest {
  /** Left out: FIFOs that take turns, as in the sequel. */
  readonly memory?: 'reuseBytes' | 'liveBytes';
  /** Choices that a search may try. */
  readonly tries?: number;
  /** Left out: nothing breaks off. */
  readonly part?: Part;
  readonly onProgress?: (done: number) => void;
}

/** Memory against phases. */
export function csdfPareto(
  graph: Graph,
  { padding, inner }: CsdfRequest,
  options: ParetoRequest = {},
): ParetoSet {
  const { memory = 'reuseBytes', ...search } = options;
  const layers = graphOf(graph, padding).actors.filter((a) => a.kind !== 'input' && a.kind !== 'output');
  return paretoSet({
    ...search,
    free: layers.map((a) => a.mostPhases > 1),
    evaluate: (byParts) => {
      const csdf = csdfOf(graph, { padding, byParts });
      const sizes = sizesOf(csdf, { preference: PREFERENCE[padding], inner });
      return { bytes: sizes[memory], phases: sizes.phases };
    },
  });
}

/** Effort of the choice below: firings times edges over all tries. A second or so. */
const CHOICE_WORK = 1e8;
const MOST_TRIES = 600;

/**
 * The smallest plan that method 4 and its sequel have here: layers by parts or whole, whichever of all and the search's
 * best takes less once addresses are given.
 */
export function smallestCsdfPlan(
  graph: Graph,
  policy: Policy,
  onProgress?: (done: number) => void,
): { plan: Plan; lowerBoundBytes: number } {
  const base: CsdfRequest = { padding: 'exact', policy };
  const all = csdfPlanOf(graph, policy, 'shared');
  const csdf = graphOf(graph, 'exact');
  const phases = csdf.actors.reduce((n, a) => n + a.phases, 0);
  const tries = Math.min(MOST_TRIES, Math.floor(CHOICE_WORK / Math.max(1, phases * csdf.edges.length)));
  const { choices } = csdfPareto(graph, base, { memory: 'liveBytes', tries, onProgress });
  const chosen = csdfPlanOf(graph, policy, 'shared', choices[0].byParts);
  return chosen.plan.arenaBytes < all.plan.arenaBytes ? chosen : all;
}

/** Rows of all tensors beyond which fit does not look at this schedule: its own streams do better on larger networks. */
const MOST_CHOSEN_ROWS = 2000;

/** The self-timed schedule, all layers by parts, to be chosen among others; undefined where the network is not small. */
export function csdfCandidate(graph: Graph, policy: Policy): Candidate | undefined {
  const rows = graph.tensors.reduce(
    (n, { shape, constant }) => n + (constant ? 0 : pixelsOf(shape) / Math.max(1, rowPixels(shape))),
    0,
  );
  if (rows > MOST_CHOSEN_ROWS) return undefined;
  const csdf = graphOf(graph, 'exact');
  const { sequence } = simulate(csdf, { preference: 'downstream' });
  const made = csdfPlans(graph, { policy, csdf, sequence, addresses: 'shared' })[0];
  if (!made) return undefined;
  const { network, layout } = made.from;
  return { variant: { graph, network }, layout, extraMacs: 0, cost: layout.timeline.sequence.length };
}

/** The plan of the self-timed schedule. */
export function csdfPlanOf(
  graph: Graph,
  policy: Policy,
  addresses: 'apart' | 'shared',
  byParts?: readonly boolean[],
): CsdfPlan {
  const csdf = graphOf(graph, 'exact', byParts);
  const { sequence } = simulate(csdf, { preference: 'downstream' });
  return csdfPlan(graph, { policy, csdf, sequence, addresses });
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
