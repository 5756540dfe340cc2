/**
 * A graph as memory sees it when it runs operator by operator: an order, what owns memory and when it is live, and the
 * live bytes of every step. An output written over an input in place counts once.
 */
import { ABSENT, elementBytes, elementCount, type Graph, type TensorId } from '../../graph/graph.ts';
import { resolveStorage, type Storage } from '../../graph/storage.ts';
import { contextOf, definitionOf } from '../../ops/registry.ts';
import type { Policy } from '../../plan/plan.ts';
import { bestOrder } from '../3-schedule/order.ts';

/** A tensor that owns memory. */
export interface LiveRoot {
  readonly tensor: TensorId;
  readonly bytes: number;
  /** Step of the first write; -1 where it is there from the start. */
  readonly first: number;
  /** Step of the last read or write; the number of steps where it stays. */
  readonly last: number;
}

export interface Sequence {
  readonly graph: Graph;
  /** Operator by step, views among them; -1 for a copy that storage needs. */
  readonly order: readonly number[];
  /** By operator: true where it is addresses only. */
  readonly isView: readonly boolean[];
  /** Joins whose parts are copied into them although they could be written there. */
  readonly copied: readonly number[];
  readonly roots: readonly LiveRoot[];
  /** Index into `roots` by tensor; -1 for constants. */
  readonly rootOf: Int32Array;
  /** Live bytes while each step runs; 0 for views, which are addresses. */
  readonly live: Float64Array;
  readonly peakBytes: number;
  /** The first step with the most live bytes. */
  readonly peakAt: number;
}

export const WHOLE_RUN: Policy = { input: 'reuse', output: 'whole' };

/** In the graph's own order, or in the best one found; parts of `copied` joins are copied into them. */
export function sequenceOf(
  graph: Graph,
  policy: Policy = WHOLE_RUN,
  reorder = false,
  copied: readonly number[] = [],
): Sequence {
  const copies = copied.flatMap((operator) =>
    graph.operators[operator].inputs.map((_, input) => ({ operator, input })),
  );
  const { graph: resolved, storage } = resolveStorage(graph, copies);
  const order = (reorder ? bestOrder(resolved, storage) : undefined) ?? resolved.operators.map((op) => op.id);
  // Tensors keep their ids where storage puts copies in; operators are found by what they write.
  const maker = new Map(graph.operators.map((op) => [op.outputs[0], op.id]));
  const original = resolved.operators.map((op) => maker.get(op.outputs[0]) ?? -1);
  const { roots, rootOf } = rootsOf(resolved, storage, order, policy);
  const live = liveBytes(resolved, storage, order, roots, rootOf);
  let peakAt = 0;
  live.forEach((bytes, i) => {
    if (bytes > live[peakAt]) peakAt = i;
  });
  const isView: boolean[] = graph.operators.map(() => false);
  original.forEach((id, at) => {
    if (id >= 0) isView[id] = storage.isView[at];
  });
  return {
    graph,
    order: order.map((id) => original[id]),
    isView,
    copied,
    roots,
    rootOf,
    live,
    peakBytes: live.length > 0 ? live[peakAt] : 0,
    peakAt,
  };
}

function rootsOf(graph: Graph, storage: Storage, order: readonly number[], policy: Policy) {
  const roots: { tensor: TensorId; bytes: number; first: number; last: number }[] = [];
  const rootOf = new Int32Array(graph.tensors.length).fill(-1);
  const index = new Map<TensorId, number>();
  for (const t of graph.tensors) {
    if (t.constant) continue;
    const { root } = storage.places[t.id];
    let i = index.get(root);
    if (i === undefined) {
      i = roots.length;
      index.set(root, i);
      const owner = graph.tensors[root];
      const bytes = elementCount(owner.shape) * elementBytes(owner);
      roots.push({ tensor: root, bytes, first: Number.POSITIVE_INFINITY, last: -1 });
    }
    rootOf[t.id] = i;
  }
  const touch = (t: TensorId, step: number) => {
    const root = roots[rootOf[t]];
    root.first = Math.min(root.first, step);
    root.last = Math.max(root.last, step);
  };
  const n = order.length;
  order.forEach((id, step) => {
    if (storage.isView[id]) return;
    const op = graph.operators[id];
    for (const t of op.inputs) if (t !== ABSENT && rootOf[t] >= 0) touch(t, step);
    for (const t of op.outputs) touch(t, step);
  });
  for (const { tensor } of graph.inputs) {
    if (rootOf[tensor] < 0) continue;
    const root = roots[rootOf[tensor]];
    if (policy.input !== 'streamed') root.first = -1;
    if (policy.input === 'keep') root.last = n;
    if (policy.input === 'external') root.bytes = 0;
  }
  if (policy.output === 'whole') {
    for (const { tensor } of graph.outputs) if (rootOf[tensor] >= 0) roots[rootOf[tensor]].last = n;
  }
  return { roots, rootOf };
}

function liveBytes(
  graph: Graph,
  storage: Storage,
  order: readonly number[],
  roots: readonly LiveRoot[],
  rootOf: Int32Array,
): Float64Array {
  const change = new Float64Array(order.length + 2);
  for (const { first, last, bytes } of roots) {
    if (last < first) continue;
    change[Math.max(0, first)] += bytes;
    change[Math.min(order.length, last) + 1] -= bytes;
  }
  const live = new Float64Array(order.length);
  let now = 0;
  order.forEach((id, step) => {
    now += change[step];
    if (storage.isView[id]) return;
    const op = graph.operators[id];
    const output = roots[rootOf[op.outputs[0]]];
    let shared = 0;
    if (output.first === step) {
      for (const k of definitionOf(op.kind).inPlace?.(contextOf(graph, op)) ?? []) {
        const t = op.inputs[k];
        if (rootOf[t] < 0 || roots[rootOf[t]].last !== step) continue;
        shared = Math.max(shared, Math.min(roots[rootOf[t]].bytes, output.bytes));
      }
    }
    live[step] = now - shared;
  });
  return live;
}
