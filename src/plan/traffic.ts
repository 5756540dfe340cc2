/**
 * Bytes that a run reads from and writes to memory, by root tensor and by bank. What a row of output reads counts once for
 * that row, however its operator fires: a row of input under three rows of windows counts thrice.
 */
import { channelsOf, elementBytes, type Graph, type TensorId } from '../graph/graph.ts';
import type { Storage } from '../graph/storage.ts';
import { definitionOf } from '../ops/registry.ts';
import { rowRun } from '../passes/3-schedule/row-run.ts';
import { type ActorShape, firingsOf } from './firing.ts';
import { banksOf, EXTERNAL, type Plan } from './plan.ts';
import { plannedGraph } from './planned-graph.ts';
import { expandSchedule } from './schedule.ts';

export interface Traffic {
  readBytes: number;
  writtenBytes: number;
}

export interface BankTraffic extends Traffic {
  readonly name: string;
  /** What the plan takes of it. */
  readonly bytes: number;
}

/** Adds what an actor reads and writes in its first `times` firings to the traffic of the roots concerned. */
export function addActorTraffic(
  traffic: Map<TensorId, Traffic>,
  graph: Graph,
  storage: Storage,
  actor: ActorShape,
  times = Number.POSITIVE_INFINITY,
): void {
  const byRows = rowsOf(graph, actor);
  const firings = firingsOf(graph, byRows);
  const of = (id: TensorId): Traffic => {
    const { root } = storage.places[id];
    let entry = traffic.get(root);
    if (!entry) traffic.set(root, (entry = { readBytes: 0, writtenBytes: 0 }));
    return entry;
  };
  const pixelBytes = (id: TensorId) => channelsOf(graph.tensors[id].shape) * elementBytes(graph.tensors[id]);
  const count = Math.min(firings.count, Math.ceil((times * actor.run) / byRows.run));
  firings.inputs.forEach(({ tensor }, i) => {
    let pixels = 0;
    for (let f = 0; f < count; f++) {
      const { lo, hi } = firings.reads(i, f);
      pixels += Math.max(0, hi - lo);
    }
    of(tensor).readBytes += pixels * pixelBytes(tensor);
  });
  let written = 0;
  for (let f = 0; f < count; f++) {
    const { lo, hi } = firings.writes(f);
    written += Math.max(0, hi - lo);
  }
  for (const id of firings.outputs) of(id).writtenBytes += written * pixelBytes(id);
}

/** The same actor, firing row by row. */
function rowsOf(graph: Graph, actor: ActorShape): ActorShape {
  if (actor.kind !== 'operator' || actor.fold) return actor;
  const op = graph.operators[actor.index];
  return definitionOf(op.kind).access === 'pixel' ? { ...actor, run: rowRun(graph, op) } : actor;
}

/** Traffic of one run of a plan, by bank; working memory does not count. Memory outside all banks comes last, if it is used. */
export function planTraffic(graph: Graph, plan: Plan): BankTraffic[] {
  const { graph: planned, storage } = plannedGraph(graph, plan);
  const times = new Int32Array(plan.actors.length);
  for (const a of expandSchedule(plan.schedule)) times[a]++;
  const traffic = new Map<TensorId, Traffic>();
  plan.actors.forEach((actor, i) => {
    addActorTraffic(traffic, planned, storage, actor, times[i]);
  });
  const banks: BankTraffic[] = banksOf(plan).map((b) => ({ ...b, readBytes: 0, writtenBytes: 0 }));
  if (plan.buffers.some((b) => b.bank === EXTERNAL))
    banks.push({ name: EXTERNAL, bytes: 0, readBytes: 0, writtenBytes: 0 });
  for (const { bank, tensor } of plan.buffers) {
    const entry = banks.find((b) => b.name === bank);
    const moved = tensor === undefined ? undefined : traffic.get(tensor);
    if (!entry || !moved) continue;
    entry.readBytes += moved.readBytes;
    entry.writtenBytes += moved.writtenBytes;
  }
  return banks;
}
