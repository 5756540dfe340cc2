/**
 * What is live while a span's steps fire by rows: the sum over tensors of the rows that are written and will be read, and sums that
 * folds keep.
 */

import { ringGranule } from './span-memory.ts';
import type { Network } from './steps.ts';
import type { FiringTable, Mode, WriteAccess } from './tables.ts';

export interface LiveSpan {
  readonly first: number;
  readonly last: number;
  readonly mode: Exclude<Mode, 'singles'>;
}

/** How often each step has fired, and what is live. */
export interface Standing {
  readonly fired: Uint16Array;
  readonly live: number;
}

/** What firing a step does. */
export interface Move {
  readonly step: number;
  readonly during: number;
  readonly after: number;
}

/** An input that a step may write its output over, element by element. */
interface Over {
  readonly input: number;
  readonly output: number;
}

/** A tensor with the steps that write and read it; -1 entries are what happened before. */
interface Root {
  readonly bytes: number;
  readonly size: number;
  readonly kept: boolean;
  /** Written before the span begins. */
  readonly there: boolean;
  /** Elements that come and go together: a row of what stays inside the span. */
  readonly granule: number;
  /** `hi`: what is written after each firing; `part`: what each writes. */
  readonly writers: { readonly step: number; readonly hi: Int32Array; readonly part: WriteAccess }[];
  readonly readers: { readonly step: number; readonly lo: Int32Array; readonly upTo?: Int32Array }[];
}

/** Rows that are placed singly begin at multiples of this. */
const ALIGNMENT = 4;

/** Bytes of elements of a root: of whole rows, where it goes by rows. */
function bytesOf({ granule, bytes }: Root, elements: number): number {
  if (granule === 1) return elements * bytes;
  const row = Math.ceil((granule * bytes) / ALIGNMENT) * ALIGNMENT;
  return Math.ceil(elements / granule) * row;
}

/** Steps, how often each must fire, and what is live between any firings of theirs. */
export class LiveModel {
  readonly first: number;
  readonly #tables: readonly FiringTable[];
  readonly #roots: readonly Root[];
  /** Roots that a step writes, and those that it reads or writes. */
  readonly #writes: readonly (readonly number[])[];
  readonly #touches: readonly (readonly number[])[];
  readonly #over: readonly (readonly Over[])[];
  /** Firings of each step that are needed. */
  readonly target: Int32Array;

