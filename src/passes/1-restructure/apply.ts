/**
 * A graph with regions cut into tiles: the same function, other operators. Every tile is the region's operators once
 * more, on slices of its inputs; the tiles' outputs are joined. Operators run tile after tile.
 */
import { TidemarkError } from '../../errors.ts';
import { prune } from '../../graph/builder.ts';
import {
  ABSENT,
  type Graph,
  lazyConstant,
  type Operator,
  type Tensor,
  type TensorId,
} from '../../graph/graph.ts';
import { evaluate } from '../../ops/evaluate.ts';
import { type Box, lengthOf, sameBox, wholeBox } from './interval.ts';
import { outputsOf, usesOf } from './region.ts';
import { regionOperators, type TileStep, tileOf } from './tile.ts';
import type { TiledRegion, Tiling } from './tiling.ts';

/** The graph with its regions cut. Throws `plan-invalid` where the tiling does not fit the graph. */
export function applyTiles(graph: Graph, tiling: Tiling): Graph {
  const order = tiling.order ?? graph.operators.map((op) => op.id);
  if (order.length !== graph.operators.length || new Set(order).size !== order.length) {
    throw unfit(graph, `its order names ${order.length} operators, the graph has ${graph.operators.length}`);
  }
  const sheet = new Sheet(graph);
  const uses = usesOf(graph);
  const copied = new Set(tiling.copied);
  const keep = (id: number) => sheet.keep(id, copied.has(id));
  let at = 0;
  for (const region of tiling.regions) {
    const first = order.indexOf(region.operators[0], at);
    if (first < 0 || region.operators.some((id, i) => order[first + i] !== id)) {
      throw unfit(graph, `operators ${region.operators.join(', ')} do not follow one another in its order`);
    }
    while (at < first) keep(order[at++]);
    const outputs = outputsOf(graph, uses, region.operators);
    if (outputs.length !== 1) throw unfit(graph, `a region has ${outputs.length} outputs, expected one`);
    cutRegion(graph, sheet, region, outputs[0]);
    at += region.operators.length;
  }
  while (at < order.length) keep(order[at++]);
  for (const { tensor } of graph.outputs) sheet.joined(tensor);
  return prune(sheet.graph());
}

function unfit(graph: Graph, why: string): TidemarkError {
  return new TidemarkError('plan-invalid', `the tiles do not fit ${graph.name}: ${why}`);
}

/** A part of a tensor that is a tensor by itself. */
interface Piece {
  readonly id: TensorId;
  readonly box: Box;
}

/** The tensors and operators of the new graph. Tensors of the old one keep their ids. */
class Sheet {
  readonly #graph: Graph;
  readonly #tensors: Tensor[];
  readonly #operators: Operator[] = [];
  readonly #apart = new Map<TensorId, readonly Piece[]>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#tensors = [...graph.tensors];
  }

  keep(id: number, copied: boolean): void {
    const op = this.#graph.operators[id];
    for (const t of op.inputs) this.joined(t);
    if (copied) this.add({ ...op, inputs: op.inputs.map((t, i) => copy(this, t, String(i))) });
    else this.add(op);
  }

  /** Leaves a tensor in pieces: bands of rows. */
  leave(id: TensorId, pieces: readonly Piece[]): void {
    this.#apart.set(id, pieces);
  }

  piecesOf(id: TensorId): readonly Piece[] | undefined {
    return this.#apart.get(id);
  }

  /** Joins a tensor that is in pieces, for who needs it whole. */
  joined(id: TensorId): void {
    const pieces = this.#apart.get(id);
    if (!pieces) return;
    this.#apart.delete(id);
    const t = this.#tensors[id];
    join(
      this,
      t,
      pieces.map((p) => p.id),
      1,
      t.name,
      id,
    );
  }

  add(op: Omit<Operator, 'id'>): void {
    this.#operators.push({ ...op, id: this.#operators.length });
  }

  /** A tensor of the type of another. */
  like(t: Tensor, name: string, shape: readonly number[]): TensorId {
    const { dtype, quant } = t;
    return this.tensor({ name, shape, dtype, ...(quant ? { quant } : {}) });
  }

  tensor(t: Omit<Tensor, 'id'>): TensorId {
    this.#tensors.push({ ...t, id: this.#tensors.length });
    return this.#tensors.length - 1;
  }

  at(id: TensorId): Tensor {
    return this.#tensors[id];
  }

  graph(): Graph {
    return { ...this.#graph, tensors: this.#tensors, operators: this.#operators };
  }
}

