/** What commands ask of the planner, and the figures of a plan as the JSON of every command has them. */

import { assemblePlan } from '../fit/assemble.ts';
import { chooseSpans } from '../fit/spans.ts';
import type { Graph } from '../graph/graph.ts';
import { networkOf } from '../passes/3-schedule/steps.ts';
import { checkPlan } from '../plan/check.ts';
import type { Plan, Policy } from '../plan/plan.ts';
import type { Progress } from './terminal/progress.ts';

export interface PlanRequest {
  readonly budgetBytes?: number;
  readonly maxOverhead?: number;
  readonly policy: Policy;
  readonly accounting?: string;
  /** Left out: fit, whatever serves the request best. */
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
  readonly checked: boolean;
  readonly macs: number;
  readonly macOverhead: number;
}

export function planModel(graph: Graph, request: PlanRequest): PlanAnswer {
  const net = networkOf(graph, request.policy);
  const spans = chooseSpans(net, {
    modes: request.method === 'layerwise' ? ['whole'] : ['rows', 'pixels'],
    onProgress: (d) => request.progress?.step(`planning ${Math.round(d * 100)} %`),
  })!;
  const { plan, lowerBoundBytes } = assemblePlan(graph, net, spans);
  const scratchBytes = Math.max(0, ...plan.buffers.filter((b) => b.tensor === undefined).map((b) => b.bytes));
  return {
    plan,
    fits: request.budgetBytes === undefined || plan.arenaBytes <= request.budgetBytes,
    arenaBytes: plan.arenaBytes,
    scratchBytes,
    lowerBoundBytes,
    optimal: lowerBoundBytes === plan.arenaBytes,
    checked: checkPlan(graph, plan).ok,
    macs: 0,
    macOverhead: 0,
  };
}
