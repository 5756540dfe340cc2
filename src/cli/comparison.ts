/** The rows of `compare`: each method planned, checked and timed on one graph. */
import type { Planned } from '../compile.ts';
import { csdfPlanOf, smallestCsdfPlan } from '../fit/csdf.ts';
import { withBuffersApart } from '../fit/csdf-plan.ts';
import { canStream } from '../fit/limits.ts';
import { overlapGraph } from '../fit/overlapped.ts';
import type { Graph } from '../graph/graph.ts';
import { type Part, toTheEnd, unlessStopped } from '../part.ts';
import { restructureGraph } from '../passes/1-restructure/restructure.ts';
import { checkPlan } from '../plan/check.ts';
import { planMetrics } from '../plan/metrics.ts';
import type { Plan } from '../plan/plan.ts';
import { profileOf } from '../report/profile.ts';
import { inOnePiece } from './bounded.ts';
import type { PolicyOptions } from './options/shared.ts';
import { fitRequest, type PlanRequest, planModel } from './planning.ts';
import type { Progress } from './terminal/progress.ts';

export interface MethodRow {
  readonly method: string;
  readonly arenaBytes: number;
  readonly lowerBoundBytes: number;
  readonly optimal: boolean;
  readonly macs: number;
  readonly macOverhead: number;
  readonly savingVsPingpong: number;
  readonly savingVsLayerwise: number;
  readonly checked: boolean;
  readonly seconds: number;
  /** The search was broken off: this is the best that it had found. */
  readonly partial?: true;
}

type Figures = Omit<MethodRow, 'method' | 'seconds' | 'partial' | 'savingVsPingpong' | 'savingVsLayerwise'>;

/** The methods there are, as `compare` lists them. */
export const METHODS = [
  'naive',
  'pingpong',
  'layerwise',
  'overlap',
  'csdf',
  'csdf-reuse',
  'restructure',
  'fit',
] as const;
export type Method = (typeof METHODS)[number];

export interface ComparisonRequest extends PolicyOptions {
  readonly progress: Progress;
  /** The methods wanted; left out, all. What is not wanted is not planned, but for layer by layer, which savings refer to. */
  readonly only?: readonly Method[];
  /** Left out: nothing breaks off. */
  readonly part?: Part;
  /** Told of each row as it is there. */
  readonly onRow?: (row: MethodRow) => void;
}

/** Throws `stopped` where not even layer by layer was planned before the search was broken off. */
export function compareMethods(graph: Graph, options: ComparisonRequest): MethodRow[] {
  const { progress, only = METHODS, part = toTheEnd, onRow } = options;
  const request = {
    policy: { input: options.input, output: options.output },
    accounting: options.accounting,
    progress,
    part,
  };
  const profile = profileOf(graph, { opsOnly: options.accounting === 'ops-only' });
  const layerwise = timed(() => planModel(graph, { ...request, method: 'layerwise' }));
  // A rule of thumb, not a plan: nothing of it can be checked, and on a graph with branches it need not exist.
  const pingpong: Figures = {
    arenaBytes: profile.pingpongBytes,
    lowerBoundBytes: profile.pingpongBytes,
    optimal: false,
    macs: profile.macs,
    macOverhead: 0,
    checked: false,
  };
  const row = <T>(method: Method, run: () => T, of: (value: T) => Figures): Row => {
    const { value, seconds } = timed(run);
    return [method, of(value), seconds];
  };
  const make: Readonly<Record<Method, () => Row[]>> = {
    naive: () => [
      row(
        'naive',
        () => naiveFigures(graph, layerwise.value),
        (f) => f,
      ),
    ],
    pingpong: () => [['pingpong', pingpong, 0]],
    layerwise: () => [['layerwise', figures(layerwise.value), layerwise.seconds]],
    overlap: () => overlapRows(graph, request),
    csdf: () => csdfRow(graph, request, 'csdf'),
    'csdf-reuse': () => csdfRow(graph, request, 'csdf-reuse'),
    restructure: () => [restructureRow(graph, request)],
    fit: () => [row('fit', () => planModel(graph, { ...request, method: 'fit' }), figures)],
  };
  const rows: MethodRow[] = [];
  for (const wanted of METHODS.filter((m) => only.includes(m))) {
    const found = FROM_LAYERWISE.includes(wanted) || going(part) ? unlessStopped(make[wanted]) : undefined;
    const partial = IMPROVING.includes(wanted) && !going(part);
    for (const [method, row, seconds] of found ?? []) {
      rows.push({
        method,
        ...row,
        savingVsPingpong: saving(row.arenaBytes, profile.pingpongBytes),
        savingVsLayerwise: saving(row.arenaBytes, layerwise.value.arenaBytes),
        seconds,
        ...(partial ? { partial } : {}),
      });
      onRow?.(rows[rows.length - 1]);
    }
  }
  return rows;
}

