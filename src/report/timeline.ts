/**
 * A plan as a picture needs it: which bytes of the arena are live when. The firings are replayed once; what
 * happens within one column of the picture is merged, the extremes kept. Each operator takes up the same width
 * in all, however many firings it has, so that a network of one-firing layers and a stream of thousands share
 * an axis.
 */
import { elementBytes, elementCount, type Graph, type TensorId, tensorBytes } from '../graph/graph.ts';
import type { Storage } from '../graph/storage.ts';
import { addressingOf } from '../plan/addressing.ts';
import { type Firings, firingsOf } from '../plan/firing.ts';
import { banksOf, type Plan, type PlanBuffer } from '../plan/plan.ts';
import { plannedGraph } from '../plan/planned-graph.ts';
import { expandSchedule } from '../plan/schedule.ts';
import { type BytePlace, byteAt, bytePlaceOf } from '../plan/shadow.ts';

/** One buffer's life. Columns from `first` to `last`, both included, have an interval. */
export interface BufferLife {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  readonly kind: 'tensor' | 'ring' | 'pieces' | 'scratch';
  /** Size of the whole tensor, where it is one. */
  readonly tensorBytes?: number;
  readonly shape?: readonly number[];
  readonly first: number;
  readonly last: number;
  /** Lowest live byte and one past the highest, as arena addresses, by column from `first`. */
  readonly lo: readonly number[];
  readonly hi: readonly number[];
}

export interface Timeline {
  readonly columns: number;
  readonly arenaBytes: number;
  /** Most bytes live at once in each column. Bytes that two buffers share count once. */
  readonly liveBytes: readonly number[];
  /** Name of the operator that fires in the middle of each column. */
  readonly names: readonly string[];
  readonly peakBytes: number;
  /** Operator that fires at the worst moment. */
  readonly peakAt: string;
  readonly firings: number;
  readonly lives: readonly BufferLife[];
}

/** Firings beyond this are sampled for the count of live bytes; the hulls stay exact. */
const COUNTED = 200_000;

export function timelineOf(graph: Graph, plan: Plan, columns = 600): Timeline {
  const { graph: planned, storage } = plannedGraph(graph, plan);
  const replay = new Replay(planned, storage, plan, columns);
  const sequence = expandSchedule(plan.schedule);
  const total = replay.width();
  const every = Math.max(1, Math.ceil(sequence.length / COUNTED));
  let done = 0;
  for (let i = 0; i < sequence.length; i++) {
    const column = Math.min(columns - 1, Math.floor((done / total) * columns));
    done += replay.weight(sequence[i]);
    const end = Math.min(columns - 1, Math.max(column, Math.ceil((done / total) * columns) - 1));
    replay.fire(sequence[i], column, end, i % every === 0);
  }
  return replay.timeline(sequence.length);
}

interface Written {
  lo: number;
  hi: number;
  /** Share of the bytes up to `hi` that this writer's are: less than 1 for a part of a concat. */
  readonly density: number;
}

/** Firings in reverse need what lies before a bound that falls, others what lies after one that rises. */
interface Need {
  from: number;
  to: number;
}

const WHOLE: Need = { from: 0, to: Number.POSITIVE_INFINITY };
const NOTHING: Need = { from: Number.POSITIVE_INFINITY, to: 0 };

interface Life {
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

interface Piece extends BytePlace {
  readonly life: Life;
}

interface Actor {
  readonly name: string;
  readonly firings: Firings;
  readonly inputs: readonly { readonly piece: Piece; readonly reader: number }[];
  readonly outputs: readonly { readonly piece: Piece; readonly tensor: TensorId }[];
  readonly reverse: boolean;
  readonly scratch?: Life;
  readonly keepsScratch: boolean;
  readonly staging?: Life;
  next: number;
}

class Replay {
  readonly #graph: Graph;
  readonly #storage: Storage;
  readonly #plan: Plan;
  readonly #lives: Life[];
  readonly #actors: Actor[];
  readonly #live = new Set<Life>();
  readonly #bytes: number[];
  readonly #names: string[];
  readonly #arena: string;
  #peakBytes = 0;
  #peakAt = '';

