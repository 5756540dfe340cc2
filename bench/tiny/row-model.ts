/**
 * A network as rows and firings, made anew from what operators say that they read and write: what the brute force
 * searches over. With the planner it shares the meaning of a firing (src/plan/firing.ts) and of views, the list of steps, and how
 * long each step's runs are and whether it folds.
 */
import {
  channelsOf,
  elementBytes,
  elementCount,
  type Graph,
  pixelsOf,
  rowPixels,
  type TensorId,
} from '../../src/graph/graph.ts';
import { elementAt, type Storage } from '../../src/graph/storage.ts';
import type { Network } from '../../src/passes/3-schedule/steps.ts';
import { type Firings, firingsOf, type OperatorFirings, workspaceBytes } from '../../src/plan/firing.ts';

/** A row of a tensor that owns memory. It has its room as a whole. */
export interface Row {
  readonly name: string;
  readonly root: TensorId;
  readonly bytes: number;
  /** Stays to the end. */
  readonly kept: boolean;
  /** There from the start. */
  readonly given: boolean;
  /** By step that writes it: how often it has fired when the first of it is there. */
  readonly writers: { readonly step: number; readonly from: number }[];
  /** By step that reads it: firings after which it does not any more. */
  readonly readers: { readonly step: number; to: number }[];
}

/** One firing of a step. */
export interface Firing {
  /** Rows that it writes, by index. */
  readonly writes: readonly number[];
  /** What the step before it must have done: steps and how often they have fired. */
  readonly waits: { readonly step: number; count: number }[];
  /** Rows over which it may write element by element, where it is the last to read them; one list an input. */
  readonly over: readonly (readonly number[])[];
}

export interface RowStepModel {
  readonly name: string;
  readonly firings: readonly Firing[];
  /** Working memory, and whether it lasts from the first firing to the last. */
  readonly workBytes: number;
  readonly keepsWork: boolean;
}

export interface RowModel {
  readonly rows: readonly Row[];
  readonly steps: readonly RowStepModel[];
  /** Inputs that are there from the start. */
  readonly givenBytes: number;
}

/** Elements of a root, as far as they are of interest: who writes each, and who reads it last. */
interface Elements {
  readonly tensor: TensorId;
  readonly rowElements: number;
  readonly firstRow: number;
}

/**
 * The rows and firings of a network under its policy; steps that need not fire have no firings. Rows of what stays inside take
 * multiples of `alignment`; what is there from the start or stays to the end lies in one piece.
 */
