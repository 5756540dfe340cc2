/**
 * A network as the scheduler sees it: steps (inputs arriving, operators, outputs leaving) in a valid order, and
 * for each step and way of running it a table of what every firing reads and writes, in elements of the roots.
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
import { type CopyChoice, type Place, resolveStorage, type Storage } from '../../graph/storage.ts';
import { definitionOf } from '../../ops/registry.ts';
import {
  type ActorShape,
  type Firings,
  firingsOf,
  type OperatorFirings,
  workspaceBytes,
} from '../../plan/firing.ts';
import type { Policy } from '../../plan/plan.ts';
import { bestOrder } from './order.ts';
import { rowRun } from './row-run.ts';

/** How a step is run: all at once, a row a firing, or a pixel a firing. */
export type Mode = 'whole' | 'rows' | 'pixels';

export interface Step {
  readonly kind: 'source' | 'operator' | 'sink';
  /** Operator id or port index. */
  readonly index: number;
  readonly name: string;
}

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
  table(step: number, mode: Mode): FiringTable;
}

export interface WriteAccess {
  readonly root: number;
  /** Hull of what firing f writes, in elements of the root. */
  readonly lo: Int32Array;
  readonly hi: Int32Array;
}

export interface ReadAccess {
  readonly root: number;
  /** Least element that firing f or a later one reads. */
  readonly lo: Int32Array;
  /** Steps that must have written so many pixels before firing f. */
  readonly waits: readonly { readonly step: number; readonly pixels: Int32Array }[];
  /** Most elements that one firing reads: no ring can be smaller. */
  readonly window: number;
  /** The output may be written over this input, element by element. */
  readonly inPlace: boolean;
}

