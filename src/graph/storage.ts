/**
 * Which tensors own memory and which are addresses inside another one. A concat's parts are written where the
 * concat lies; a reshape or a slice is its input under another name. A tensor that owns memory is a root.
 */

import type { Alias, RowStep } from '../ops/operator.ts';
import { contextOf, definitionOf } from '../ops/registry.ts';
import {
  ABSENT,
  channelsOf,
  consumers,
  elementCount,
  type Graph,
  type Operator,
  pixelsOf,
  producers,
  type TensorId,
} from './graph.ts';

/** Where a tensor's pixels lie: pixel p starts at root element `elementAt(place, p)`. */
export interface Place {
  readonly root: TensorId;
  readonly offset: number;
  readonly pixelStride: number;
  /** Where rows lie further apart than their pixels reach: columns of something wider. */
  readonly rows?: RowStep;
}

/** First element of a pixel in the root; rises with the pixel. */
export function elementAt({ offset, pixelStride, rows }: Omit<Place, 'root'>, pixel: number): number {
  if (!rows) return offset + pixel * pixelStride;
  const row = Math.floor(pixel / rows.pixels);
  return offset + row * rows.stride + (pixel - row * rows.pixels) * pixelStride;
}

/** Pixels that begin below an element of the root, were there no end to them. */
export function pixelsBelow({ offset, pixelStride, rows }: Omit<Place, 'root'>, element: number): number {
  const reach = element - offset;
  if (reach <= 0) return 0;
  if (!rows) return Math.ceil(reach / pixelStride);
  const row = Math.floor((reach - 1) / rows.stride);
  return row * rows.pixels + Math.min(rows.pixels, Math.ceil((reach - row * rows.stride) / pixelStride));
}

export interface Storage {
  /** By tensor id. */
  readonly places: readonly Place[];
  /** By operator id: true where the operator is addresses only. */
  readonly isView: readonly boolean[];
}

/** A concat part (operator id, input index) that is copied into place although it could be written there. */
export interface CopyChoice {
  readonly operator: number;
  readonly input: number;
}

interface Link {
  readonly parent: TensorId;
  readonly offset: number;
  readonly pixelStride: number;
  readonly rows?: RowStep;
}

/** Place of a child inside its grandparent; undefined where its pixels would lie at no such strides. */
function compose(
  child: Link,
  childChannels: number,
  parent: Place,
  parentChannels: number,
): Omit<Place, 'root'> | undefined {
  const { offset, pixelStride, rows } = child;
  if (!parent.rows && parent.pixelStride === parentChannels)
    return { offset: parent.offset + offset, pixelStride, ...(rows ? { rows } : {}) };
  // From here on the child has some channels of some pixels of the parent.
  const channel = offset % parentChannels;
  const strides = [pixelStride, ...(rows ? [rows.stride] : [])];
  if (channel + childChannels > parentChannels || strides.some((s) => s % parentChannels !== 0))
    return undefined;
  const first = (offset - channel) / parentChannels;
  const step = pixelStride / parentChannels;
  const rowStep = rows && rows.stride / parentChannels;
  const from = elementAt(parent, first) + channel;
  if (!parent.rows) {
    const wide = rows && { pixels: rows.pixels, stride: rowStep! * parent.pixelStride };
    return { offset: from, pixelStride: step * parent.pixelStride, ...(wide ? { rows: wide } : {}) };
  }
  const { pixels, stride } = parent.rows;
  if (!rows) {
    // The same columns of every row.
    const alike = pixels % step === 0 && first % pixels < step;
    if (!alike) return undefined;
    return { offset: from, pixelStride: step * parent.pixelStride, rows: { pixels: pixels / step, stride } };
  }
  const inOneRow = (first % pixels) + (rows.pixels - 1) * step < pixels && rowStep! % pixels === 0;
  if (!inOneRow) return undefined;
  return {
    offset: from,
    pixelStride: step * parent.pixelStride,
    rows: { pixels: rows.pixels, stride: (rowStep! / pixels) * stride },
  };
}