export function rowModelOf(network: Network, alignment = 1): RowModel {
  const { graph, storage, policy } = network;
  const fires = network.steps.map((s, i) => {
    const { shape } = network.table(i, 'rows');
    const given = s.kind === 'source' && policy.input !== 'streamed';
    const port = given ? graph.tensors[graph.inputs[s.index].tensor] : undefined;
    return firingsOf(graph, port ? { ...shape, run: Math.max(1, pixelsOf(port.shape)) } : shape);
  });
  const isGiven = (i: number) => network.steps[i].kind === 'source' && policy.input !== 'streamed';
  const keptRoots = keptOf(graph, storage, policy.input === 'keep', policy.output === 'whole');
  const count = neededFirings(graph, storage, fires, keptRoots, isGiven);
  const rows: Row[] = [];
  const roots = new Map<TensorId, Elements>();
  const rootOf = (t: TensorId): Elements => {
    const id = storage.places[t].root;
    const known = roots.get(id);
    if (known) return known;
    const tensor = graph.tensors[id];
    const rowElements = Math.max(1, rowPixels(tensor.shape) * channelsOf(tensor.shape));
    const made = { tensor: id, rowElements, firstRow: rows.length };
    roots.set(id, made);
    const elements = elementCount(tensor.shape);
    for (let at = 0, r = 0; at < elements; at += rowElements, r++) {
      rows.push({
        name: `${tensor.name}[${r}]`,
        root: id,
        bytes: Math.min(rowElements, elements - at) * elementBytes(tensor),
        kept: keptRoots.has(id),
        given: false,
        writers: [],
        readers: [],
      });
    }
    return made;
  };
  const rowsOf = (t: TensorId, lo: number, hi: number): number[] => {
    const { rowElements, firstRow } = rootOf(t);
    const found = new Set<number>();
    eachPixel(graph, storage, t, lo, hi, (from, to) => {
      for (let r = Math.floor(from / rowElements); r * rowElements < to; r++) found.add(firstRow + r);
    });
    return [...found];
  };
  // Who wrote each element: later firings wait for it.
  // A reader gives rows up in order: what it passes over goes with what it read before, and not earlier.
  const passed = (t: TensorId, step: number, lo: number, firing: number) => {
    const { firstRow } = rootOf(t);
    const { root } = storage.places[t];
    const mine = rows.slice(firstRow).filter((r) => r.root === root);
    const first = mine.findIndex((r) => r.readers.some((x) => x.step === step));
    if (first < 0) return;
    const next = Math.min(...rowsOf(t, lo, lo + 1)) - firstRow;
    for (const r of mine.slice(first, next))
      if (!r.readers.some((x) => x.step === step)) r.readers.push({ step, to: firing });
  };
  const writerOf = new Map<TensorId, { step: Int32Array; firing: Int32Array }>();
  const steps = fires.map((f, i): RowStepModel => {
    const { context, definition } = f as Partial<OperatorFirings>;
    const fold = network.table(i, 'rows').shape.fold === true;
    const overwritable = context ? (definition!.inPlace?.(context) ?? []) : [];
    const plain = (t: TensorId) => {
      const { pixelStride, rows: apart } = storage.places[t];
      return !apart && pixelStride === channelsOf(graph.tensors[t].shape);
    };
    const firings: Firing[] = [];
    for (let k = 0; k < count[i]; k++) {
      const waits = new Map<number, number>();
      const over: number[][] = [];
      f.inputs.forEach((input, n) => {
        const { lo, hi } = f.reads(n, k);
        if (hi <= lo) return;
        const written = writerOf.get(storage.places[input.tensor].root);
        eachPixel(graph, storage, input.tensor, lo, hi, (from, to) => {
          for (let e = from; e < to; e++) {
            const step = written?.step[e] ?? -1;
            if (step >= 0) waits.set(step, Math.max(waits.get(step) ?? 0, written!.firing[e] + 1));
          }
        });
        passed(input.tensor, i, lo, k);
        const read = rowsOf(input.tensor, lo, hi);
        for (const r of read) {
          const known = rows[r].readers.find((x) => x.step === i);
          if (known) known.to = k + 1;
          else rows[r].readers.push({ step: i, to: k + 1 });
        }
        if (overwritable.includes(input.index) && plain(input.tensor) && plain(f.outputs[0])) over.push(read);
      });
      const { lo, hi } = f.writes(k);
      const writes = f.outputs.flatMap((t) => {
        const { root } = storage.places[t];
        let known = writerOf.get(root);
        if (!known) {
          const n = elementCount(graph.tensors[root].shape);
          known = { step: new Int32Array(n).fill(-1), firing: new Int32Array(n) };
          writerOf.set(root, known);
        }
        eachPixel(graph, storage, t, lo, hi, (from, to) => {
          known.step.fill(i, from, to);
          known.firing.fill(k, from, to);
        });
        return rowsOf(t, lo, hi);
      });
      for (const r of writes)
        if (!rows[r].writers.some((w) => w.step === i)) rows[r].writers.push({ step: i, from: k + 1 });
      firings.push({ writes, waits: [...waits].map(([step, c]) => ({ step, count: c })), over });
    }
    return { name: network.steps[i].name, firings, workBytes: workspaceBytes(f, fold), keepsWork: fold };
  });
  // What is given is no firing: its rows are there.
  let givenBytes = 0;
  const model = rows.map((row) => {
    const given = row.writers.some((w) => isGiven(w.step));
    if (given) givenBytes += row.bytes;
    const single = !given && !row.kept;
    return { ...row, given, bytes: single ? Math.ceil(row.bytes / alignment) * alignment : row.bytes };
  });
  const fired = steps.map((s, i) => {
    if (isGiven(i)) return { ...s, firings: [] };
    const firings = s.firings.map((x) => ({ ...x, waits: x.waits.filter((w) => !isGiven(w.step)) }));
    return { ...s, firings };
  });
  return { rows: model, steps: fired, givenBytes };
}

function keptOf(graph: Graph, storage: Storage, inputs: boolean, outputs: boolean): Set<TensorId> {
  const kept = new Set<TensorId>();
  const root = (t: TensorId) => storage.places[t].root;
  if (inputs) for (const p of graph.inputs) kept.add(root(p.tensor));
  if (outputs) for (const p of graph.outputs) if (!graph.tensors[p.tensor].constant) kept.add(root(p.tensor));
  return kept;
}

/** By step: firings up to the last that something needs. */
function neededFirings(
  graph: Graph,
  storage: Storage,
  fires: readonly Firings[],
  kept: ReadonlySet<TensorId>,
  isGiven: (step: number) => boolean,
): number[] {
  const needed = new Map<TensorId, Uint8Array>();
  const marks = (t: TensorId) => {
    const { root } = storage.places[t];
    let m = needed.get(root);
    if (!m)
      needed.set(
        root,
        (m = new Uint8Array(elementCount(graph.tensors[root].shape)).fill(kept.has(root) ? 1 : 0)),
      );
    return m;
  };
  const count = fires.map(() => 0);
  for (let i = fires.length - 1; i >= 0; i--) {
    const f = fires[i];
    for (let k = f.count - 1; k >= 0 && count[i] === 0; k--) {
      const { lo, hi } = f.writes(k);
      let wanted = f.outputs.length === 0 || isGiven(i);
      for (const t of f.outputs)
        eachPixel(graph, storage, t, lo, hi, (from, to) => {
          for (let e = from; e < to; e++) wanted ||= marks(t)[e] > 0;
        });
      if (wanted) count[i] = k + 1;
    }
    for (let k = 0; k < count[i]; k++) {
      f.inputs.forEach((input, n) => {
        const { lo, hi } = f.reads(n, k);
        eachPixel(graph, storage, input.tensor, lo, hi, (from, to) => {
          marks(input.tensor).fill(1, from, to);
        });
      });
    }
  }
  return count;
}

/** Elements [from, to) of the root that each pixel of a run lies in. */
function eachPixel(
  graph: Graph,
  storage: Storage,
  t: TensorId,
  lo: number,
  hi: number,
  visit: (from: number, to: number) => void,
): void {
  const channels = channelsOf(graph.tensors[t].shape);
  for (let p = lo; p < hi; p++) {
    const from = elementAt(storage.places[t], p);
    visit(from, from + channels);
  }
}
