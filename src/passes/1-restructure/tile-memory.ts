/**
 * What a tile needs while it runs: the region's inputs, as long as this or a later tile reads them; the region's
 * output, from the first tile's write on; and the tile's own tensors, each from its writer to its last reader.
 */
import { channelsOf, elementBytes, type TensorId } from '../../graph/graph.ts';
import { definitionOf } from '../../ops/registry.ts';
import type { Candidate } from './candidates.ts';
import { type Box, lengthOf, sameBox } from './interval.ts';
import type { Sequence } from './sequence.ts';
import { type TileOf, type TileStep, tileOf } from './tile.ts';

export interface TileFigures {
  /** Live bytes at the worst moment; [first tile or not][last tile or not]. */
  readonly peakBytes: readonly (readonly [number, number])[];
  readonly macs: number;
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
  const moments = momentsOf(sequence, region, tile, want, cut.columns);
  const peak = (first: boolean, last: boolean) => peakOf(region, moments, first, last);
  return {
    peakBytes: [
      [peak(false, false), peak(false, true)],
      [peak(true, false), peak(true, true)],
    ],
    macs: macsOf(region, tile),
  };
}

/** One operator of the tile. */
interface Moment {
  /** The tile's own bytes while it runs. */
  readonly ownBytes: number;
  readonly writesOutput: boolean;
  /** Indices into the region's dying inputs that it reads for the last time in this tile. */
  readonly ends: readonly number[];
}

function peakOf(region: Candidate, moments: readonly Moment[], first: boolean, last: boolean): number {
  let base = region.throughBytes + region.dyingBytes + (first ? 0 : region.outputBytes);
  let output = !first;
  let peak = 0;
  for (const { ownBytes, writesOutput, ends } of moments) {
    if (writesOutput && !output) {
      output = true;
      base += region.outputBytes;
    }
    peak = Math.max(peak, base + ownBytes);
    if (last) for (const i of ends) base -= region.dying[i].bytes;
  }
  return peak;
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
  columnsCut: boolean,
): Moment[] {
  const { graph, isView, roots, rootOf } = sequence;
  const made = new Map<TensorId, Box>(tile.steps.map((s) => [s.op.outputs[0], s.made]));
  // Rows of one image lie side by side: slices and parts are addresses. Everything else is copied.
  const inPlace = !columnsCut && graph.tensors[region.output].shape[0] === 1;
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
  const running = tile.steps.filter(runs);
  const lastUse = new Map<TensorId, number>();
  const lastRead = new Map<number, number>();
  const outside = new Map(region.dying.map((d, i) => [d.root, i]));
  running.forEach(({ op, reads }, k) => {
    op.inputs.forEach((t, i) => {
      if (t < 0 || reads[i] === null || rootOf[t] < 0) return;
      if (made.has(t)) lastUse.set(keyOf(t), k);
      const dying = outside.get(rootOf[t]);
      if (dying !== undefined) lastRead.set(dying, k);
    });
  });
  let own = 0;
  const live = new Map<TensorId, number>();
  return running.map((step, k) => {
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
    const ends = [...lastRead].filter(([, at]) => at === k).map(([i]) => i);
    return { ownBytes, writesOutput: key === OUTPUT, ends };
  });
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
