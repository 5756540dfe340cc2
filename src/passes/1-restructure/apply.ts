/**
 * A graph with regions cut into tiles: the same function, other operators. Every tile is the region's operators once
 * more, on slices of its inputs; the tiles' outputs are joined. Operators run tile after tile.
 */
import { TidemarkError } from '../../errors.ts';
import { prune } from '../../graph/builder.ts';
import { ABSENT, type Graph, type Tensor, type TensorId } from '../../graph/graph.ts';
import { channelChain, channelFan, writeFan, writeGroups } from './channel-groups.ts';
import { type Box, lengthOf, sameBox, wholeBox } from './interval.ts';
import { outputsOf, usesOf } from './region.ts';
import { copy, join, type Piece, Sheet } from './sheet.ts';
import { regionOperators, type TileStep, tileOf } from './tile.ts';
import type { TiledRegion, Tiling } from './tiling.ts';
import { turnWindows } from './turn.ts';

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
  return turned(graph, sheet, tiling.turned ?? []);
}

/** The graph of the sheet, with all that is left of these operators turned. */
function turned(graph: Graph, sheet: Sheet, ids: readonly number[]): Graph {
  if (ids.length === 0) return prune(sheet.graph());
  const wanted = new Set(ids);
  const done = new Set<number | undefined>();
  const made = turnWindows(
    sheet.graph(),
    (op) => wanted.has(sheet.originOf(op)!),
    (op) => done.add(sheet.originOf(op)),
  );
  const left = ids.find((id) => !done.has(id));
  if (left !== undefined) throw unfit(graph, `operator ${left} cannot be turned`);
  return made;
}

function unfit(graph: Graph, why: string): TidemarkError {
  return new TidemarkError('plan-invalid', `the tiles do not fit ${graph.name}: ${why}`);
}

function cutRegion(graph: Graph, sheet: Sheet, region: TiledRegion, output: TensorId): void {
  if (region.channels) {
    const chain = channelChain(graph, region.operators);
    const fan = channelFan(graph, region.operators);
    if (!chain && !fan)
      throw unfit(graph, `operators ${region.operators.join(', ')} cannot be cut by channels`);
    const { middle } = (chain ?? fan)!;
    if (!ascends(region.channels, middle))
      throw unfit(graph, `cuts of ${middle} channels are ${region.channels}`);
    if (chain) writeGroups(graph, sheet, chain, region.channels);
    else writeFan(graph, sheet, fan!, region.channels);
    return;
  }
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
    if (pieces) return once(key, () => gather(sheet, graph.tensors[id], pieces, needed, label));
    const has = made.get(id) ?? { id, box: fullBox(graph.tensors[id]) };
    if (sameBox(has.box, needed)) return has.id;
    return once(key, () => slice(sheet, has.id, has.box, needed, label));
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
    sheet.add({ ...op, name: `${op.name}/tile${label}`, inputs, outputs: [id], attrs: attrs() }, op.id);
    made.set(op.outputs[0], { id, box });
  }
  return read(output, want);
}

/** All of a tensor; those of a lower rank are aligned at their last axis. */
function fullBox(t: Tensor): Box {
  return wholeBox([...new Array(Math.max(0, 4 - t.shape.length)).fill(1), ...t.shape]);
}

/** A part of a tensor that lies in bands: a part of one band, or of several, joined. */
function gather(sheet: Sheet, t: Tensor, pieces: readonly Piece[], needed: Box, label: string): TensorId {
  const parts = pieces.flatMap(({ id, box }) => {
    const rows = { lo: Math.max(box.rows.lo, needed.rows.lo), hi: Math.min(box.rows.hi, needed.rows.hi) };
    if (rows.hi <= rows.lo) return [];
    const part = { rows, columns: needed.columns };
    return [{ id, box, part }];
  });
  if (parts.length === 1) {
    const [{ id, box, part }] = parts;
    return sameBox(part, box) ? id : slice(sheet, id, box, part, label);
  }
  // A whole band is copied too: else it would lie in this join, and keep the room of all of it while it is read.
  const copies = parts.map(({ id, box, part }) =>
    sameBox(part, box) ? copy(sheet, id, label) : slice(sheet, id, box, part, label),
  );
  return join(sheet, t, copies, 1, `${t.name}/gather${label}`);
}

/** A part of a tensor of which `has` is there. Parts of constants are constants. */
function slice(sheet: Sheet, from: TensorId, has: Box, needed: Box, label: string): TensorId {
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
  if (t.constant) return sheet.constantPart(from, name, starts, sizes);
  const id = sheet.like(t, name, sizes);
  sheet.add({ name, kind: 'Slice', inputs: [from], outputs: [id], attrs });
  return id;
}
