/** One actor of a plan being replayed over the shadow memory. */
import type { Graph, TensorId } from '../graph/graph.ts';
import type { Storage } from '../graph/storage.ts';
import type { PixelRange } from '../ops/operator.ts';
import type { Firings, OperatorFirings } from './firing.ts';
import { fail, type Piece, pieceOf, type Reader, type Root, type Shadow } from './shadow.ts';

interface Input {
  readonly piece: Piece;
  readonly reader: Reader;
  readonly inPlace: boolean;
  /** Pixels below this were found in place before; overwriting one that is still needed is refused. */
  verified: number;
}

/** Working memory of an actor: bytes of a shadow, lost between firings unless it is a fold's state. */
export interface Workspace {
  readonly shadow: Shadow;
  readonly offset: number;
  readonly bytes: number;
  readonly tag: number;
  readonly keeps: boolean;
}

export class ActorReplay {
  readonly firings: Firings;
  /** Firings that the schedule has in all: runs after them are never wanted. */
  readonly #times: number;
  readonly #name: string;
  readonly #roots: ReadonlyMap<TensorId, Root>;
  readonly #inputs: Input[];
  readonly #outputs: Piece[];
  readonly #workspace?: Workspace;
  #next = 0;

  constructor(
    graph: Graph,
    storage: Storage,
    roots: ReadonlyMap<TensorId, Root>,
    firings: Firings,
    times: number,
    name: string,
    workspace?: Workspace,
  ) {
    this.firings = firings;
    this.#times = Math.min(times, firings.count);
    this.#name = name;
    this.#roots = roots;
    this.#workspace = workspace;
    this.#outputs = firings.outputs.map((id) => pieceOf(graph, storage, roots, id));
    const { context, definition } = firings as Partial<OperatorFirings>;
    const overwritable = context ? (definition!.inPlace?.(context) ?? []) : [];
    this.#inputs = firings.inputs.map(({ tensor, index }) => {
      const piece = pieceOf(graph, storage, roots, tensor);
      const reader: Reader = { needFrom: 0 };
      piece.root.readers.push(reader);
      return { piece, reader, inPlace: overwritable.includes(index), verified: 0 };
    });
    this.#announce(0);
  }

  /** Fires once: working memory is taken, reads are verified, then the output is stamped. */
  fire(): void {
    const f = this.#next;
    const { firings } = this;
    if (f >= firings.count) fail(`${this.#name} fires more than ${firings.count} times`);
    this.#takeWorkspace(f);
    this.#inputs.forEach((input, i) => {
      this.#verify(input, firings.reads(i, f), f);
    });
    const { lo, hi } = firings.writes(f);
    for (const out of this.#outputs) this.#write(out, lo, hi, f);
    this.#next = f + 1;
    this.#announce(f + 1);
  }

  /** Publishes what is needed from firing f on. Intervals must be monotone for this to be a single bound. */
  #announce(f: number): void {
    this.#inputs.forEach(({ piece, reader }, i) => {
      let from = Number.POSITIVE_INFINITY;
      for (let g = f; g < this.#times; g++) {
        const need = this.firings.reads(i, g);
        if (need.hi <= need.lo) continue;
        from = piece.offset + need.lo * piece.stride;
        break;
      }
      if (from < reader.needFrom) fail(`${this.#name}, firing ${f}: reads backwards`);
      reader.needFrom = from;
    });
  }

  #takeWorkspace(f: number): void {
    const w = this.#workspace;
    if (!w) return;
    for (let at = w.offset; at < w.offset + w.bytes; at++) {
      if (w.keeps && f > 0) {
        if (w.shadow.owner[at] !== w.tag)
          fail(`${this.#name}, firing ${f}: its state at ${at} was overwritten`);
        continue;
      }
      this.#claim(w.shadow, at, f);
      w.shadow.owner[at] = w.tag;
    }
  }

  #verify(input: Input, need: PixelRange, f: number): void {
    const { root, offset, stride, pixelBytes, pixels } = input.piece;
    const { owner, byte } = root.shadow;
    if (need.hi > pixels) fail(`${this.#name}, firing ${f}: reads pixel ${need.hi - 1} of ${pixels}`);
    for (let p = Math.max(need.lo, input.verified); p < need.hi; p++) {
      for (let b = offset + p * stride, end = b + pixelBytes; b < end; b++) {
        const at = root.buffer.offset + (b % root.ringBytes);
        if (owner[at] !== root.id + 1 || byte[at] !== b) {
          fail(`${this.#name}, firing ${f}: byte ${b} of ${root.buffer.name} is not at ${at}`);
        }
      }
    }
    input.verified = Math.max(input.verified, need.hi);
  }

  #write(out: Piece, lo: number, hi: number, f: number): void {
    const { root, offset, stride, pixelBytes } = out;
    if (hi > out.pixels) fail(`${this.#name}, firing ${f}: writes pixel ${hi - 1} of ${out.pixels}`);
    for (let p = lo; p < hi; p++) {
      for (let b = 0; b < pixelBytes; b++) {
        const byte = offset + p * stride + b;
        const at = root.buffer.offset + (byte % root.ringBytes);
        if (root.shadow.owner[at] !== 0) this.#claim(root.shadow, at, f, p * pixelBytes + b, out);
        root.shadow.owner[at] = root.id + 1;
        root.shadow.byte[at] = byte;
      }
    }
  }

  /** Fails where the byte at an address is still needed. `written` is the byte of `out` that goes there. */
  #claim(shadow: Shadow, at: number, f: number, written = 0, out?: Piece): void {
    const owner = shadow.owner[at];
    if (owner === 0) return;
    if (owner < 0) {
      if (owner === this.#workspace?.tag)
        fail(`${this.#name}, firing ${f}: writes over its own working memory at ${at}`);
      return;
    }
    const root = this.#roots.get(owner - 1)!;
    const byte = shadow.byte[at];
    if (root.kept)
      fail(`${this.#name}, firing ${f}: overwrites byte ${byte} of ${root.buffer.name}, which is kept`);
    for (const reader of root.readers) {
      if (byte < reader.needFrom) continue;
      const own = this.#inputs.findIndex((i) => i.reader === reader);
      if (own >= 0 && out && this.#spent(own, byte, written, out, f)) continue;
      fail(
        `${this.#name}, firing ${f}: overwrites byte ${byte} of ${root.buffer.name}, which is still needed`,
      );
    }
  }

  /**
   * In place, element e of the output is written after the input's elements up to e were read. So an input byte
   * is spent when its element is at or before the one being written and no later firing reads it.
   */
  #spent(own: number, byte: number, written: number, out: Piece, f: number): boolean {
    const { piece, inPlace } = this.#inputs[own];
    const elements = (of: Piece) => (of.pixels * of.pixelBytes) / of.elementBytes;
    if (!inPlace || piece.stride !== piece.pixelBytes || elements(piece) !== elements(out)) return false;
    const position = byte - piece.offset;
    if (Math.floor(position / piece.elementBytes) > Math.floor(written / out.elementBytes)) return false;
    if (f + 1 >= this.#times) return true;
    return Math.floor(position / piece.pixelBytes) < this.firings.reads(own, f + 1).lo;
  }
}
