/**
 * Turned windows: of what a window reads, keep its narrow input instead of the wide tensor. Where operators on single
 * pixels (the 1x1 convolution that widens an inverted bottleneck) stand before a k x k convolution, k rows of their result
 * are needed at once. Turned, they are computed once for each row of the window, so k / stride times, and the k rows go
 * side by side, column after column: the window then is a line of k * k neighbours, and no more than these are kept. The
 * input keeps its k rows instead, which is narrower. Everything is an ordinary operator; sums of integers come in
 * another order, which is exact, so only integers are turned.
 */
import { prune } from '../../graph/builder.ts';
import {
  ABSENT,
  type Attributes,
  allocate,
  channelsOf,
  consumers,
  elementBytes,
  elementCount,
  type Graph,
  lazyConstant,
  type Operator,
  producers,
  type Tensor,
  type TensorId,
} from '../../graph/graph.ts';
import { definitionOf } from '../../ops/registry.ts';
import type { WindowAttributes } from '../../ops/window.ts';

/** A convolution that can be turned. */
export interface Turnable {
  readonly window: Operator;
  /** The operators before it that are computed once a row of the window, in order. */
  readonly before: readonly Operator[];
  /** What they begin with. */
  readonly input: TensorId;
}

/** Rows of the window: `count` rows of the input, `step` apart, stand in rows [from, from + count) of the output. */
interface WindowRow {
  readonly from: number;
  readonly count: number;
  readonly start: number;
}

/** What has to be known of a graph, made once. */
export interface Links {
  readonly makers: readonly (Operator | undefined)[];
  readonly readers: readonly (readonly Operator[])[];
  readonly shown: ReadonlySet<TensorId>;
}

export function linksOf(graph: Graph): Links {
  return {
    makers: producers(graph),
    readers: consumers(graph),
    shown: new Set(graph.outputs.map((p) => p.tensor)),
  };
}

/** How this operator can be turned; undefined where it cannot, or where its input is as narrow as can be. */
export function turnableAt(graph: Graph, links: Links, window: Operator): Turnable | undefined {
  if (window.kind !== 'Conv') return undefined;
  const wide = graph.tensors[window.inputs[0]];
  const attrs = window.attrs as WindowAttributes & Attributes;
  const [, kh] = graph.tensors[window.inputs[1]].shape;
  if (kh < 2 || !isTurnable(graph, window, wide) || (attrs.dilation?.[1] ?? 1) !== 1) return undefined;
  const rows = windowRows(graph, window);
  if (!rows) return undefined;
  let best: Turnable | undefined;
  let narrowest = channelBytes(wide);
  const before: Operator[] = [];
  for (let id = window.inputs[0]; ; id = before[0].inputs[0]) {
    const maker = links.makers[id];
    const alone = links.readers[id].length === 1 && !links.shown.has(id);
    if (!maker || !alone || !isPixelwise(graph, maker)) return best;
    before.unshift(maker);
    const bytes = channelBytes(graph.tensors[maker.inputs[0]]);
    if (bytes >= narrowest) continue;
    narrowest = bytes;
    best = { window, before: [...before], input: maker.inputs[0] };
  }
}

const channelBytes = (t: Tensor): number => channelsOf(t.shape) * elementBytes(t);

/** Integers of one scale, and weights that are there. */
function isTurnable(graph: Graph, { inputs }: Operator, wide: Tensor): boolean {
  return (
    wide.shape.length === 4 &&
    wide.shape[0] === 1 &&
    (wide.dtype === 'i8' || wide.dtype === 'u8') &&
    wide.quant?.scale.length === 1 &&
    inputs.slice(1).every((t) => t === ABSENT || graph.tensors[t].constant !== undefined)
  );
}

