/**
 * Firing tables: for a step and a way of running it, what every firing reads and writes, in elements of the roots,
 * and what must have been written before it can fire.
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
import { elementAt, type Place, pixelsBelow, type Storage } from '../../graph/storage.ts';
import { definitionOf } from '../../ops/registry.ts';
import {
  type ActorShape,
  type Firings,
  firingsOf,
  type OperatorFirings,
  stagingBytes,
  workspaceBytes,
} from '../../plan/firing.ts';
import { rowRun } from './row-run.ts';

/**
 * How a step is run: all at once, a row a firing, or a pixel a firing. `singles` fires by rows and places each row
 * of what stays inside the span by itself instead of in rings.
 */
export type Mode = 'whole' | 'rows' | 'pixels' | 'singles';

export interface Step {
  readonly kind: 'source' | 'operator' | 'sink';
  /** Operator id or port index. */
  readonly index: number;
  readonly name: string;
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
  /** In reverse: one past the greatest element that firing f or a later one reads; `lo` is 0 then. */
  readonly end?: Int32Array;
  /** Left out in reverse: one past the greatest element that firing f or an earlier one reads. */
  readonly upTo?: Int32Array;
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
  /** Pixels of the output written after firing f, without a gap from the first on. */
  readonly written: Int32Array;
  /** Room for the largest run, where firings can be staged. */
  readonly stagingBytes: number;
  readonly workspaceBytes: number;
}

/** A step that writes a tensor. */
export interface Writer {
  readonly tensor: TensorId;
  readonly step: number;
}

/** The writers of a root that come before the step in question. */
export type WritersOf = (root: TensorId) => readonly Writer[];

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
  return { kind: 'operator', index: op.id, run: mode === 'pixels' ? 1 : rowRun(graph, op) };
}

function runOf(shape: readonly number[], mode: Mode): number {
  if (mode === 'whole') return Math.max(1, pixelsOf(shape));
  return mode === 'pixels' ? 1 : Math.max(1, rowPixels(shape));
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

export function buildTable(
  graph: Graph,
  storage: Storage,
  step: Step,
  mode: Mode,
  rootIndex: ReadonlyMap<TensorId, number>,
  writersOf: WritersOf,
  reverse = false,
): FiringTable {
  const forward = shapeOf(graph, step, mode);
  const backwards = reverse && forward.kind === 'operator' && !forward.fold;
  const shape: ActorShape = backwards ? { ...forward, reverse } : forward;
  const firings = firingsOf(graph, shape);
  const { count } = firings;
  const written = new Int32Array(count);
  for (let f = 0, done = 0; f < count; f++) {
    const w = firings.writes(f);
    if (w.hi > w.lo && (!backwards || w.lo === 0)) done = backwards ? firings.writes(0).hi : w.hi;
    written[f] = done;
  }
  const writes = firings.outputs.map((t) => {
    const place = storage.places[t];
    const c = channelsOf(graph.tensors[t].shape);
    const lo = new Int32Array(count);
    const hi = new Int32Array(count);
    for (let f = 0; f < count; f++) {
      const w = firings.writes(f);
      lo[f] = elementAt(place, w.lo);
      hi[f] = w.hi > w.lo ? elementAt(place, w.hi - 1) + c : 0;
    }
    return { root: rootIndex.get(place.root)!, lo, hi };
  });
  return {
    shape,
    count,
    writes,
    reads: firings.inputs.map((_, i) =>
      readAccess(graph, storage, firings, i, rootIndex, writersOf, backwards),
    ),
    written,
    stagingBytes:
      shape.kind === 'operator' && !shape.fold && firings.outputs.length === 1
        ? stagingBytes(graph, firings)
        : 0,
    workspaceBytes: workspaceBytes(firings, shape.fold === true),
  };
}

function readAccess(
  graph: Graph,
  storage: Storage,
  firings: Firings,
  i: number,
  rootIndex: ReadonlyMap<TensorId, number>,
  writersOf: WritersOf,
  backwards: boolean,
): ReadAccess {
  const { tensor, index } = firings.inputs[i];
  const place = storage.places[tensor];
  const c = channelsOf(graph.tensors[tensor].shape);
  const { count } = firings;
  const lo = new Int32Array(count);
  const hi = new Int32Array(count);
  for (let f = 0; f < count; f++) {
    const r = firings.reads(i, f);
    lo[f] = r.hi > r.lo ? elementAt(place, r.lo) : -1;
    hi[f] = r.hi > r.lo ? elementAt(place, r.hi - 1) + c : 0;
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
  for (const { tensor: t, step } of writersOf(place.root)) {
    const pixels = neededPixels(graph, storage.places[t], t, place, c, lo, hi);
    if (pixels) waits.push({ step, pixels });
  }
  const { context, definition } = firings as Partial<OperatorFirings>;
  const contiguous = (p: Place, t: TensorId) =>
    !p.rows && p.pixelStride === channelsOf(graph.tensors[t].shape);
  const overwritable = context ? (definition!.inPlace?.(context) ?? []) : [];
  // Another input in the same root would be overwritten as well.
  const alone = firings.inputs.every((other) => {
    const { root, offset, pixelStride, rows } = storage.places[other.tensor];
    if (root !== place.root) return true;
    const same = offset === place.offset && pixelStride === place.pixelStride && rows === place.rows;
    return same && overwritable.includes(other.index);
  });
  const inPlace =
    context !== undefined &&
    overwritable.includes(index) &&
    alone &&
    contiguous(place, tensor) &&
    contiguous(storage.places[firings.outputs[0]], firings.outputs[0]);
  const access = { root: rootIndex.get(place.root)!, lo, waits, window, inPlace };
  if (!backwards) {
    for (let f = 1; f < count; f++) hi[f] = Math.max(hi[f], hi[f - 1]);
    return { ...access, upTo: hi };
  }
  for (let f = count - 2; f >= 0; f--) hi[f] = Math.max(hi[f], hi[f + 1]);
  // Writing in place goes upwards.
  return { ...access, lo: new Int32Array(count), end: hi, inPlace: false };
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
  if (otherColumns(writer, channels, reader, c)) return undefined;
  const end = elementAt(writer, total - 1) + channels;
  const pixels = new Int32Array(lo.length);
  let any = false;
  for (let f = 0; f < lo.length; f++) {
    if (hi[f] <= writer.offset || end <= lo[f]) continue;
    pixels[f] = Math.min(total, pixelsBelow(writer, hi[f]));
    any ||= pixels[f] > 0;
  }
  return any ? pixels : undefined;
}

/** True where both have columns of the same rows of a root, and have none in common. */
function otherColumns(a: Place, channelsA: number, b: Place, channelsB: number): boolean {
  if (!a.rows || !b.rows || a.rows.stride !== b.rows.stride) return false;
  const { stride } = a.rows;
  const left = (p: Place) => p.offset % stride;
  const right = (p: Place, channels: number) => left(p) + (p.rows!.pixels - 1) * p.pixelStride + channels;
  // Columns that run over the end of a row are not told apart.
  if (right(a, channelsA) > stride || right(b, channelsB) > stride) return false;
  return right(a, channelsA) <= left(b) || right(b, channelsB) <= left(a);
}