export interface FiringTable {
  readonly shape: ActorShape;
  readonly count: number;
  readonly writes: readonly WriteAccess[];
  readonly reads: readonly ReadAccess[];
  /** Pixels of the output written after firing f. */
  readonly written: Int32Array;
  readonly workspaceBytes: number;
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
  const writerOf = new Map<TensorId, number>();
  steps.forEach((s, i) => {
    if (s.kind === 'source') writerOf.set(graph.inputs[s.index].tensor, i);
    if (s.kind === 'operator') for (const t of graph.operators[s.index].outputs) writerOf.set(t, i);
  });
  return {
    graph,
    storage,
    policy,
    copies,
    steps,
    roots,
    rootIndex,
    table(step, mode) {
      const key = `${step} ${mode}`;
      let table = tables.get(key);
      if (!table) {
        table = buildTable(graph, storage, steps[step], mode, rootIndex, writerOf);
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
        pixelGranule: granuleOf(graph, storage, root),
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

/** Least common multiple of the pixel strides of everything that lies in a root. */
function granuleOf(graph: Graph, storage: Storage, root: TensorId): number {
  let granule = channelsOf(graph.tensors[root].shape);
  for (const t of graph.tensors) {
    const place = storage.places[t.id];
    if (t.constant || place.root !== root) continue;
    const c = channelsOf(t.shape);
    if ((place.offset % place.pixelStride) + c > place.pixelStride) return 0;
    granule = (granule / gcd(granule, place.pixelStride)) * place.pixelStride;
  }
  return granule;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** The shape of a step's actor under a mode. */
function shapeOf(graph: Graph, step: Step, mode: Mode): ActorShape {
  if (step.kind !== 'operator') {
    const port = (step.kind === 'source' ? graph.inputs : graph.outputs)[step.index];
    return { kind: step.kind, index: step.index, run: runOf(graph.tensors[port.tensor].shape, mode) };
  }
  const op = graph.operators[step.index];
  const def = definitionOf(op.kind);
  const output = graph.tensors[op.outputs[0]].shape;
  if (mode !== 'whole' && def.fold && foldPays(graph, step)) {
    return {
      kind: 'operator',
      index: op.id,
      run: runOf(graph.tensors[op.inputs[0]].shape, mode),
      fold: true,
    };
  }
  if (mode === 'whole' || def.access === 'whole')
    return { kind: 'operator', index: op.id, run: Math.max(1, pixelsOf(output)) };
  return { kind: 'operator', index: op.id, run: mode === 'rows' ? rowRun(graph, op) : 1 };
}

function runOf(shape: readonly number[], mode: Mode): number {
  if (mode === 'whole') return Math.max(1, pixelsOf(shape));
  return mode === 'rows' ? Math.max(1, rowPixels(shape)) : 1;
}

/** Folding keeps state instead of the whole input: worth it where the state is smaller. */
function foldPays(graph: Graph, step: Step): boolean {
  const op = graph.operators[step.index];
  const input = graph.tensors[op.inputs[0]];
  if (input.constant || pixelsOf(input.shape) < 2) return false;
  const firings = firingsOf(graph, {
    kind: 'operator',
    index: op.id,
    run: pixelsOf(input.shape),
    fold: true,
  });
  return workspaceBytes(firings, true) < elementCount(input.shape) * elementBytes(input);
}

function buildTable(
  graph: Graph,
  storage: Storage,
  step: Step,
  mode: Mode,
  rootIndex: ReadonlyMap<TensorId, number>,
  writerOf: ReadonlyMap<TensorId, number>,
): FiringTable {
  const shape = shapeOf(graph, step, mode);
  const firings = firingsOf(graph, shape);
  const { count } = firings;
  const written = new Int32Array(count);
  for (let f = 0, done = 0; f < count; f++) {
    const w = firings.writes(f);
    if (w.hi > w.lo) done = w.hi;
    written[f] = done;
  }
  const writes = firings.outputs.map((t) => {
    const place = storage.places[t];
    const c = channelsOf(graph.tensors[t].shape);
    const lo = new Int32Array(count);
    const hi = new Int32Array(count);
    for (let f = 0; f < count; f++) {
      const w = firings.writes(f);
      lo[f] = place.offset + w.lo * place.pixelStride;
      hi[f] = w.hi > w.lo ? place.offset + (w.hi - 1) * place.pixelStride + c : 0;
    }
    return { root: rootIndex.get(place.root)!, lo, hi };
  });
  return {
    shape,
    count,
    writes,
    reads: firings.inputs.map((_, i) => readAccess(graph, storage, firings, i, rootIndex, writerOf)),
    written,
    workspaceBytes: workspaceBytes(firings, shape.fold === true),
  };
}

function readAccess(
  graph: Graph,
  storage: Storage,
  firings: Firings,
  i: number,
  rootIndex: ReadonlyMap<TensorId, number>,
  writerOf: ReadonlyMap<TensorId, number>,
): ReadAccess {
  const { tensor, index } = firings.inputs[i];
  const place = storage.places[tensor];
  const c = channelsOf(graph.tensors[tensor].shape);
  const { count } = firings;
  const lo = new Int32Array(count);
  const hi = new Int32Array(count);
  for (let f = 0; f < count; f++) {
    const r = firings.reads(i, f);
    lo[f] = r.hi > r.lo ? place.offset + r.lo * place.pixelStride : -1;
    hi[f] = r.hi > r.lo ? place.offset + (r.hi - 1) * place.pixelStride + c : 0;
  }
  let window = 0;
  for (let f = 0; f < count; f++) if (lo[f] >= 0) window = Math.max(window, hi[f] - lo[f]);
  // A firing that reads nothing needs what the next one that does needs.
  for (
    let f = count - 1, next = graph.tensors[place.root] ? elementCount(graph.tensors[place.root].shape) : 0;
    f >= 0;
    f--
  ) {
    if (lo[f] < 0) lo[f] = next;
    next = lo[f];
  }
  const waits: { step: number; pixels: Int32Array }[] = [];
  for (const [t, step] of writerOf) {
    if (storage.places[t].root !== place.root) continue;
    const pixels = neededPixels(graph, storage.places[t], t, place, c, lo, hi);
    if (pixels) waits.push({ step, pixels });
  }
  const { context, definition } = firings as Partial<OperatorFirings>;
  const contiguous = (p: Place, t: TensorId) => p.pixelStride === channelsOf(graph.tensors[t].shape);
  const overwritable = context ? (definition!.inPlace?.(context) ?? []) : [];
  // Another input in the same root would be overwritten as well.
  const alone = firings.inputs.every((other) => {
    const { root, offset, pixelStride } = storage.places[other.tensor];
    if (root !== place.root) return true;
    const same = offset === place.offset && pixelStride === place.pixelStride;
    return same && overwritable.includes(other.index);
  });
  const inPlace =
    context !== undefined &&
    overwritable.includes(index) &&
    alone &&
    contiguous(place, tensor) &&
    contiguous(storage.places[firings.outputs[0]], firings.outputs[0]);
  return { root: rootIndex.get(place.root)!, lo, waits, window, inPlace };
}

/** Pixels of writer tensor `w` that must be there before elements [lo, hi) of the root can be read by pixels of c channels. */
function neededPixels(
  graph: Graph,
  writer: Place,
  w: TensorId,
  reader: Place,
  c: number,
  lo: Int32Array,
  hi: Int32Array,
): Int32Array | undefined {
  const shape = graph.tensors[w].shape;
  const channels = channelsOf(shape);
  const total = pixelsOf(shape);
  const stride = writer.pixelStride;
  if (stride === reader.pixelStride && stride > channels) {
    const a = writer.offset % stride;
    const b = reader.offset % stride;
    // Other channels of the same pixels: no dependence.
    if (a + channels <= b || b + c <= a) return undefined;
  }
  const end = writer.offset + (total - 1) * stride + channels;
  const pixels = new Int32Array(lo.length);
  let any = false;
  for (let f = 0; f < lo.length; f++) {
    if (hi[f] <= writer.offset || end <= lo[f]) continue;
    pixels[f] = Math.min(total, Math.max(0, Math.ceil((hi[f] - writer.offset) / stride)));
    any ||= pixels[f] > 0;
  }
  return any ? pixels : undefined;
}