  constructor(network: Network, { first, last, mode }: LiveSpan) {
    this.first = first;
    const steps = last - first + 1;
    this.#tables = Array.from({ length: steps }, (_, i) => network.table(first + i, mode));
    const inside = (s: number) => s >= first && s <= last;
    this.#roots = network.roots.map(
      (info): Root => ({
        bytes: info.external ? 0 : info.elementBytes,
        size: info.elements,
        kept: info.kept || info.readers.some((s) => s > last),
        there: info.writers.length > 0 && info.writers.every((s) => s < first),
        granule:
          !info.kept && info.writers.every(inside) && info.readers.every(inside)
            ? info.pixelGranule > 0
              ? ringGranule(info, mode)
              : 1
            : 1,
        writers: [],
        readers: [],
      }),
    );
    this.#tables.forEach((table, step) => {
      for (const w of table.writes) {
        const hi = Int32Array.from(w.hi);
        for (let f = 1; f < hi.length; f++) hi[f] = Math.max(hi[f], hi[f - 1]);
        this.#roots[w.root].writers.push({ step, hi, part: w });
      }
      for (const r of table.reads) this.#roots[r.root].readers.push({ step, lo: r.lo, upTo: r.upTo });
    });
    this.#writes = this.#tables.map((t) => [...new Set(t.writes.map((w) => w.root))]);
    this.#touches = this.#tables.map((t, i) => [
      ...new Set([...this.#writes[i], ...t.reads.map((r) => r.root)]),
    ]);
    this.#over = this.#tables.map(({ reads, writes }) =>
      reads.flatMap((r) => {
        const output = writes[0]?.root;
        const possible = r.inPlace && r.root !== output;
        return possible && !network.roots[r.root].external ? [{ input: r.root, output }] : [];
      }),
    );
    const leaves = (root: number) =>
      network.roots[root].kept ||
      !network.roots[root].writers.every(inside) ||
      !network.roots[root].readers.every(inside);
    this.target = this.#neededFirings(leaves);
  }

  /** Firings that are needed: all where a result leaves the span, else what the others read. */
  #neededFirings(leaves: (root: number) => boolean): Int32Array {
    const target = new Int32Array(this.#tables.length);
    for (let i = this.#tables.length - 1; i >= 0; i--) {
      const table = this.#tables[i];
      if (table.writes.length === 0 || table.writes.some((w) => leaves(w.root))) target[i] = table.count;
      for (const { waits } of table.reads) {
        for (const w of waits) {
          const producer = w.step - this.first;
          if (producer < 0) continue;
          let most = 0;
          for (let f = 0; f < target[i]; f++) most = Math.max(most, w.pixels[f]);
          if (most === 0) continue;
          const needed = this.#tables[producer].written.findIndex((n) => n >= most) + 1;
          target[producer] = Math.max(target[producer], needed);
        }
      }
    }
    return target;
  }

  /** Writers and readers that looking at all steps' moves visits, at most. */
  get visits(): number {
    const one = (root: number) => this.#roots[root].writers.length + this.#roots[root].readers.length;
    return this.#touches.reduce((sum, roots) => roots.reduce((n, r) => n + one(r), sum), 0);
  }

  /** All firings that are ready. */
  moves(state: Standing): Move[] {
    const moves: Move[] = [];
    for (let step = 0; step < this.#tables.length; step++)
      if (state.fired[step] < this.target[step] && this.#ready(state.fired, step))
        moves.push(this.fire(state, step));
    return moves;
  }

  #ready(fired: Uint16Array, step: number): boolean {
    const f = fired[step];
    for (const { waits } of this.#tables[step].reads) {
      for (const w of waits) {
        const p = w.step - this.first;
        if (p < 0) continue;
        const done = fired[p] === 0 ? 0 : this.#tables[p].written[fired[p] - 1];
        if (done < w.pixels[f]) return false;
      }
    }
    return true;
  }

  /**
   * Live bytes while a step fires (what it writes is there, what it reads still is, unless it is written over) and
   * when it is over. A fold's sums are there from its first firing to its last.
   */
  fire({ fired, live }: Standing, step: number): Move {
    const f = fired[step];
    const { workspaceBytes, count } = this.#tables[step];
    let during = live + (f === 0 ? workspaceBytes : 0);
    let after = live + (f === 0 ? workspaceBytes : 0) - (f === count - 1 ? workspaceBytes : 0);
    for (const r of this.#writes[step]) {
      during += this.#liveOf(this.#roots[r], fired, step, false) - this.#liveOf(this.#roots[r], fired);
      during += this.#unread(this.#roots[r], fired, step);
    }
    for (const r of this.#touches[step])
      after += this.#liveOf(this.#roots[r], fired, step, true) - this.#liveOf(this.#roots[r], fired);
    let saved = 0;
    for (const { input, output } of this.#over[step]) {
      const freed =
        this.#liveOf(this.#roots[input], fired) - this.#liveOf(this.#roots[input], fired, step, true);
      const made =
        this.#liveOf(this.#roots[output], fired, step, false) - this.#liveOf(this.#roots[output], fired);
      saved = Math.max(saved, Math.min(freed, made));
    }
    return { step, during: during - saved, after };
  }

  /** Bytes that are live. */
  live(fired: Uint16Array): number {
    return this.#roots.reduce((sum, r) => sum + this.#liveOf(r, fired), 0);
  }

  /** Live bytes of a root; with a step given, as if it had written once more, and `read` also read. */
  #liveOf(root: Root, fired: Uint16Array, step = -1, read = false): number {
    let elements = 0;
    this.#parts(root, fired, step, read, (lo, hi) => {
      elements += hi - lo;
    });
    return bytesOf(root, elements);
  }

  /** Visits the live parts [lo, hi) of a root: each reader keeps what lies from its next read to its last. */
  #parts(
    root: Root,
    fired: Uint16Array,
    step: number,
    read: boolean,
    visit: (lo: number, hi: number) => void,
  ): void {
    const { granule, size, kept, readers } = root;
    let written = root.there ? size : 0;
    for (const w of root.writers) {
      const f = fired[w.step] + (w.step === step ? 1 : 0);
      if (f > 0) written = Math.max(written, w.hi[f - 1]);
    }
    const up = (e: number) => Math.min(size, Math.ceil(Math.min(e, written) / granule) * granule);
    if (kept) {
      if (written > 0) visit(0, up(size));
      return;
    }
    const parts: { lo: number; hi: number }[] = [];
    for (const r of readers) {
      const f = fired[r.step] + (r.step === step && read ? 1 : 0);
      const target = this.target[r.step];
      if (f >= target || r.lo[f] >= size) continue;
      const lo = Math.floor(r.lo[f] / granule) * granule;
      const hi = up(r.upTo?.[target - 1] ?? size);
      if (hi > lo) parts.push({ lo, hi });
    }
    // What lies in one piece has one lower and one upper end.
    if (parts.length > 1 && granule > 1) parts.sort((a, b) => a.lo - b.lo);
    else if (parts.length > 1)
      parts.splice(0, parts.length, {
        lo: Math.min(...parts.map((p) => p.lo)),
        hi: Math.max(...parts.map((p) => p.hi)),
      });
    let end = 0;
    for (const { lo, hi } of parts) {
      if (hi > end) visit(Math.max(lo, end), hi);
      end = Math.max(end, hi);
    }
  }

  /** Bytes of what a step writes next that nobody reads: they need their room while it fires. */
  #unread(root: Root, fired: Uint16Array, step: number): number {
    if (root.kept) return 0;
    const f = fired[step];
    let bytes = 0;
    for (const w of root.writers) {
      if (w.step !== step || w.part.hi[f] <= w.part.lo[f]) continue;
      const from = Math.floor(w.part.lo[f] / root.granule) * root.granule;
      const to = Math.min(root.size, Math.ceil(w.part.hi[f] / root.granule) * root.granule);
      let unread = to - from;
      this.#parts(root, fired, step, false, (lo, hi) => {
        unread -= Math.max(0, Math.min(hi, to) - Math.max(lo, from));
      });
      bytes += bytesOf(root, unread);
    }
    return bytes;
  }
}
