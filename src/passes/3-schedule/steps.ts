/**
 * A network as the scheduler sees it: steps (inputs arriving, operators, outputs leaving) in a valid
 * order, the tensors that own memory, and a firing table for each step and way of running it.
 */
import {
  channelsOf,
  elementBytes,
  elementCount,
  type Graph,
  pixelsOf,
  rowPixels,
  type TensorId,
} from '../../graph/graph.ts';
import { type CopyChoice, readsInOnePiece, resolveStorage, type Storage } from '../../graph/storage.ts';
import { definitionOf } from '../../ops/registry.ts';
import type { Policy } from '../../plan/plan.ts';
import { bestOrder } from './order.ts';
import { buildTable, type FiringTable, type Mode, type Step, type Writer } from './tables.ts';

/** A root tensor's place in the network. */
export interface RootInfo {
  readonly tensor: TensorId;
  readonly name: string;
  readonly elements: number;
  readonly elementBytes: number;
  readonly bytes: number;
  /** Elements between which a ring may wrap without taking a pixel apart; 0 where it cannot be a ring. */
  readonly pixelGranule: number;
  readonly rowElements: number;
  /** Steps that write into it and read from it, by index. */
  readonly writers: readonly number[];
  readonly readers: readonly number[];
  /** Stays to the end. */
  readonly kept: boolean;
  /** Lies outside the arena. */
  readonly external: boolean;
}

export interface Network {
  readonly graph: Graph;
  readonly storage: Storage;
  readonly policy: Policy;
  readonly copies: readonly CopyChoice[];
  readonly steps: readonly Step[];
  readonly roots: readonly RootInfo[];
  /** Index into `roots` by tensor id of the root. */
  readonly rootIndex: ReadonlyMap<TensorId, number>;
  /** By step: the roots that it writes or reads, by index. */
  readonly touched: readonly (readonly number[])[];
  /** Bytes live between step s - 1 and step s when all tensors across it are whole. */
  readonly crossing: Float64Array;
  /** `reverse`: from the last run to the first. */
  table(step: number, mode: Mode, reverse?: boolean): FiringTable;
}

/**
 * The network of a graph under input and output policies. Steps stand in the order of the graph's operators, or
 * in the one that lowers the layer-by-layer peak; undefined where that is asked for and is the same.
 */
export function networkOf(original: Graph, policy: Policy, copies?: readonly CopyChoice[]): Network;
export function networkOf(
  original: Graph,
  policy: Policy,
  copies: readonly CopyChoice[],
  order: 'best',
): Network | undefined;
export function networkOf(
  original: Graph,
  policy: Policy,
  copies: readonly CopyChoice[] = [],
  order: 'file' | 'best' = 'file',
): Network | undefined {
  const { graph, storage } = resolveStorage(original, copies);
  const ids = order === 'best' ? bestOrder(graph, storage) : graph.operators.map((op) => op.id);
  if (!ids) return undefined;
  const steps = stepsInOrder(graph, storage, policy, ids);
  const { roots, rootIndex } = describeRoots(graph, storage, policy, steps);
  const tables = new Map<string, FiringTable>();
  const writers = new Map<TensorId, Writer[]>();
  const write = (tensor: TensorId, step: number) => {
    const { root } = storage.places[tensor];
    const known = writers.get(root);
    if (known) known.push({ tensor, step });
    else writers.set(root, [{ tensor, step }]);
  };
  steps.forEach((s, i) => {
    if (s.kind === 'source') write(graph.inputs[s.index].tensor, i);
    if (s.kind === 'operator') for (const t of graph.operators[s.index].outputs) write(t, i);
  });
  return {
    graph,
    storage,
    policy,
    copies,
    steps,
    roots,
    rootIndex,
    touched: touchedBy(steps, roots),
    crossing: crossingBytes(steps, roots),
    table(step, mode, reverse = false) {
      const key = `${step} ${mode === 'singles' ? 'rows' : mode} ${reverse}`;
      let table = tables.get(key);
      if (!table) {
        // What comes later in the order cannot be what a step waits for, whatever its addresses.
        const before = (root: TensorId) => (writers.get(root) ?? []).filter((w) => w.step < step);
        table = buildTable(graph, storage, steps[step], mode, rootIndex, before, reverse);
        tables.set(key, table);
      }
      return table;
    },
  };
}

/** Streamed inputs arrive just before their first reader, others at the start; outputs leave once they are made. */
function stepsInOrder(graph: Graph, storage: Storage, policy: Policy, order: readonly number[]): Step[] {
  const steps: Step[] = [];
  const source = (i: number) => steps.push({ kind: 'source', index: i, name: graph.inputs[i].name });
  const arrived = new Set<number>();
  const arrive = (i: number) => {
    if (arrived.has(i)) return;
    arrived.add(i);
    source(i);
  };
  if (policy.input !== 'streamed') for (const i of graph.inputs.keys()) arrive(i);
  const inputByRoot = new Map(graph.inputs.map((p, i) => [storage.places[p.tensor].root, i]));
  const left = new Set<number>();
  const leave = () => {
    if (policy.output !== 'streamed') return;
    graph.outputs.forEach((p, i) => {
      if (left.has(i) || graph.tensors[p.tensor].constant) return;
      const root = storage.places[p.tensor].root;
      const input = inputByRoot.get(root);
      if (input === undefined ? !complete.has(root) : !arrived.has(input)) return;
      left.add(i);
      steps.push({ kind: 'sink', index: i, name: p.name });
    });
  };
  const complete = new Set<TensorId>();
  const pending = new Map<TensorId, number>();
  for (const op of graph.operators) {
    if (storage.isView[op.id]) continue;
    for (const t of op.outputs)
      pending.set(storage.places[t].root, (pending.get(storage.places[t].root) ?? 0) + 1);
  }
  for (const id of order) {
    const op = graph.operators[id];
    if (storage.isView[op.id]) continue;
    for (const t of op.inputs) {
      const i = t < 0 ? undefined : inputByRoot.get(storage.places[t]?.root);
      if (i !== undefined) arrive(i);
    }
    steps.push({ kind: 'operator', index: op.id, name: op.name });
    for (const t of op.outputs) {
      const root = storage.places[t].root;
      const rest = pending.get(root)! - 1;
      pending.set(root, rest);
      if (rest === 0) complete.add(root);
    }
    leave();
  }
  for (const i of graph.inputs.keys()) arrive(i);
  leave();
  return steps;
}

