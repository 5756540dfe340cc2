/** Figures of a plan, from the plan and its graph alone: what every report, command and comparison quotes. */
import { ABSENT, type Graph, pixelsOf, tensorBytes } from '../graph/graph.ts';
import { contextOf, definitionOf } from '../ops/registry.ts';
import { firingsOf } from './firing.ts';
import { EXTERNAL, type Plan, type PlanActor } from './plan.ts';
import { plannedGraph } from './planned-graph.ts';
import { expandSchedule, scheduleBytes, scheduleEntries } from './schedule.ts';

export interface PlanMetrics {
  readonly arenaBytes: number;
  /** Working memory and fold states, inside the arena. */
  readonly scratchBytes: number;
  /** Multiply-accumulates of one run: of what fires. */
  readonly macs: number;
  /** Multiply-accumulates beyond the graph's own, as a share of it; 0 where it computes no more, or less. */
  readonly macOverhead: number;
  readonly firings: number;
  /** Entries of the loop-compressed schedule. */
  readonly scheduleEntries: number;
  /** What storing that schedule takes. */
  readonly scheduleBytes: number;
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
  const { graph: resolved } = plannedGraph(graph, plan);
  const sequence = expandSchedule(plan.schedule);
  const times = new Int32Array(plan.actors.length);
  for (const actor of sequence) times[actor]++;
  const once = graphMacs(graph);
  const macs = plan.actors.reduce((n, actor, i) => n + firedMacs(resolved, actor, times[i]), 0);
  return {
    arenaBytes: plan.arenaBytes,
    scratchBytes: plan.buffers.reduce(
      (n, b) => n + (b.tensor === undefined && b.bank !== EXTERNAL ? b.bytes : 0),
      0,
    ),
    macs,
    macOverhead: once > 0 ? Math.max(0, macs / once - 1) : 0,
    firings: sequence.length,
    scheduleEntries: scheduleEntries(plan.schedule),
    scheduleBytes: scheduleBytes(plan.schedule),
  };
}

/** Multiply-accumulates of an actor's first firings: a plan leaves out those whose results nobody reads. */
function firedMacs(graph: Graph, actor: PlanActor, times: number): number {
  if (actor.kind !== 'operator') return 0;
  const op = graph.operators[actor.index];
  const context = contextOf(graph, op);
  const macs = definitionOf(op.kind).macs(context);
  const { count, writes, reads } = firingsOf(graph, actor);
  if (times >= count) return macs;
  let pixels = 0;
  for (let f = 0; f < times; f++) {
    const { lo, hi } = actor.fold ? reads(0, f) : writes(f);
    pixels += hi - lo;
  }
  const { shape } = actor.fold ? context.inputs[0]! : context.outputs[0];
  return Math.round((macs * pixels) / pixelsOf(shape));
}
