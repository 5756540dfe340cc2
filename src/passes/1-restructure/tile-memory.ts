/** What a tile needs while it runs: its own tensors, each from its writer to its last reader, and what it reads. */
import { channelsOf, elementBytes, type TensorId } from '../../graph/graph.ts';
import { definitionOf } from '../../ops/registry.ts';
import type { Candidate } from './candidates.ts';
import { type Box, type Interval, lengthOf, sameBox, wholeBox } from './interval.ts';
import type { Sequence } from './sequence.ts';
import { type TileOf, type TileStep, tileOf } from './tile.ts';

/** What a tile does with memory, whatever lies around it. */
export interface TileFigures {
  readonly moments: readonly Moment[];
  readonly reads: readonly OutsideRead[];
  readonly macs: number;
}

/** One operator of the tile. */
export interface Moment {
  /** The tile's own bytes while it runs, without what lies in the region's output. */
  readonly ownBytes: number;
  readonly writesOutput: boolean;
}

/** A part that a tile reads of a tensor that was there before. */
export interface OutsideRead {
  readonly tensor: TensorId;
  readonly root: number;
  readonly rows: Interval;
  /** Bytes of the part. */
  readonly bytes: number;
  /** Moments of the first and the last read. */
  readonly first: number;
  readonly last: number;
}

/** Figures of the tile that makes `want`; undefined where it cannot be made. `cut` says which directions are cut. */
export function tileFigures(
  sequence: Sequence,
  region: Candidate,
  want: Box,
  cut: { readonly rows: boolean; readonly columns: boolean },
): TileFigures | undefined {
  const tile = tileOf(sequence.graph, region.operators, region.output, want, cut);
  if (!tile) return undefined;
  const { moments, reads } = momentsOf(sequence, region, tile, want);
  return { moments, reads, macs: macsOf(region, tile) };
}

/** Stands for the region's output, which tiles write in place. */
const OUTPUT = -1;
/** Stands for everything that is there before the region. */
const OUTSIDE = -2;

function momentsOf(
  sequence: Sequence,
  region: Candidate,
  tile: TileOf,
  want: Box,
): Pick<TileFigures, 'moments' | 'reads'> {
  const { graph, isView, roots, rootOf } = sequence;
  const made = new Map<TensorId, Box>(tile.steps.map((s) => [s.op.outputs[0], s.made]));
  // Parts of one image lie in it at a stride: slices and parts are addresses. Of several images they are copied.
  const inPlace = graph.tensors[region.output].shape[0] === 1;
  const stepOf = new Map<TensorId, TileStep>(tile.steps.map((s) => [s.op.outputs[0], s]));
  const isSlice = ({ op }: TileStep) => isView[op.id] && op.kind !== 'Concat';
  /** The tensor of the tile that a tensor lies in; a view of what is outside has none of its own. */
  const keyOf = (t: TensorId): TensorId => {
    const step = stepOf.get(t);
    if (!step) return OUTSIDE;
    if (isSlice(step)) return keyOf(step.op.inputs[0]);
    const root = roots[rootOf[t]].tensor;
    const shared = made.get(root);
    const owner = shared && sameBox(shared, step.made) ? root : t;
    return owner === region.output && inPlace && sameBox(step.made, want) ? OUTPUT : owner;
  };
  /** A join whose parts lie in it does nothing. */
  const runs = (step: TileStep) =>
    !isView[step.op.id] ||
    (step.op.kind === 'Concat' &&
      step.op.inputs.some((t, i) => step.reads[i] !== null && keyOf(t) !== keyOf(step.op.outputs[0])));
  const bytesOf = (t: TensorId, box: Box) => {
    const tensor = graph.tensors[t];
    return (
      tensor.shape[0] *
      lengthOf(box.rows) *
      lengthOf(box.columns) *
      channelsOf(tensor.shape) *
      elementBytes(tensor)
    );
  };
  const noteRead = (t: TensorId, box: Box, k: number) => {
    const { rows, columns } = box;
    const key = `${t} ${rows.lo} ${rows.hi} ${columns.lo} ${columns.hi}`;
    const first = reads.get(key)?.first ?? k;
    reads.set(key, { tensor: t, root: rootOf[t], rows, bytes: bytesOf(t, box), first, last: k });
  };
  const running = tile.steps.filter(runs);
  const lastUse = new Map<TensorId, number>();
  const reads = new Map<string, OutsideRead>();
  running.forEach((step, k) => {
    step.op.inputs.forEach((t, i) => {
      const box = step.reads[i];
      if (t < 0 || box === null || rootOf[t] < 0) return;
      if (made.has(t)) lastUse.set(keyOf(t), k);
      else noteRead(t, box ?? wholeBox(graph.tensors[t].shape), k);
    });
  });
  let own = 0;
  const live = new Map<TensorId, number>();
  const moments = running.map((step, k): Moment => {
    const { op } = step;
    const key = keyOf(op.outputs[0]);
    const fresh = key !== OUTPUT && !live.has(key) ? bytesOf(key, step.made) : 0;
    if (fresh > 0) live.set(key, fresh);
    own += fresh;
    const copies = inPlace ? 0 : copiedBytes(step, made, (t, box) => (rootOf[t] < 0 ? 0 : bytesOf(t, box)));
    const shared = fresh > 0 ? overwritten(region, step, k, live, lastUse, keyOf, made, fresh) : 0;
    const ownBytes = own + copies - shared;
    for (const t of op.inputs) {
      if (!made.has(t)) continue;
      const input = keyOf(t);
      if (lastUse.get(input) !== k || input === OUTPUT) continue;
      own -= live.get(input) ?? 0;
      live.delete(input);
    }
    return { ownBytes, writesOutput: key === OUTPUT };
  });
  return { moments, reads: [...reads.values()] };
}

