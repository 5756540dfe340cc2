/** What commands ask of the planner, and the figures of a plan as the JSON of every command has them. */
import { type FitRequest, fitGraph } from '../fit/fit.ts';
import type { Graph } from '../graph/graph.ts';
import { planMetrics } from '../plan/metrics.ts';
import type { Plan, Policy } from '../plan/plan.ts';
import type { Progress } from './terminal/progress.ts';

export interface PlanRequest {
  readonly budgetBytes?: number;
  readonly maxOverhead?: number;
  readonly policy: Policy;
  readonly accounting?: string;
  /** Left out: fit, whatever serves the request best. */
  readonly method?: FitRequest['method'];
  readonly progress?: Progress;
}

export interface PlanAnswer {
  readonly plan: Plan;
  readonly fits: boolean;
  readonly arenaBytes: number;
  readonly scratchBytes: number;
  readonly lowerBoundBytes: number;
  readonly optimal: boolean;
  readonly checked: boolean;
  readonly macs: number;
  readonly macOverhead: number;
}

/** Plans a graph. What `fitGraph` hands out has passed the checker. */
export function planModel(graph: Graph, request: PlanRequest): PlanAnswer {
  const { plan, fits, lowerBoundBytes, optimal } = fitGraph(graph, {
    policy: request.policy,
    budgetBytes: request.budgetBytes,
    method: request.method,
    onProgress: (done) => request.progress?.step(`planning ${Math.round(done * 100)} %`),
  });
  const { arenaBytes, scratchBytes, macs, macOverhead } = planMetrics(graph, plan);
  return { plan, fits, arenaBytes, scratchBytes, lowerBoundBytes, optimal, checked: true, macs, macOverhead };
}