type Row = readonly [string, Figures, number];

/** Methods that need no search, once layer by layer is planned. */
const FROM_LAYERWISE: readonly Method[] = ['naive', 'pingpong', 'layerwise'];

/** Methods that have something to show before their end. */
const IMPROVING: readonly Method[] = ['restructure', 'fit'];

/** Whether nothing has broken the search off. */
const going = (part: Part): boolean => part(() => true) ?? false;

/** Method 1: the layers one after another, each output over what is dead of its input, pixel by pixel. */
function overlapRows(graph: Graph, request: PlanRequest): Row[] {
  if (!canStream(graph)) return [];
  const { policy, part = toTheEnd } = fitRequest(request);
  const { value, seconds } = timed(() =>
    inOnePiece(part, 'overlap', () =>
      planFigures(graph, overlapGraph(graph, { policy, granularity: 'pixel' })),
    ),
  );
  return [['overlap', value, seconds]];
}

/** Method 4: a ring for every tensor, each at an address of its own; and its sequel: phases chosen, addresses shared. */
function csdfRow(graph: Graph, request: PlanRequest, method: 'csdf' | 'csdf-reuse'): Row[] {
  // What is too large to follow row by row is planned layer by layer only.
  if (!canStream(graph)) return [];
  const { policy, onProgress, part = toTheEnd } = fitRequest(request);
  const plan = () =>
    method === 'csdf' ? csdfPlanOf(graph, policy, 'apart') : smallestCsdfPlan(graph, policy, onProgress);
  const { value, seconds } = timed(() => inOnePiece(part, method, () => planFigures(graph, plan())));
  return [[method, value, seconds]];
}

/** Method 3: regions computed tile by tile within its published overhead, the tiled graph layer by layer. */
function restructureRow(graph: Graph, request: PlanRequest): Row {
  const { policy } = fitRequest(request);
  const { value, seconds } = timed(() => {
    const found = restructureGraph(graph, { policy, part: request.part });
    // The addresses of what was found are not part of the search.
    const planned = planModel(found.graph, { ...request, part: undefined, method: 'layerwise' });
    return { ...figures(planned), macOverhead: found.macOverhead };
  });
  return ['restructure', value, seconds];
}

function planFigures(graph: Graph, made: { plan: Plan; lowerBoundBytes: number }): Figures {
  const { arenaBytes, macs, macOverhead } = planMetrics(graph, made.plan);
  const { lowerBoundBytes } = made;
  const { ok } = checkPlan(graph, made.plan);
  return {
    arenaBytes,
    lowerBoundBytes,
    optimal: arenaBytes === lowerBoundBytes,
    macs,
    macOverhead,
    checked: ok,
  };
}

const saving = (bytes: number, than: number) => (than > 0 ? 1 - bytes / than : 0);

function figures(p: Planned): Figures {
  const { arenaBytes, lowerBoundBytes, optimal, macs, macOverhead, checked } = p;
  return { arenaBytes, lowerBoundBytes, optimal, macs, macOverhead, checked };
}

/** The layer-by-layer plan with every buffer at an address of its own. */
function naiveFigures(graph: Graph, layerwise: Planned): Figures {
  const plan = withBuffersApart(layerwise.plan);
  const { arenaBytes } = plan;
  const { macs, macOverhead } = layerwise;
  return {
    arenaBytes,
    lowerBoundBytes: arenaBytes,
    optimal: false,
    macs,
    macOverhead,
    checked: checkPlan(graph, plan).ok,
  };
}

function timed<T>(work: () => T): { value: T; seconds: number } {
  const started = performance.now();
  const value = work();
  return { value, seconds: (performance.now() - started) / 1000 };
}
