/** A plan's firings, one after another: after each, what every buffer holds that is still needed, and how many bytes that is. */
import { elementBytes, type Graph, type TensorId, tensorBytes } from '../graph/graph.ts';
import type { Storage } from '../graph/storage.ts';
import { type Firings, firingsOf } from '../plan/firing.ts';
import { banksOf, type Plan } from '../plan/plan.ts';
import { type BytePlace, byteAt, bytePlaceOf } from '../plan/shadow.ts';
import { type Life, livePieces, NOTHING, piecesOf, stamp, unionBytes, WHOLE } from './buffer-life.ts';
import type { BufferLife, Timeline } from './timeline.ts';

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

export class Replay {
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
