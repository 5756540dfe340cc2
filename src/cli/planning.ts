/** What commands ask of the planner. */
import { type Planned, planGraph } from '../compile.ts';
import type { FitRequest } from '../fit/fit.ts';
import type { Graph } from '../graph/graph.ts';
import type { Policy } from '../plan/plan.ts';
import { boundedSearch, type StopDocument, searchedFor, stopDocument } from './bounded.ts';
import type { PlanningBounds } from './options/limits.ts';
import type { AccountingWord, PolicyOptions } from './options/shared.ts';
import { type Progress, startProgress } from './terminal/progress.ts';

export interface PlanRequest extends Omit<FitRequest, 'onProgress'> {
  readonly accounting?: AccountingWord;
  readonly progress?: Progress;
}

export function planModel(graph: Graph, request: PlanRequest): Planned {
  return planGraph(graph, fitRequest(request));
}

/**
 * A plan for a command that goes on with it: within limits, the best found by then, and what ended the search. Ctrl-C ends
 * the program, since the plan is not what was asked for.
 */
export function planWithin(
  graph: Graph,
  request: PlanRequest,
  bounds: PlanningBounds,
): Planned & { readonly stop: StopDocument } {
  const { progress = startProgress() } = request;
  const work = boundedSearch(bounds, progress, () => 'going on with the best plan found so far', false);
  const planned = searchedFor(work, () => planModel(graph, { ...request, part: work.run }));
  return { ...planned, stop: stopDocument(work) };
}

/** Progress goes to the terminal; where sizes leave the ports out, so does the plan. */
export function fitRequest({ accounting, progress, ...request }: PlanRequest): FitRequest {
  return {
    ...request,
    policy: accounting === 'ops-only' ? PORTS_OUTSIDE : request.policy,
    onProgress: (done) => progress?.step(`planning ${Math.round(done * 100)} %`),
  };
}

/** The policy that options ask for. */
export function policyOf({ input, output, accounting }: PolicyOptions): Policy {
  return accounting === 'ops-only' ? PORTS_OUTSIDE : { input, output };
}

/** Where sizes leave input and output out, the plan has them outside the arena: its size is then a real one. */
const PORTS_OUTSIDE: Policy = { input: 'external', output: 'streamed' };
