/** What commands ask of the planner, and the figures of a plan as the JSON of every command has them. */
import { fitGraph } from '../fit/fit.ts';
import type { Graph } from '../graph/graph.ts';
import { planMetrics } from '../plan/metrics.ts';
import type { Plan, Policy } from '../plan/plan.ts';
import type { AccountingWord } from './options/shared.ts';
import type { Progress } from './terminal/progress.ts';

export interface PlanRequest {
  /** Left out: the smallest arena. */
  readonly budgetBytes?: number;
  readonly policy: Policy;
  readonly accounting?: AccountingWord;
  /** Left out: whatever serves the request best. */
  readonly method?: 'layerwise' | 'fit';
  readonly progress?: Progress;
}

export interface PlanAnswer {
  readonly plan: Plan;
  readonly fits: boolean;
  readonly arenaBytes: number;
  readonly scratchBytes: number;
  readonly lowerBoundBytes: number;
  readonly optimal: boolean;
  /** The planner hands out no plan that the checker refuses. */
  readonly checked: true;
  readonly macs: number;
  readonly macOverhead: number;
}

export function planModel(graph: Graph, request: PlanRequest): PlanAnswer {
  const { budgetBytes, method, progress } = request;
  const { plan, fits, lowerBoundBytes, optimal } = fitGraph(graph, {
    policy: request.accounting === 'ops-only' ? PORTS_OUTSIDE : request.policy,
    budgetBytes,
    method,
    onProgress: (done) => progress?.step(`planning ${Math.round(done * 100)} %`),
  });
  const { arenaBytes, scratchBytes, macs, macOverhead } = planMetrics(graph, plan);
  return { plan, fits, arenaBytes, scratchBytes, lowerBoundBytes, optimal, checked: true, macs, macOverhead };
}

/** Where sizes leave input and output out, the plan has them outside the arena: its size is then a real one. */
const PORTS_OUTSIDE: Policy = { input: 'external', output: 'streamed' };
