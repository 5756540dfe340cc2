/** What a replay keeps of one buffer: what has been written and is still needed, hence what is live, and the columns it was seen in. */
import { elementBytes, elementCount, type Graph, type TensorId } from '../graph/graph.ts';
import { addressingOf } from '../plan/addressing.ts';
import type { PlanBuffer } from '../plan/plan.ts';

/** What an actor has written of a tensor, in bytes of its root. */
export interface Written {
  lo: number;
  hi: number;
  /** Share of the bytes up to `hi` that this writer's are: less than 1 for a part of a concat. */
  readonly density: number;
}

/** Firings in reverse need what lies before a bound that falls, others what lies after one that rises. */
export interface Need {
  from: number;
  to: number;
}

export const WHOLE: Need = { from: 0, to: Number.POSITIVE_INFINITY };
export const NOTHING: Need = { from: Number.POSITIVE_INFINITY, to: 0 };

/** A buffer in the midst of a replay. */
export interface Life {
  readonly buffer: number;
  readonly root?: TensorId;
  readonly ringBytes: number;
  /** Rows placed one by one: bytes of each, and where each lies in the buffer. */
  readonly pieces?: { readonly bytes: number; readonly starts: Int32Array };
  readonly kept: boolean;
  /** Bytes of the root that each reader still needs, by actor and input. */
  readonly needs: Need[];
  readonly written: Map<TensorId, Written>;
  /** Columns seen so far. */
  first: number;
  readonly lo: number[];
  readonly hi: number[];
  /** Live now: bytes of the arena from and to. */
  from: number;
  to: number;
  share: number;
  /** Of rows placed one by one: where each that is live lies. */
  parts?: readonly { readonly from: number; readonly to: number }[];
}

/** Rows placed one by one: bytes of each, and where each lies. */
export function piecesOf(buffer: PlanBuffer, graph: Graph): Life['pieces'] {
  const { dtype, shape } = graph.tensors[buffer.tensor!];
  const { stretch, starts } = addressingOf(buffer, elementCount(shape));
  return { bytes: stretch * elementBytes({ dtype }), starts: starts! };
}

/** Where the pieces that hold bytes [from, to) lie. */
export function livePieces(
  { bytes, starts }: NonNullable<Life['pieces']>,
  from: number,
  to: number,
  offset: number,
) {
  const parts: { from: number; to: number }[] = [];
  for (let p = Math.floor(from / bytes); p * bytes < to; p++)
    parts.push({ from: offset + starts[p], to: offset + starts[p] + Math.min(bytes, to - p * bytes) });
  return parts;
}

/** Widens a life's interval in a column. Columns that were skipped repeat the one before. */
export function stamp(life: Life, column: number): void {
  if (life.first < 0) life.first = column;
  const at = column - life.first;
  while (life.lo.length < at) {
    life.lo.push(life.lo.length ? life.lo[life.lo.length - 1] : life.from);
    life.hi.push(life.hi.length ? life.hi[life.hi.length - 1] : life.to);
  }
  life.lo[at] = Math.min(life.lo[at] ?? Number.POSITIVE_INFINITY, life.from);
  life.hi[at] = Math.max(life.hi[at] ?? 0, life.to);
}

/** Bytes under at least one interval; a sparse one counts by its share where it stands alone. */
export function unionBytes(lives: readonly Life[]): number {
  const sorted = lives
    .flatMap((l) => (l.parts ?? [l]).map(({ from, to }) => ({ from, to, share: l.share })))
    .sort((a, b) => a.from - b.from);
  let covered = 0;
  let end = 0;
  for (const { from, to, share } of sorted) {
    if (to <= end) continue;
    covered += (to - Math.max(from, end)) * share;
    end = to;
  }
  return Math.round(covered);
}
