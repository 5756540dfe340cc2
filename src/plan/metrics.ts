/** Figures of a plan, from the plan and its graph alone: what every report, command and comparison quotes. */
import { ABSENT, type Graph, tensorBytes } from '../graph/graph.ts';
import { contextOf, definitionOf } from '../ops/registry.ts';
import { EXTERNAL, type Plan } from './plan.ts';
import { plannedGraph } from './planned-graph.ts';
import { expandSchedule, scheduleEntries } from './schedule.ts';

export interface PlanMetrics {
  readonly arenaBytes: number;
  /** Working memory and fold states, inside the arena. */
  readonly scratchBytes: number;
  /** Multiply-accumulates of one run. */
  readonly macs: number;
  /** Multiply-accumulates beyond the graph's own, as a share of it. */
  readonly macOverhead: number;
  readonly firings: number;
  /** Entries of the loop-compressed schedule. */
  readonly scheduleEntries: number;
}

/** Multiply-accumulates of a graph, each operator evaluated once. */
export function graphMacs(graph: Graph): number {
  let macs = 0;
  for (const op of graph.operators) macs += definitionOf(op.kind).macs(contextOf(graph, op));
  return macs;
}

/** Constants that operators read, each once, in the types they are kept in. */
export function weightBytes(graph: Graph): number {
  const ids = new Set(
    graph.operators.flatMap((op) => op.inputs.filter((id) => id !== ABSENT && graph.tensors[id].constant)),
  );
  return [...ids].reduce((n, id) => n + tensorBytes(graph.tensors[id]), 0);
}

export function planMetrics(graph: Graph, plan: Plan): PlanMetrics {
  // Operators fire each run at most once (the checker sees to it), so a plan computes what the graph does.
  const { graph: resolved } = plannedGraph(graph, plan);
  const once = graphMacs(graph);
  const macs = graphMacs(resolved);
  return {
    arenaBytes: plan.arenaBytes,
    scratchBytes: plan.buffers.reduce(
      (n, b) => n + (b.tensor === undefined && b.bank !== EXTERNAL ? b.bytes : 0),
      0,
    ),
    macs,
    macOverhead: once > 0 ? macs / once - 1 : 0,
    firings: expandSchedule(plan.schedule).length,
    scheduleEntries: scheduleEntries(plan.schedule),
  };
}