function cutRegion(graph: Graph, sheet: Sheet, region: TiledRegion, output: TensorId): void {
  const operators = regionOperators(graph, region.operators);
  const t = graph.tensors[output];
  const { rows, columns } = region;
  if (!ascends(rows, t.shape[1]) || !ascends(columns, t.shape[2])) {
    throw unfit(graph, `cuts of ${t.name} are not 0, ..., ${t.shape[1]} and 0, ..., ${t.shape[2]}`);
  }
  const cut = { rows: rows.length > 2, columns: columns.length > 2 };
  if (!cut.rows && !cut.columns) throw unfit(graph, `the region that makes ${t.name} has one tile only`);
  const bands = rows.slice(1).map((bottom, r) => {
    const parts = columns.slice(1).map((right, c) => {
      const want = { rows: { lo: rows[r], hi: bottom }, columns: { lo: columns[c], hi: right } };
      const tile = tileOf(graph, operators, output, want, cut);
      if (!tile) throw unfit(graph, `rows ${rows[r]} to ${bottom} of ${t.name} cannot be made by themselves`);
      return writeTile(graph, sheet, tile.steps, output, want, cut.columns ? `${r}x${c}` : String(r));
    });
    if (!cut.columns) return parts[0];
    return join(sheet, t, parts, 2, `${t.name}/band${r}`, cut.rows ? undefined : output);
  });
  if (!cut.rows) return;
  sheet.leave(
    output,
    bands.map((id, r) => ({
      id,
      box: { rows: { lo: rows[r], hi: rows[r + 1] }, columns: wholeBox(t.shape).columns },
    })),
  );
  if (!region.apart) sheet.joined(output);
}

const ascends = (cuts: readonly number[], size: number): boolean =>
  cuts[0] === 0 && cuts[cuts.length - 1] === size && cuts.every((c, i) => i === 0 || c > cuts[i - 1]);

/** Parts side by side along an axis, as a new tensor or as one that is there already. */
function join(
  sheet: Sheet,
  like: Tensor,
  parts: readonly TensorId[],
  axis: 1 | 2,
  name: string,
  into?: TensorId,
): TensorId {
  const first = sheet.at(parts[0]);
  const length = parts.reduce((n, id) => n + sheet.at(id).shape[axis], 0);
  const shape = first.shape.map((d, k) => (k === axis ? length : d));
  const id = into ?? sheet.like(like, name, shape);
  sheet.add({ name: `${name}/join`, kind: 'Concat', inputs: parts, outputs: [id], attrs: { axis } });
  return id;
}

/** Writes the operators of one tile; gives the tensor that is `want` of the output. */
function writeTile(
  graph: Graph,
  sheet: Sheet,
  steps: readonly TileStep[],
  output: TensorId,
  want: Box,
  label: string,
): TensorId {
  /** What this tile has of a tensor of the region, and which part of it that is. */
  const made = new Map<TensorId, Piece>();
  const slices = new Map<string, TensorId>();
  const once = (key: string, make: () => TensorId): TensorId => {
    let id = slices.get(key);
    if (id === undefined) slices.set(key, (id = make()));
    return id;
  };
  const read = (id: TensorId, box: Box | undefined): TensorId => {
    const pieces = made.has(id) ? undefined : sheet.piecesOf(id);
    const needed = box ?? fullBox(graph.tensors[id]);
    const key = `${id} ${needed.rows.lo} ${needed.rows.hi} ${needed.columns.lo} ${needed.columns.hi}`;
    if (pieces) return once(key, () => gather(graph, sheet, graph.tensors[id], pieces, needed, label));
    const has = made.get(id) ?? { id, box: fullBox(graph.tensors[id]) };
    if (sameBox(has.box, needed)) return has.id;
    return once(key, () => slice(graph, sheet, has.id, has.box, needed, label));
  };
  for (const { op, made: box, reads, attrs } of steps) {
    const t = graph.tensors[op.outputs[0]];
    const inputs = op.inputs.flatMap((id, k) => {
      const part = reads[k];
      if (part === null) return [];
      return id === ABSENT ? [id] : [read(id, part)];
    });
    const shape = [t.shape[0], lengthOf(box.rows), lengthOf(box.columns), t.shape[3]];
    const id = sheet.like(t, `${t.name}/tile${label}`, shape);
    sheet.add({ ...op, name: `${op.name}/tile${label}`, inputs, outputs: [id], attrs });
    made.set(op.outputs[0], { id, box });
  }
  return read(output, want);
}

