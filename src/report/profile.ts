/**
 * What a model needs when it is run layer by layer in its own order, every tensor whole: the picture before any
 * planning. Reshapes and slices are addresses and cost nothing; a concat is taken as a copy, as runtimes do it.
 */
import { ABSENT, type Graph, type TensorId, tensorBytes } from '../graph/graph.ts';
import { resolveStorage } from '../graph/storage.ts';
import { graphMacs, weightBytes } from '../plan/metrics.ts';

export interface ProfileStep {
  readonly index: number;
  readonly name: string;
  readonly op: string;
  /** All tensors that exist while the operator runs, inputs and outputs of the network included. */
  readonly liveBytes: number;
}

export interface Profile {
  readonly operators: number;
  readonly macs: number;
  readonly weightBytes: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** Every tensor at an address of its own. */
  readonly naiveBytes: number;
  /** Largest sum of an operator's inputs and outputs: two buffers used in turn. */
  readonly pingpongBytes: number;
  /** The worst step. */
  readonly livenessPeakBytes: number;
  readonly peakAt: string;
  readonly steps: readonly ProfileStep[];
}

export interface ProfileOptions {
  /** Leave the network's inputs and outputs out of every size. */
  readonly opsOnly?: boolean;
}

export function profileOf(graph: Graph, options: ProfileOptions = {}): Profile {
  const owner = owners(graph);
  const running = graph.operators.filter((op) => op.outputs.every((id) => owner[id] === id));
  const ports = new Set([...graph.inputs, ...graph.outputs].map((p) => owner[p.tensor]));
  const counted = (id: TensorId) => !graph.tensors[id].constant && !(options.opsOnly && ports.has(id));
  const touched = running.map((op) => {
    const ids = [...op.inputs.filter((id) => id !== ABSENT), ...op.outputs].map((id) => owner[id]);
    return [...new Set(ids)].filter(counted);
  });
  const { first, last } = lifetimes(graph, owner, touched);
  const bytes = (ids: Iterable<TensorId>) => {
    let sum = 0;
    for (const id of ids) sum += tensorBytes(graph.tensors[id]);
    return sum;
  };
  const live = liveBytes(graph, running.length, first, last);
  const steps = running.map((op, i) => ({ index: i, name: op.name, op: op.kind, liveBytes: live[i] }));
  const peak = Math.max(0, ...live);
  const used = [...first.keys()];
  return {
    operators: running.length,
    macs: graphMacs(graph),
    weightBytes: weightBytes(graph),
    inputBytes: bytes(new Set(graph.inputs.map((p) => p.tensor))),
    outputBytes: bytes(new Set(graph.outputs.map((p) => p.tensor))),
    naiveBytes: bytes(used),
    pingpongBytes: Math.max(0, ...touched.map(bytes)),
    livenessPeakBytes: peak,
    peakAt: steps.find((s) => s.liveBytes === peak)?.name ?? '',
    steps,
  };
}

/** The tensor whose memory each tensor is, by tensor id. */
function owners(graph: Graph): TensorId[] {
  const { graph: resolved, storage } = resolveStorage(graph);
  const owner = graph.tensors.map((t) => t.id);
  // Copies that storage puts in have no place in the file's order; operators are found by their outputs.
  const views = new Set(
    resolved.operators
      .filter((op) => storage.isView[op.id] && op.kind !== 'Concat')
      .map((op) => op.outputs[0]),
  );
  for (const op of graph.operators) {
    if (views.has(op.outputs[0])) for (const id of op.outputs) owner[id] = owner[op.inputs[0]];
  }
  return owner;
}

/** First and last step of each tensor. A network's inputs are there from the start, its outputs to the end. */
function lifetimes(graph: Graph, owner: readonly TensorId[], touched: readonly (readonly TensorId[])[]) {
  const first = new Map<TensorId, number>();
  const last = new Map<TensorId, number>();
  touched.forEach((ids, i) => {
    for (const id of ids) {
      if (!first.has(id)) first.set(id, i);
      last.set(id, i);
    }
  });
  for (const port of graph.inputs) if (first.has(owner[port.tensor])) first.set(owner[port.tensor], 0);
  for (const port of graph.outputs)
    if (last.has(owner[port.tensor])) last.set(owner[port.tensor], touched.length - 1);
  return { first, last };
}

function liveBytes(
  graph: Graph,
  count: number,
  first: ReadonlyMap<TensorId, number>,
  last: ReadonlyMap<TensorId, number>,
): number[] {
  const change = new Array(count + 1).fill(0);
  for (const [id, from] of first) {
    change[from] += tensorBytes(graph.tensors[id]);
    change[last.get(id)! + 1] -= tensorBytes(graph.tensors[id]);
  }
  let now = 0;
  return change.slice(0, count).map((c) => (now += c));
}
