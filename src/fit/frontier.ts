/**
 * The whole trade-off between memory and products computed twice: the plan with nothing computed twice, then plans with
 * ever more strips, each smaller than the one before. Every plan on it is proven.
 */
import type { Graph } from '../graph/graph.ts';
import { type Part, toTheEnd, unlessStopped } from '../part.ts';
import { type PlanMetrics, planMetrics } from '../plan/metrics.ts';
import type { Plan, Policy } from '../plan/plan.ts';
import { type FitResult, fitGraph, planVariant } from './fit.ts';
import { chooseStrips } from './strips.ts';

export interface FrontierPoint extends PlanMetrics {
  readonly plan: Plan;
  readonly lowerBoundBytes: number;
  /** How the point was reached. */
  readonly method: 'layerwise' | 'fit' | 'strips';
}

export interface FrontierRequest {
  readonly policy: Policy;
  /** Products that may be computed again, as a share of the network's. Left out: as many as it has. */
  readonly maxOverhead?: number;
  /** Left out: nothing breaks off. */
  readonly part?: Part;
  /** Called with the share of the work done, 0 to 1; may throw to stop. */
  readonly onProgress?: (done: number) => void;
  /** Told of the points so far, as each is found. */
  readonly onPoint?: (points: readonly FrontierPoint[]) => void;
}

/** Effort that the choice of strips may take, in steps of the simulation. */
const STRIP_WORK = 160_000_000;
/** Points lie about so far apart. */
const STRIP_DESCENT = 0.03;

/**
 * Points from the largest arena to the smallest; none has both more memory and more products than another. Broken off, those
 * found by then; throws `stopped` where there is none.
 */
export function frontierOf(graph: Graph, request: FrontierRequest): FrontierPoint[] {
  const { policy, part = toTheEnd, onProgress, onPoint } = request;
  const points: FrontierPoint[] = [];
  const offer = (found: FitResult, method: FrontierPoint['method']) => {
    const point = {
      plan: found.plan,
      lowerBoundBytes: found.lowerBoundBytes,
      method,
      ...planMetrics(graph, found.plan),
    };
    const last = points.at(-1);
    if (last && last.arenaBytes <= point.arenaBytes) return;
    if (last && last.macs >= point.macs) points.pop();
    points.push(point);
    onPoint?.([...points]);
  };
  offer(fitGraph(graph, { policy, part, method: 'layerwise' }), 'layerwise');
  const fitted = unlessStopped(() =>
    fitGraph(graph, { policy, part, onProgress: (d) => onProgress?.(d / 4) }),
  );
  if (fitted) offer(fitted, 'fit');
  const peakBytes = points[points.length - 1].arenaBytes;
  const search = {
    policy,
    maxOverhead: request.maxOverhead ?? 1,
    peakBytes,
    descent: STRIP_DESCENT,
    work: { left: STRIP_WORK },
    onProgress: (d: number) => onProgress?.(0.25 + d / 4),
  };
  const choices = part(() => chooseStrips(graph, search)) ?? [];
  for (const [i, choice] of choices.entries()) {
    // Choices after the end of the search are not even prepared.
    if (!part(() => true)) break;
    onProgress?.(0.5 + i / choices.length / 2);
    const found = planVariant(graph, { policy, part }, choice, points[points.length - 1].arenaBytes);
    if (found) offer(found, 'strips');
  }
  return points;
}
