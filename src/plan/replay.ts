/** One actor of a plan being replayed over the shadow memory. */
import type { Graph, TensorId } from '../graph/graph.ts';
import { readsInOnePiece, type Storage } from '../graph/storage.ts';
import type { PixelRange } from '../ops/operator.ts';
import type { Firings, OperatorFirings } from './firing.ts';
import {
  addressOf,
  byteAt,
  fail,
  type Piece,
  pieceOf,
  type Reader,
  type Root,
  type Shadow,
  sideBySide,
} from './shadow.ts';

interface Input {
  readonly piece: Piece;
  readonly reader: Reader;
  readonly inPlace: boolean;
  /**
   * Pixels below this (from it on, in reverse) were found in place before; overwriting one that is still needed
   * is refused.
   */
  verified: number;
  /** The next firing that reads something, and what. */
  firing: number;
  need: PixelRange;
}

/** Working memory of an actor: bytes of a shadow, lost between firings unless it is a fold's state. */
export interface Workspace {
  readonly shadow: Shadow;
  readonly offset: number;
  readonly bytes: number;
  readonly tag: number;
  readonly keeps: boolean;
}

/** What a plan says of an actor beyond what its firings do. */
export interface ActorHow {
  /** Firings that the schedule has. */
  readonly times: number;
  readonly name: string;
  readonly reverse: boolean;
  readonly workspace?: Workspace;
  /** Where a firing writes its run first. */
  readonly staging?: Workspace;
}

const NOTHING: PixelRange = { lo: 0, hi: 0 };

export class ActorReplay {
  readonly firings: Firings;
  /** Firings that the schedule has in all: runs after them are never wanted. */
  readonly #times: number;
  readonly #name: string;
  readonly #reverse: boolean;
  readonly #roots: ReadonlyMap<TensorId, Root>;
  readonly #inputs: Input[];
  readonly #outputs: Piece[];
  readonly #workspace?: Workspace;
  readonly #staging?: Workspace;
  #next = 0;