function describeRoots(
  graph: Graph,
  storage: Storage,
  policy: Policy,
  steps: readonly Step[],
): { roots: RootInfo[]; rootIndex: Map<TensorId, number> } {
  const rootIndex = new Map<TensorId, number>();
  const granules = granulesOf(graph, storage);
  const roots: {
    -readonly [K in keyof RootInfo]: RootInfo[K] extends readonly number[] ? number[] : RootInfo[K];
  }[] = [];
  const at = (t: TensorId) => {
    const root = storage.places[t].root;
    let i = rootIndex.get(root);
    if (i === undefined) {
      const tensor = graph.tensors[root];
      i = roots.length;
      rootIndex.set(root, i);
      const elements = elementCount(tensor.shape);
      const size = elementBytes(tensor);
      roots.push({
        tensor: root,
        name: tensor.name,
        elements,
        elementBytes: size,
        bytes: elements * size,
        pixelGranule: granules.get(root)!,
        rowElements: rowPixels(tensor.shape) * channelsOf(tensor.shape),
        writers: [],
        readers: [],
        kept: false,
        external: false,
      });
    }
    return roots[i];
  };
  const push = (list: number[], step: number) => {
    if (list[list.length - 1] !== step) list.push(step);
  };
  steps.forEach((s, i) => {
    if (s.kind === 'source') push(at(graph.inputs[s.index].tensor).writers as number[], i);
    else if (s.kind === 'sink') push(at(graph.outputs[s.index].tensor).readers as number[], i);
    else {
      const op = graph.operators[s.index];
      for (const t of op.inputs) if (t >= 0 && !graph.tensors[t].constant) push(at(t).readers as number[], i);
      for (const t of op.outputs) push(at(t).writers as number[], i);
    }
  });
  if (policy.output === 'whole')
    for (const p of graph.outputs) if (!graph.tensors[p.tensor].constant) at(p.tensor).kept = true;
  for (const p of graph.inputs) {
    if (policy.input === 'keep') at(p.tensor).kept = true;
    if (policy.input === 'external') at(p.tensor).external = true;
  }
  return { roots, rootIndex };
}

function touchedBy(steps: readonly Step[], roots: readonly RootInfo[]): number[][] {
  const touched: number[][] = steps.map(() => []);
  roots.forEach((r, i) => {
    for (const s of new Set([...r.writers, ...r.readers])) touched[s].push(i);
  });
  return touched;
}

function crossingBytes(steps: readonly Step[], roots: readonly RootInfo[]): Float64Array {
  const change = new Float64Array(steps.length + 2);
  for (const r of roots) {
    if (r.external || r.writers.length === 0) continue;
    const to = r.kept ? steps.length : Math.max(r.readers.at(-1) ?? -1, r.writers.at(-1)!);
    if (to <= r.writers[0]) continue;
    change[r.writers[0] + 1] += r.bytes;
    change[to + 1] -= r.bytes;
  }
  const crossing = new Float64Array(steps.length + 1);
  for (let s = 0, live = 0; s <= steps.length; s++) crossing[s] = live += change[s];
  return crossing;
}

/** By root: the least common multiple of the pixel strides of everything in it; 0 where something takes it in one piece. */
function granulesOf(graph: Graph, storage: Storage): Map<TensorId, number> {
  const whole = new Set<TensorId>();
  for (const op of graph.operators) {
    if (storage.isView[op.id]) continue;
    for (const t of op.inputs) if (t >= 0 && readsInOnePiece(op, t)) whole.add(t);
    if (definitionOf(op.kind).access === 'whole') for (const t of op.outputs) whole.add(t);
  }
  const granules = new Map<TensorId, number>();
  for (const t of graph.tensors) {
    if (t.constant) continue;
    const { root, offset, pixelStride, rows } = storage.places[t.id];
    const before = granules.get(root) ?? channelsOf(graph.tensors[root].shape);
    const apart = (offset % pixelStride) + channelsOf(t.shape) > pixelStride;
    const fixed = apart || (pixelsOf(t.shape) > 1 && whole.has(t.id));
    granules.set(root, fixed || before === 0 ? 0 : lcm(before, pixelStride));
    if (rows && rows.stride % pixelStride !== 0) granules.set(root, lcm(granules.get(root)!, rows.stride));
  }
  return granules;
}

function lcm(a: number, b: number): number {
  return a === 0 ? 0 : (a / gcd(a, b)) * b;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