  constructor(graph: Graph, storage: Storage, plan: Plan, columns: number) {
    this.#graph = graph;
    this.#storage = storage;
    this.#plan = plan;
    this.#arena = banksOf(plan)[0].name;
    this.#bytes = new Array(columns).fill(0);
    this.#names = new Array(columns).fill('');
    const rootOf = (id: TensorId) => storage.places[id].root;
    const kept = new Set<TensorId>();
    if (plan.policy.output === 'whole') for (const p of graph.outputs) kept.add(rootOf(p.tensor));
    if (plan.policy.input === 'keep') for (const p of graph.inputs) kept.add(rootOf(p.tensor));
    this.#lives = plan.buffers.map((b, buffer) => ({
      buffer,
      root: b.tensor,
      ...(b.pieces ? { pieces: piecesOf(b, graph) } : {}),
      ringBytes: b.ring === undefined ? b.bytes : b.ring * elementBytes(graph.tensors[b.tensor!]),
      kept: b.tensor !== undefined && kept.has(b.tensor),
      needs: [],
      written: new Map(),
      first: -1,
      lo: [],
      hi: [],
      from: 0,
      to: 0,
      share: 1,
    }));
    const byRoot = new Map(this.#lives.filter((l) => l.root !== undefined).map((l) => [l.root!, l]));
    this.#actors = plan.actors.map((actor) => this.#actor(actor, byRoot));
    for (const actor of this.#actors) this.#announce(actor, 0);
  }

  #actor(actor: Plan['actors'][number], byRoot: ReadonlyMap<TensorId, Life>): Actor {
    const firings = firingsOf(this.#graph, actor);
    const piece = (id: TensorId): Piece => ({
      ...bytePlaceOf(this.#graph, this.#storage, id),
      life: byRoot.get(this.#storage.places[id].root)!,
    });
    return {
      name: actor.name,
      firings,
      inputs: firings.inputs.map(({ tensor }) => {
        const p = piece(tensor);
        return { piece: p, reader: p.life.needs.push(WHOLE) - 1 };
      }),
      outputs: firings.outputs.map((tensor) => ({ piece: piece(tensor), tensor })),
      scratch: actor.scratch === undefined ? undefined : this.#lives[actor.scratch],
      reverse: actor.reverse === true,
      keepsScratch: actor.fold === true,
      staging: actor.staged === undefined ? undefined : this.#lives[actor.staged],
      next: 0,
    };
  }

  /** Sum of all weights. */
  width(): number {
    return this.#actors.length;
  }

  weight(actor: number): number {
    return 1 / this.#actors[actor].firings.count;
  }

  fire(index: number, column: number, end: number, count: boolean): void {
    const actor = this.#actors[index];
    const f = actor.next++;
    const { lo, hi } = actor.firings.writes(f);
    if (hi > lo) for (const { piece, tensor } of actor.outputs) this.#write(piece, tensor, lo, hi);
    for (const work of [actor.scratch, actor.staging])
      if (work) this.#occupy(work, 0, this.#plan.buffers[work.buffer].bytes, 1);
    // What the firing reads lies there while it writes: this is the moment that counts.
    for (let c = column; c <= end; c++) {
      this.#names[c] = actor.name;
      for (const life of this.#live) stamp(life, c);
    }
    if (count) this.#count(actor, column, end);
    if (actor.scratch && (!actor.keepsScratch || f === actor.firings.count - 1)) this.#release(actor.scratch);
    if (actor.staging) this.#release(actor.staging);
    this.#announce(actor, f + 1);
  }

  #write(piece: Piece, tensor: TensorId, loPixel: number, hiPixel: number): void {
    const { life, stride, pixelBytes } = piece;
    const hi = byteAt(piece, hiPixel - 1) + pixelBytes;
    const lo = byteAt(piece, loPixel);
    const before = life.written.get(tensor);
    if (before) {
      before.lo = Math.min(before.lo, lo);
      before.hi = Math.max(before.hi, hi);
    } else life.written.set(tensor, { lo, hi, density: Math.min(1, pixelBytes / stride) });
    this.#refresh(life);
  }

  /** From firing f on the actor needs its inputs from here. */
  #announce(actor: Actor, f: number): void {
    actor.inputs.forEach(({ piece, reader }, i) => {
      let need = NOTHING;
      for (let g = f; g < actor.firings.count; g++) {
        const r = actor.firings.reads(i, g);
        if (r.hi <= r.lo) continue;
        need = actor.reverse
          ? { from: 0, to: byteAt(piece, r.hi - 1) + piece.pixelBytes }
          : { from: byteAt(piece, r.lo), to: Number.POSITIVE_INFINITY };
        break;
      }
      const before = piece.life.needs[reader];
      if (before.from === need.from && before.to === need.to) return;
      piece.life.needs[reader] = need;
      this.#refresh(piece.life);
    });
  }

  #refresh(life: Life): void {
    const freed = life.kept ? 0 : Math.min(...life.needs.map((n) => n.from), Number.POSITIVE_INFINITY);
    const limit = life.kept ? Number.POSITIVE_INFINITY : Math.max(...life.needs.map((n) => n.to), 0);
    let end = 0;
    let from = Number.POSITIVE_INFINITY;
    let bytes = 0;
    for (const { lo, hi, density } of life.written.values()) {
      end = Math.max(end, hi);
      from = Math.min(from, Math.max(lo, freed));
      bytes += Math.max(0, Math.min(hi, limit) - Math.max(lo, freed)) * density;
    }
    const top = Math.min(end, limit);
    if (top <= from || end === 0) {
      // Written but read by nobody: it was there for the moment of its writing.
      if (end > 0 && life.needs.length === 0 && !life.kept) this.#occupy(life, 0, end, 1);
      else this.#release(life);
      return;
    }
    this.#occupy(life, from, top, Math.min(1, bytes / (top - from)));
  }

  #occupy(life: Life, from: number, to: number, share: number): void {
    if (this.#plan.buffers[life.buffer].bank !== this.#arena) return;
    const { offset } = this.#plan.buffers[life.buffer];
    if (life.pieces) {
      life.parts = livePieces(life.pieces, from, to, offset);
      life.from = Math.min(...life.parts.map((p) => p.from));
      life.to = Math.max(...life.parts.map((p) => p.to));
      life.share = 1;
      this.#live.add(life);
      return;
    }
    const isRing = this.#plan.buffers[life.buffer].ring !== undefined;
    // A ring is used all round; how full it is shows in its share.
    life.from = isRing ? offset : offset + from;
    life.to = isRing ? offset + Math.min(life.ringBytes, to) : offset + to;
    life.share = isRing ? Math.min(1, ((to - from) * share) / Math.max(1, life.to - life.from)) : share;
    this.#live.add(life);
  }

  #release(life: Life): void {
    this.#live.delete(life);
  }

  #count(actor: Actor, column: number, end: number): void {
    const bytes = unionBytes([...this.#live]);
    for (let c = column; c <= end; c++) this.#bytes[c] = Math.max(this.#bytes[c], bytes);
    if (bytes > this.#peakBytes) {
      this.#peakBytes = bytes;
      this.#peakAt = actor.name;
    }
  }

  timeline(firings: number): Timeline {
    const lives = this.#lives.filter((l) => l.first >= 0).map((l) => this.#summary(l));
    return {
      columns: this.#bytes.length,
      arenaBytes: this.#plan.arenaBytes,
      liveBytes: this.#bytes,
      names: this.#names,
      peakBytes: this.#peakBytes,
      peakAt: this.#peakAt,
      firings,
      lives,
    };
  }

  #summary(life: Life): BufferLife {
    const { name, offset, bytes, ring, pieces, tensor } = this.#plan.buffers[life.buffer];
    const root = tensor === undefined ? undefined : this.#graph.tensors[tensor];
    return {
      name,
      offset,
      bytes,
      kind: root === undefined ? 'scratch' : ring !== undefined ? 'ring' : pieces ? 'pieces' : 'tensor',
      tensorBytes: root && tensorBytes(root),
      shape: root?.shape,
      first: life.first,
      last: life.first + life.lo.length - 1,
      lo: life.lo,
      hi: life.hi,
    };
  }
}

function piecesOf(buffer: PlanBuffer, graph: Graph): Life['pieces'] {
  const { dtype, shape } = graph.tensors[buffer.tensor!];
  const { stretch, starts } = addressingOf(buffer, elementCount(shape));
  return { bytes: stretch * elementBytes({ dtype }), starts: starts! };
}

/** Where the pieces that hold bytes [from, to) lie. */
function livePieces(
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
function stamp(life: Life, column: number): void {
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
function unionBytes(lives: readonly Life[]): number {
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