  constructor(
    graph: Graph,
    storage: Storage,
    roots: ReadonlyMap<TensorId, Root>,
    firings: Firings,
    { times, name, reverse, workspace, staging }: ActorHow,
  ) {
    this.firings = firings;
    this.#times = Math.min(times, firings.count);
    this.#name = name;
    this.#reverse = reverse;
    this.#roots = roots;
    this.#workspace = workspace;
    this.#staging = staging;
    const { context, definition } = firings as Partial<OperatorFirings>;
    const piece = (id: TensorId, whole: boolean) => {
      const found = pieceOf(graph, storage, roots, id);
      checkPlace(found, whole, name);
      return found;
    };
    this.#outputs = firings.outputs.map((id) => piece(id, definition?.access === 'whole'));
    const overwritable = context ? (definition!.inPlace?.(context) ?? []) : [];
    this.#inputs = firings.inputs.map(({ tensor, index }) => {
      const found = piece(tensor, context !== undefined && readsInOnePiece(context.op, tensor));
      const reader: Reader = { needFrom: 0, needTo: Number.POSITIVE_INFINITY };
      found.root.readers.push(reader);
      const inPlace = overwritable.includes(index);
      return {
        piece: found,
        reader,
        inPlace,
        verified: reverse ? found.pixels : 0,
        firing: -1,
        need: NOTHING,
      };
    });
    if (!reverse) for (const [i, input] of this.#inputs.entries()) this.#announceEnd(input, i);
    this.#announce(0);
  }

  /** What lies behind all that is ever read is not needed. */
  #announceEnd({ piece, reader }: Input, i: number): void {
    reader.needTo = 0;
    for (let f = this.#times - 1; f >= 0; f--) {
      const { lo, hi } = this.firings.reads(i, f);
      if (hi <= lo) continue;
      reader.needTo = byteAt(piece, hi - 1) + piece.pixelBytes;
      return;
    }
  }

  /**
   * Fires once: working memory is taken, reads are verified, then the output is stamped. What is staged comes to
   * its place when the firing needs none of its input any more.
   */
  fire(): void {
    const f = this.#next;
    const { firings } = this;
    if (f >= firings.count) fail(`${this.#name} fires more than ${firings.count} times`);
    if (this.#workspace) this.#take(this.#workspace, f);
    if (this.#staging) this.#take(this.#staging, f);
    for (const input of this.#inputs) if (input.firing === f) this.#verify(input, f);
    if (this.#staging) this.#announce(f + 1);
    const { lo, hi } = firings.writes(f);
    for (const out of this.#outputs) this.#write(out, lo, hi, f);
    this.#next = f + 1;
    if (!this.#staging) this.#announce(f + 1);
  }

  /** Publishes what is needed from firing f on. Intervals must be monotone for this to be a single bound. */
  #announce(f: number): void {
    for (let i = 0; i < this.#inputs.length; i++) {
      const input = this.#inputs[i];
      // Looked up once: the firing that reads next may be far ahead.
      if (input.firing >= f) continue;
      const { piece, reader } = input;
      let from = Number.POSITIVE_INFINITY;
      let to = 0;
      input.firing = f;
      for (; input.firing < this.#times; input.firing++) {
        input.need = this.firings.reads(i, input.firing);
        if (input.need.hi <= input.need.lo) continue;
        from = byteAt(piece, input.need.lo);
        to = byteAt(piece, input.need.hi - 1) + piece.pixelBytes;
        break;
      }
      if (this.#reverse ? to > reader.needTo : from < reader.needFrom)
        fail(`${this.#name}, firing ${f}: reads backwards`);
      if (this.#reverse) reader.needTo = to;
      else reader.needFrom = from;
    }
  }

  #take(w: Workspace, f: number): void {
    const { owner } = w.shadow;
    const end = w.offset + w.bytes;
    if (w.keeps && f > 0) {
      for (let at = w.offset; at < end; at++) {
        if (owner[at] !== w.tag) fail(`${this.#name}, firing ${f}: its state at ${at} was overwritten`);
      }
      return;
    }
    for (let at = w.offset; at < end; ) {
      const count = stretchOf(w.shadow, at, end);
      // What is left of the firing before is lost anyway.
      if (owner[at] > 0) this.#claim(w.shadow, at, count, f);
      owner.fill(w.tag, at, at + count);
      at += count;
    }
  }

  /** Every byte of what a firing reads must be where its buffer says. What was found before is guarded since. */
  #verify(input: Input, f: number): void {
    const { need } = input;
    const { root, offset, stride, adjoining, pixelBytes, pixels } = input.piece;
    if (need.hi > pixels) fail(`${this.#name}, firing ${f}: reads pixel ${need.hi - 1} of ${pixels}`);
    const lo = this.#reverse ? need.lo : Math.max(need.lo, input.verified);
    const hi = this.#reverse ? Math.min(need.hi, input.verified) : need.hi;
    if (adjoining) {
      this.#find(root, offset + lo * stride, offset + hi * stride, f);
    } else {
      for (let p = lo; p < hi; p++)
        this.#find(root, byteAt(input.piece, p), byteAt(input.piece, p) + pixelBytes, f);
    }
    input.verified = this.#reverse ? Math.min(input.verified, lo) : Math.max(input.verified, hi);
  }

  #find(root: Root, from: number, to: number, f: number): void {
    const { owner, byte } = root.shadow;
    const tag = root.id + 1;
    for (let b = from; b < to; ) {
      let at = addressOf(root, b);
      for (const end = Math.min(to, b + sideBySide(root, b)); b < end; b++, at++) {
        if (owner[at] !== tag || byte[at] !== b) {
          fail(`${this.#name}, firing ${f}: byte ${b} of ${root.buffer.name} is not at ${at}`);
        }
      }
    }
  }

  #write(out: Piece, lo: number, hi: number, f: number): void {
    const { offset, stride, adjoining, pixelBytes, root } = out;
    if (!root.starts && hi > lo && byteAt(out, hi - 1) + pixelBytes - byteAt(out, lo) > root.stretchBytes)
      fail(`${this.#name}, firing ${f}: writes more than the ring of ${root.buffer.name} holds`);
    if (hi > out.pixels) fail(`${this.#name}, firing ${f}: writes pixel ${hi - 1} of ${out.pixels}`);
    if (adjoining) {
      this.#stamp(out, offset + lo * stride, offset + hi * stride, lo * pixelBytes, f);
    } else {
      for (let p = lo; p < hi; p++) {
        const from = byteAt(out, p);
        this.#stamp(out, from, from + pixelBytes, p * pixelBytes, f);
      }
    }
  }

  /** Bytes [from, to) of the output's root are written; the first is byte `written` of the output itself. */
  #stamp(out: Piece, from: number, to: number, written: number, f: number): void {
    const { root } = out;
    const { owner, byte } = root.shadow;
    for (let b = from; b < to; ) {
      const at = addressOf(root, b);
      const count = stretchOf(root.shadow, at, at + Math.min(sideBySide(root, b), to - b));
      if (owner[at] !== 0) this.#claim(root.shadow, at, count, f, written + b - from, out);
      owner.fill(root.id + 1, at, at + count);
      for (let k = 0; k < count; k++) byte[at + k] = b + k;
      b += count;
    }
  }

  /**
   * Fails where one of `count` bytes from an address on, which belong to one owner and follow one another in it,
   * is still needed. `written` is the byte of `out` that goes to the first.
   */
  #claim(shadow: Shadow, at: number, count: number, f: number, written = 0, out?: Piece): void {
    const owner = shadow.owner[at];
    if (owner < 0) {
      if (owner === this.#workspace?.tag || owner === this.#staging?.tag)
        fail(`${this.#name}, firing ${f}: writes over its own working memory at ${at}`);
      return;
    }
    const root = this.#roots.get(owner - 1)!;
    const byte = shadow.byte[at];
    if (root.kept)
      fail(`${this.#name}, firing ${f}: overwrites byte ${byte} of ${root.buffer.name}, which is kept`);
    for (const reader of root.readers) {
      const from = Math.max(byte, reader.needFrom);
      const to = Math.min(byte + count, reader.needTo);
      if (from >= to) continue;
      const own = out ? this.#inputs.find((i) => i.reader === reader) : undefined;
      const unspent = own ? this.#unspent(own, from, to, written + from - byte, out!, f) : from;
      if (unspent === undefined) continue;
      fail(
        `${this.#name}, firing ${f}: overwrites byte ${unspent} of ${root.buffer.name}, which is still needed`,
      );
    }
  }

  /**
   * In place, element e of the output is written after the input's elements up to e were read. So an input byte
   * is spent when its element is at or before the one being written and no later firing reads it. Gives the
   * first of the input's bytes [from, to) that is not; byte `written` of the output goes over the first.
   */
  #unspent(own: Input, from: number, to: number, written: number, out: Piece, f: number): number | undefined {
    const { piece, inPlace } = own;
    if (!inPlace || !piece.adjoining || elementsOf(piece) !== elementsOf(out)) return from;
    // Bytes [start, end) are read by no later firing.
    const later = f + 1 < this.#times ? this.firings.reads(this.#inputs.indexOf(own), f + 1) : undefined;
    const start = this.#reverse && later ? startOf(piece, later) : 0;
    const end =
      piece.offset + (this.#reverse ? piece.pixels : (later?.lo ?? piece.pixels)) * piece.pixelBytes;
    if (from < start) return from;
    const ahead = written - (from - piece.offset);
    // Elements of one size, written at or behind where they were read: that holds for all of them alike.
    if (piece.elementBytes === out.elementBytes && ahead >= 0)
      return to <= end ? undefined : Math.max(from, end);
    for (let b = from; b < to; b++) {
      const position = b - piece.offset;
      const read = Math.floor(position / piece.elementBytes);
      if (b >= end || read > Math.floor((position + ahead) / out.elementBytes)) return b;
    }
    return undefined;
  }
}

/** First byte that firings in reverse will not read again: unknown where the next one reads nothing. */
const startOf = (piece: Piece, next: PixelRange) =>
  next.hi > next.lo ? piece.offset + next.hi * piece.pixelBytes : Number.POSITIVE_INFINITY;

const elementsOf = (piece: Piece) => (piece.pixels * piece.pixelBytes) / piece.elementBytes;

/** No pixel may lie partly in one stretch and partly in the next; what is taken whole must lie in one. */
function checkPlace(piece: Piece, whole: boolean, name: string): void {
  const { root, offset, stride, rows, adjoining, pixelBytes, pixels } = piece;
  if (whole && pixels > 1 && !adjoining) fail(`${name} needs ${root.buffer.name} in one piece`);
  const stretch = root.stretchBytes;
  if (stretch >= root.bytes || pixels === 0) return;
  const wraps = (from: number, bytes: number) => (from % stretch) + bytes > stretch;
  const apart = `${name}: the ${root.starts ? 'pieces' : 'ring'} of ${root.buffer.name} would take apart`;
  if (whole && wraps(offset, (pixels - 1) * stride + pixelBytes))
    fail(`${apart} what is needed in one piece`);
  if (!rows && stretch % stride === 0 && (offset % stride) + pixelBytes <= stride) return;
  for (let p = 0; p < pixels; p++) if (wraps(byteAt(piece, p), pixelBytes)) fail(`${apart} pixel ${p}`);
}

/** Bytes from an address on, up to `end`, that have one owner and follow one another in it. */
function stretchOf({ owner, byte }: Shadow, at: number, end: number): number {
  const tag = owner[at];
  const shift = byte[at] - at;
  let to = at + 1;
  if (tag > 0) while (to < end && owner[to] === tag && byte[to] - to === shift) to++;
  else while (to < end && owner[to] === tag) to++;
  return to - at;
}