/** Computes each pixel from the same pixel of one input. */
function isPixelwise(graph: Graph, op: Operator): boolean {
  const rest = op.inputs.slice(1).every((t) => t === ABSENT || graph.tensors[t].constant !== undefined);
  const x = graph.tensors[op.inputs[0]];
  if (!rest || x?.constant || op.outputs.length !== 1 || x?.shape.length !== 4) return false;
  if (definitionOf(op.kind).unary) return true;
  if (op.kind !== 'Conv') return false;
  const [, kh, kw] = graph.tensors[op.inputs[1]].shape;
  const { stride = [1, 1], pads = [0, 0, 0, 0] } = op.attrs as WindowAttributes;
  return kh === 1 && kw === 1 && stride.every((s) => s === 1) && pads.every((p) => p === 0);
}

/** The rows that each row of the window reads; undefined where one reads nothing but padding. */
function windowRows(graph: Graph, window: Operator): WindowRow[] | undefined {
  const { stride = [1, 1], dilation = [1, 1], pads = [0, 0, 0, 0] } = window.attrs as WindowAttributes;
  const height = graph.tensors[window.inputs[0]].shape[1];
  const outputs = graph.tensors[window.outputs[0]].shape[1];
  const [, kh] = graph.tensors[window.inputs[1]].shape;
  const rows: WindowRow[] = [];
  for (let j = 0; j < kh; j++) {
    const offset = j * dilation[0] - pads[0];
    const from = Math.max(0, Math.ceil(-offset / stride[0]));
    const end = Math.min(outputs, Math.floor((height - 1 - offset) / stride[0]) + 1);
    if (end <= from) return undefined;
    rows.push({ from, count: end - from, start: from * stride[0] + offset });
  }
  return rows;
}

/** Rows of what stands before a window that are computed once it is turned. */
export function turnedRows(graph: Graph, window: Operator): number {
  return (windowRows(graph, window) ?? []).reduce((sum, { count }) => sum + count, 0);
}

/** The graph with the operators turned for which `chosen` is true and it can be done; tells which these are. */
export function turnWindows(
  graph: Graph,
  chosen: (op: Operator) => boolean,
  onTurned: (op: Operator) => void = () => {},
): Graph {
  const links = linksOf(graph);
  const turns = new Map<number, Turnable>();
  const gone = new Set<number>();
  for (const op of graph.operators) {
    const turn = chosen(op) ? turnableAt(graph, links, op) : undefined;
    if (!turn) continue;
    turns.set(op.id, turn);
    onTurned(op);
    for (const { id } of turn.before) gone.add(id);
  }
  if (turns.size === 0) return prune(graph);
  const writer = new Writer(graph);
  for (const op of graph.operators) {
    const turn = turns.get(op.id);
    if (turn) writer.turn(turn);
    else if (!gone.has(op.id)) writer.add(op);
  }
  return prune({ ...graph, tensors: writer.tensors, operators: writer.operators });
}