class Linker {
  readonly #graph: Graph;
  readonly links: (Link | undefined)[];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.links = new Array(graph.tensors.length).fill(undefined);
  }

  #channels(id: TensorId): number {
    return channelsOf(this.#graph.tensors[id].shape);
  }

  /** The place of a tensor, or undefined where its links do not compose. */
  place(id: TensorId): Place | undefined {
    const link = this.links[id];
    if (!link) return { root: id, offset: 0, pixelStride: this.#channels(id) };
    const parent = this.place(link.parent);
    if (!parent) return undefined;
    const composed = compose(link, this.#channels(id), parent, this.#channels(link.parent));
    return composed && { root: parent.root, ...composed };
  }

  isContiguous(id: TensorId): boolean {
    const place = this.place(id);
    if (!place) return false;
    if (pixelsOf(this.#graph.tensors[id].shape) === 1) return true;
    return !place.rows && place.pixelStride === this.#channels(id);
  }
}

/**
 * Resolves views. Where the layout or a kernel does not allow one, the operator keeps its kernel (slice,
 * reshape) or gets a Copy before it (concat part), so the returned graph may have more operators.
 */
export function resolveStorage(
  graph: Graph,
  copies: readonly CopyChoice[] = [],
): { graph: Graph; storage: Storage } {
  const wanted = new Set(copies.map((c) => `${c.operator}:${c.input}`));
  const withCopies = insertCopies(graph, wanted);
  const refused = new Set<string>();
  for (;;) {
    const attempt = link(withCopies.graph, withCopies.origin, refused);
    if (attempt.storage) return { graph: withCopies.graph, storage: attempt.storage };
    const before = refused.size;
    for (const key of attempt.refuse) refused.add(key);
    if (refused.size === before) throw new Error('views do not settle');
    const concatRefusals = [...refused].filter((k) => k.includes(':'));
    const all = insertCopies(graph, new Set([...wanted, ...concatRefusals]));
    withCopies.graph = all.graph;
    withCopies.origin = all.origin;
  }
}

/** Puts a Copy before each named concat part. `origin[i]` is the id that operator i had before, or -1 for a copy. */
function insertCopies(graph: Graph, keys: ReadonlySet<string>): { graph: Graph; origin: number[] } {
  if (keys.size === 0) return { graph, origin: graph.operators.map((op) => op.id) };
  const tensors = [...graph.tensors];
  const operators: Operator[] = [];
  const origin: number[] = [];
  for (const op of graph.operators) {
    const inputs = [...op.inputs];
    inputs.forEach((id, i) => {
      if (id === ABSENT || !keys.has(`${op.id}:${i}`)) return;
      const copy = { ...tensors[id], id: tensors.length, name: `${op.name}/part${i}`, constant: undefined };
      tensors.push(copy);
      operators.push({
        id: operators.length,
        name: `${op.name}/copy${i}`,
        kind: 'Copy',
        inputs: [id],
        outputs: [copy.id],
        attrs: {},
      });
      origin.push(-1);
      inputs[i] = copy.id;
    });
    operators.push({ ...op, id: operators.length, inputs });
    origin.push(op.id);
  }
  return { graph: { ...graph, tensors, operators }, origin };
}

/** One attempt at linking everything; names what must not be a view where it fails. */
function link(
  graph: Graph,
  origin: readonly number[],
  refused: ReadonlySet<string>,
): { storage?: Storage; refuse: string[] } {
  const linker = new Linker(graph);
  const isView: boolean[] = graph.operators.map(() => false);
  const refuse: string[] = [];
  const inputTensors = new Set(graph.inputs.map((p) => p.tensor));
  for (const op of graph.operators) {
    const aliases = definitionOf(op.kind).aliases?.(contextOf(graph, op)) ?? [];
    if (aliases.length === 0 || refused.has(`op ${origin[op.id]}`)) continue;
    if (op.epilogue?.length) continue;
    const childIsOutput = aliases[0].child === op.outputs[0];
    if (childIsOutput) {
      if (graph.tensors[aliases[0].parent].constant) continue;
      linker.links[aliases[0].child] = aliases[0];
      isView[op.id] = true;
      continue;
    }
    isView[op.id] = true;
    for (const alias of aliases) {
      const index = op.inputs.indexOf(alias.child);
      if (!linkPart(graph, linker, alias, inputTensors)) {
        const repeats = op.inputs.flatMap((id, i) => (id === alias.child ? [i] : []));
        const i = repeats.length > 1 ? repeats[repeats.length - 1] : index;
        refuse.push(`${origin[op.id]}:${i}`);
      }
    }
  }
  if (refuse.length > 0) return { refuse };
  const bad = misplaced(graph, linker, isView, origin, refused);
  if (bad.length > 0) return { refuse: bad };
  return { storage: { places: graph.tensors.map((t) => linker.place(t.id)!), isView }, refuse: [] };
}

/** Links a concat part's storage into the concat. False where a copy is needed instead. */
function linkPart(graph: Graph, linker: Linker, alias: Alias, inputs: ReadonlySet<TensorId>): boolean {
  const part = graph.tensors[alias.child];
  const place = linker.place(part.id);
  if (!place || part.constant || place.root === alias.parent) return false;
  const root = graph.tensors[place.root];
  if (inputs.has(root.id) || root.constant) return false;
  const covers = place.offset === 0 && elementCount(root.shape) === elementCount(part.shape);
  if (!covers || place.rows || place.pixelStride !== channelsOf(part.shape)) return false;
  const contiguous = !alias.rows && alias.pixelStride === channelsOf(part.shape);
  if (!contiguous && channelsOf(root.shape) !== channelsOf(part.shape)) return false;
  linker.links[root.id] = {
    parent: alias.parent,
    offset: alias.offset,
    pixelStride: contiguous ? channelsOf(root.shape) : alias.pixelStride,
    ...(alias.rows ? { rows: alias.rows } : {}),
  };
  return true;
}

/** Views whose tensors end up where a kernel or a port cannot take them. */
function misplaced(
  graph: Graph,
  linker: Linker,
  isView: readonly boolean[],
  origin: readonly number[],
  refused: ReadonlySet<string>,
): string[] {
  const writer = producers(graph);
  const readers = consumers(graph);
  const out = new Set<string>();
  const blame = (id: TensorId) => {
    // The nearest link on the way to the root that takes pixels apart: a slice, or a part of a concat.
    for (let t: TensorId | undefined = id; t !== undefined; t = linker.links[t]?.parent) {
      const maker = writer[t];
      if (maker && isView[maker.id] && maker.kind !== 'Concat') {
        out.add(`op ${origin[maker.id]}`);
        return;
      }
      const link: Link | undefined = linker.links[t];
      const concat = link && writer[link.parent];
      if (!concat || !isView[concat.id] || concat.kind !== 'Concat') continue;
      // The part itself may be a view of what lies in the concat.
      const root = t;
      const lies = (part: TensorId | undefined): boolean =>
        part === root || (part !== undefined && part >= 0 && lies(linker.links[part]?.parent));
      const key = `${origin[concat.id]}:${concat.inputs.findIndex(lies)}`;
      // A copy that is there already does not help: it is the concat itself that lies badly.
      if (refused.has(key)) continue;
      out.add(key);
      return;
    }
  };
  const ports = new Set([...graph.inputs, ...graph.outputs].map((p) => p.tensor));
  for (const t of graph.tensors) {
    if (t.constant) continue;
    if (!linker.place(t.id)) {
      blame(t.id);
      continue;
    }
    if (linker.isContiguous(t.id)) continue;
    const maker = writer[t.id];
    const written = maker && !isView[maker.id] && definitionOf(maker.kind).access === 'whole';
    const read = readers[t.id].some((op) => !isView[op.id] && readsInOnePiece(op, t.id));
    if (ports.has(t.id) || written || read) blame(t.id);
  }
  return [...out];
}

/** True where an operator's kernel needs all pixels of a tensor that it reads side by side. */
export function readsInOnePiece(op: Operator, id: TensorId): boolean {
  const { access, contiguousFrom } = definitionOf(op.kind);
  return op.inputs.some((t, i) => t === id && (access === 'whole' || i >= (contiguousFrom ?? Infinity)));
}

/** Ids of the tensors that own memory in the arena. */
export function rootsOf(graph: Graph, storage: Storage): TensorId[] {
  return graph.tensors.filter((t) => !t.constant && storage.places[t.id].root === t.id).map((t) => t.id);
}