/** All of a tensor; those of a lower rank are aligned at their last axis. */
function fullBox(t: Tensor): Box {
  return wholeBox([...new Array(Math.max(0, 4 - t.shape.length)).fill(1), ...t.shape]);
}

/** A part of a tensor that lies in bands: a part of one band, or of several, joined. */
function gather(
  graph: Graph,
  sheet: Sheet,
  t: Tensor,
  pieces: readonly Piece[],
  needed: Box,
  label: string,
): TensorId {
  const parts = pieces.flatMap(({ id, box }) => {
    const rows = { lo: Math.max(box.rows.lo, needed.rows.lo), hi: Math.min(box.rows.hi, needed.rows.hi) };
    if (rows.hi <= rows.lo) return [];
    const part = { rows, columns: needed.columns };
    return [{ id, box, part }];
  });
  if (parts.length === 1) {
    const [{ id, box, part }] = parts;
    return sameBox(part, box) ? id : slice(graph, sheet, id, box, part, label);
  }
  // A whole band is copied too: else it would lie in this join, and keep the room of all of it while it is read.
  const copies = parts.map(({ id, box, part }) =>
    sameBox(part, box) ? copy(sheet, id, label) : slice(graph, sheet, id, box, part, label),
  );
  return join(sheet, t, copies, 1, `${t.name}/gather${label}`);
}

function copy(sheet: Sheet, from: TensorId, label: string): TensorId {
  const t = sheet.at(from);
  const name = `${t.name}/copy${label}`;
  const id = sheet.like(t, name, t.shape);
  sheet.add({ name, kind: 'Copy', inputs: [from], outputs: [id], attrs: {} });
  return id;
}

/** A part of a tensor of which `has` is there. Parts of constants are constants. */
function slice(graph: Graph, sheet: Sheet, from: TensorId, has: Box, needed: Box, label: string): TensorId {
  const t = sheet.at(from);
  const rank = t.shape.length;
  const starts = t.shape.map(() => 0);
  const sizes = [...t.shape];
  const cut = (axis: number, offset: number, length: number) => {
    if (axis < 0) return;
    starts[axis] = offset;
    sizes[axis] = length;
  };
  cut(rank - 3, needed.rows.lo - has.rows.lo, lengthOf(needed.rows));
  cut(rank - 2, needed.columns.lo - has.columns.lo, lengthOf(needed.columns));
  const attrs = { starts, steps: t.shape.map(() => 1), sizes };
  const name = `${t.name}/slice${label}`;
  const op = { name, kind: 'Slice', inputs: [from], attrs };
  const { constant } = t;
  if (!constant) {
    const id = sheet.like(t, name, sizes);
    sheet.add({ ...op, outputs: [id] });
    return id;
  }
  const { dtype, quant } = t;
  const out: Tensor = { id: 0, name, shape: sizes, dtype, ...(quant ? { quant } : {}) };
  const context = { op: { ...op, id: 0, outputs: [0] }, inputs: [t], outputs: [out], dialect: graph.dialect };
  const values = lazyConstant(() => evaluate(context, [constant.load()])[0]);
  return sheet.tensor({ ...out, constant: values });
}