class Writer {
  readonly operators: Operator[] = [];
  readonly tensors: Tensor[];
  readonly #graph: Graph;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.tensors = [...graph.tensors];
  }

  add(op: Omit<Operator, 'id'>): void {
    this.operators.push({ ...op, id: this.operators.length });
  }

  #tensor(like: Tensor, name: string, shape: readonly number[], constant?: Tensor['constant']): TensorId {
    const id = this.tensors.length;
    this.tensors.push({ ...like, id, name, shape, constant });
    return id;
  }

  turn({ window, before, input }: Turnable): void {
    const wide = this.#graph.tensors[window.inputs[0]];
    const { stride = [1, 1], pads = [0, 0, 0, 0] } = window.attrs as WindowAttributes;
    const rows = windowRows(this.#graph, window)!;
    const kh = rows.length;
    const height = this.#graph.tensors[window.outputs[0]].shape[1];
    const [, , width, channels] = wide.shape;
    const parts = rows.map((row, j) => this.#row(row, before, input, stride[0], wide, height, `row${j}`));
    const beside = this.#tensor(wide, `${wide.name}/beside`, [1, height, width, kh * channels]);
    this.#plain('Concat', `${wide.name}/beside`, parts, beside, { axis: 3 });
    const shape = [1, height, kh * width, channels];
    const line = this.#tensor(wide, `${wide.name}/line`, shape);
    this.#plain('Reshape', `${wide.name}/line`, [beside], line, { shape });
    const attrs = {
      ...window.attrs,
      stride: [1, kh * (stride[1] ?? 1)],
      dilation: [1, 1],
      pads: [0, kh * pads[1], 0, kh * pads[3]],
    };
    const weights = this.#turnedWeights(window.inputs[1]);
    this.add({ ...window, inputs: [line, weights, ...window.inputs.slice(2)], attrs });
  }

  /** What one row of the window reads, once for each row of the output; rows of padding are a constant. */
  #row(
    { from, count, start }: WindowRow,
    before: readonly Operator[],
    input: TensorId,
    step: number,
    wide: Tensor,
    height: number,
    label: string,
  ): TensorId {
    const x = this.#graph.tensors[input];
    const sizes = [1, count, x.shape[2], x.shape[3]];
    let id = this.#tensor(x, `${wide.name}/${label}/input`, sizes);
    const attrs = { starts: [0, start, 0, 0], steps: [1, step, 1, 1], sizes };
    this.#plain('Slice', `${wide.name}/${label}/input`, [input], id, attrs);
    for (const op of before) {
      const y = this.#graph.tensors[op.outputs[0]];
      const out = this.#tensor(y, `${y.name}/${label}`, [1, count, y.shape[2], y.shape[3]]);
      this.add({ ...op, name: `${op.name}/${label}`, inputs: [id, ...op.inputs.slice(1)], outputs: [out] });
      id = out;
    }
    const padding = (rows: number, side: string) =>
      rows > 0 ? [this.#padding(wide, rows, `${wide.name}/${label}/${side}`)] : [];
    const all = [...padding(from, 'top'), id, ...padding(height - from - count, 'bottom')];
    if (all.length === 1) return id;
    const whole = this.#tensor(wide, `${wide.name}/${label}/padded`, [
      1,
      height,
      wide.shape[2],
      wide.shape[3],
    ]);
    this.#plain('Concat', `${wide.name}/${label}/padded`, all, whole, { axis: 1 });
    return whole;
  }

  #padding(wide: Tensor, rows: number, name: string): TensorId {
    const shape = [1, rows, wide.shape[2], wide.shape[3]];
    const zero = wide.quant!.zeroPoint[0];
    const constant = lazyConstant(() => allocate(wide.dtype, elementCount(shape)).fill(zero));
    const values = this.#tensor(wide, `${name}/zeros`, shape, constant);
    // A copy lies in the join; a constant would not, and the whole join would be a copy.
    const id = this.#tensor(wide, name, shape);
    this.#plain('Copy', name, [values], id, {});
    return id;
  }

  #plain(kind: string, name: string, inputs: readonly TensorId[], output: TensorId, attrs: Attributes): void {
    this.add({ name, kind, inputs, outputs: [output], attrs });
  }

  /** Weights `[Cout, kh, kw, C]` as `[Cout, 1, kw * kh, C]`, column after column. */
  #turnedWeights(id: TensorId): TensorId {
    const t = this.#graph.tensors[id];
    const [cout, kh, kw, cin] = t.shape;
    const constant = lazyConstant(() => {
      const from = t.constant!.load();
      const to = allocate(t.dtype, from.length);
      for (let o = 0; o < cout; o++) {
        for (let y = 0; y < kh; y++) {
          for (let x = 0; x < kw; x++) {
            const source = ((o * kh + y) * kw + x) * cin;
            to.set(from.subarray(source, source + cin), ((o * kw + x) * kh + y) * cin);
          }
        }
      }
      return to;
    });
    return this.#tensor(t, `${t.name}/turned`, [cout, 1, kw * kh, cin], constant);
  }
}