/** Bytes of the slices that an operator reads where these are copies. */
function copiedBytes(
  { op, reads }: TileStep,
  made: ReadonlyMap<TensorId, Box>,
  bytesOf: (t: TensorId, box: Box) => number,
): number {
  return op.inputs.reduce((sum, t, i) => {
    const box = reads[i];
    if (!box) return sum;
    const has = made.get(t);
    return has && sameBox(has, box) ? sum : sum + bytesOf(t, box);
  }, 0);
}

/** Bytes of a tensor of the tile that the output may lie over. */
function overwritten(
  region: Candidate,
  { op, reads }: TileStep,
  at: number,
  live: ReadonlyMap<TensorId, number>,
  lastUse: ReadonlyMap<TensorId, number>,
  keyOf: (t: TensorId) => TensorId,
  made: ReadonlyMap<TensorId, Box>,
  fresh: number,
): number {
  const { context } = region.operators.find((o) => o.op === op)!;
  let shared = 0;
  for (const i of definitionOf(op.kind).inPlace?.(context) ?? []) {
    const t = op.inputs[i];
    const box = made.get(t);
    if (!box || (reads[i] && !sameBox(reads[i], box))) continue;
    const key = keyOf(t);
    if (lastUse.get(key) === at) shared = Math.max(shared, Math.min(fresh, live.get(key) ?? 0));
  }
  return shared;
}

/** A transposed convolution counts its products by input, everything else by output. */
function macsOf(region: Candidate, tile: TileOf): number {
  const at = new Map(region.operators.map(({ op }, i) => [op, i]));
  let sum = 0;
  for (const { op, made, reads } of tile.steps) {
    const i = at.get(op)!;
    const macs = region.macs[i];
    if (macs === 0) continue;
    const { inputs, outputs } = region.operators[i].context;
    const [part, whole] =
      op.kind === 'ConvTranspose' ? [reads[0], inputs[0]!.shape] : [made, outputs[0].shape];
    const share = part ? (lengthOf(part.rows) * lengthOf(part.columns)) / (whole[1] * whole[2]) : 1;
    sum += macs * share;
  }
  return sum;
}
