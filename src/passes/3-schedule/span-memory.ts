/** What a span's tensors take while it runs: rings by the largest they become, all else by what is live of it. */
import type { Network, RootInfo } from './steps.ts';
import type { SpanShape } from './stream.ts';
import type { FiringTable, Mode } from './tables.ts';

/** State of one root while a span runs. */
export interface SpanRoot {
  readonly root: number;
  readonly elementBytes: number;
  readonly size: number;
  /** Granule of a ring: pixels never wrap inside. */
  readonly granule: number;
  readonly internal: boolean;
  /** Lower end is fixed: something outside the span still reads it, or it is kept. */
  readonly pinned: boolean;
  /** Other spans write into it too: counted whole. */
  readonly whole: boolean;
  readonly readers: { readonly step: number; readonly lo: Int32Array; readonly upTo?: Int32Array }[];
  /** Nobody reads what lies from here on. */
  needed: number;
  lo: number;
  hi: number;
  ring: number;
}

/** How far the steps of a span are, by their place in it. */
export interface StepCounts {
  readonly fired: Int32Array;
  /** Firings that each must do. */
  readonly target: Int32Array;
}

export class SpanMemory {
  /** Rows are placed one by one: what is live counts, not the largest ring. */
  readonly #singles: boolean;
  readonly #roots = new Map<number, SpanRoot>();
  #counts: StepCounts;
  #fixedBytes = 0;
  #ringBytes = 0;
  #boundaryBytes = 0;
  #peakBoundary = 0;

  constructor(network: Network, span: SpanShape, tables: readonly FiringTable[], counts: StepCounts) {
    this.#singles = span.mode === 'singles';
    this.#counts = counts;
    const { first, last } = span;
    const here = new Set<number>();
    for (let s = first; s <= last; s++) for (const root of network.touched[s]) here.add(root);
    // What lives across the span without being touched stays where it is.
    this.#fixedBytes += network.crossing[first];
    for (const root of here) this.#add(root, network.roots[root], span);
    tables.forEach((table, step) => {
      this.#fixedBytes += table.workspaceBytes + (span.staged ? table.stagingBytes : 0);
      for (const r of table.reads) this.#roots.get(r.root)?.readers.push({ step, lo: r.lo, upTo: r.upTo });
    });
  }

  #add(root: number, info: RootInfo, { first, last, mode }: SpanShape): void {
    if (info.external) return;
    const inside = (s: number) => s >= first && s <= last;
    const lastUse = Math.max(info.readers.at(-1) ?? -1, info.writers.at(-1) ?? -1);
    const across = info.writers.length > 0 && info.writers[0] < first && (info.kept || lastUse >= first);
    if (across) this.#fixedBytes -= info.bytes;
    const written = info.writers.every((s) => s < first);
    const mixed = !info.writers.every(inside) && !written;
    if (mixed) this.#fixedBytes += info.bytes;
    this.#roots.set(root, {
      root,
      elementBytes: info.elementBytes,
      size: info.elements,
      granule: ringGranule(info, mode),
      internal: !info.kept && info.writers.every(inside) && info.readers.every(inside),
      pinned: info.kept || info.readers.some((s) => s > last),
      whole: mixed,
      readers: [],
      needed: info.elements,
      lo: 0,
      hi: written ? info.elements : 0,
      ring: 0,
    });
  }

  /** Counts what is there at the start, once it is known how often each step must fire. */
  begin(): void {
    for (const state of this.#roots.values()) {
      this.#readPart(state);
      if (!this.#inRing(state) && !state.whole) this.#boundaryBytes += this.#live(state);
    }
    this.measure();
  }

  /** Undefined where it lies outside the arena. */
  root(root: number): SpanRoot | undefined {
    return this.#roots.get(root);
  }

  /** True where a step's result leaves the span. */
  leaves({ writes }: FiringTable): boolean {
    return writes.length === 0 || writes.some((w) => !(this.#roots.get(w.root)?.internal ?? false));
  }

  /** Where reading begins and ends: what nobody reads needs its room only while it is written. */
  #readPart(s: SpanRoot): void {
    if (s.pinned) return;
    let lo = s.size;
    let needed = 0;
    for (const { step, lo: from, upTo } of s.readers) {
      const target = this.#counts.target[step];
      if (target === 0) continue;
      lo = Math.min(lo, upTo ? from[0] : 0);
      needed = Math.max(needed, upTo ? upTo[target - 1] : s.size);
    }
    s.lo = lo;
    if (lo < needed) s.needed = needed;
  }

  #inRing(state: SpanRoot): boolean {
    return state.internal && !this.#singles;
  }

  #live(state: SpanRoot): number {
    const hi = Math.min(state.hi, state.needed);
    if (!state.internal) {
      const lo = state.pinned ? 0 : Math.min(state.lo, hi);
      return (hi - lo) * state.elementBytes;
    }
    // A row is there as a whole until nothing of it is needed.
    const first = Math.floor(state.lo / state.granule);
    const end = Math.min(state.size, Math.ceil(hi / state.granule) * state.granule);
    return Math.max(0, end - first * state.granule) * state.elementBytes;
  }

  /** True where writing an output over an input really saves: both lie whole in the arena. */
  overwritable(input: number, output: number): boolean {
    const a = this.#roots.get(input);
    const b = this.#roots.get(output);
    if (a === undefined || b === undefined || this.#inRing(a) || this.#inRing(b)) return false;
    return !a.pinned && !a.whole && !b.whole;
  }

  /** Elements [lo, hi) are written. Gives the bytes of them that nobody reads. */
  write(s: SpanRoot, lo: number, hi: number): number {
    const unread = this.#unread(s, lo, hi);
    // What nobody reads may be written behind what is needed: a ring has to have room for both.
    if (hi > s.hi || (lo < s.lo && hi > lo)) this.#grow(s, Math.max(s.hi, hi), lo);
    return unread;
  }

  #grow(s: SpanRoot, hi: number, from: number): void {
    if (this.#inRing(s)) {
      s.hi = hi;
      const extent = hi - Math.min(s.lo, from, hi);
      const ring = Math.min(s.size, Math.ceil(extent / s.granule) * s.granule);
      if (ring > s.ring) {
        this.#ringBytes += (ring - s.ring) * s.elementBytes;
        s.ring = ring;
      }
      return;
    }
    if (!s.whole) this.#boundaryBytes -= this.#live(s);
    s.hi = hi;
    if (!s.whole) this.#boundaryBytes += this.#live(s);
  }

  #unread(s: SpanRoot, lo: number, hi: number): number {
    if (s.pinned || s.whole || this.#inRing(s) || (lo >= s.lo && hi <= s.needed)) return 0;
    return (Math.max(0, Math.min(hi, s.lo) - lo) + Math.max(0, hi - Math.max(lo, s.needed))) * s.elementBytes;
  }

  /** A reader has fired: what none reads any more is given up. */
  release(s: SpanRoot): void {
    let lo = s.size;
    const { readers } = s;
    const { fired, target } = this.#counts;
    for (let r = 0; r < readers.length; r++) {
      const { step } = readers[r];
      const f = fired[step];
      if (f >= target[step]) continue;
      const next = readers[r].lo[f];
      if (next <= s.lo) return;
      if (next < lo) lo = next;
    }
    if (!this.#inRing(s) && !s.whole) {
      this.#boundaryBytes -= this.#live(s);
      s.lo = lo;
      this.#boundaryBytes += this.#live(s);
    } else s.lo = lo;
  }

  /** Takes note of what is live now, with so many bytes besides. */
  measure(extraBytes = 0): void {
    const bytes = this.#boundaryBytes + extraBytes;
    if (bytes > this.#peakBoundary) this.#peakBoundary = bytes;
  }

  /** The worst moment so far. Rings stand at one place all the while, so the largest of each counts throughout. */
  get peakBytes(): number {
    return this.#ringBytes + this.#peakBoundary + this.#fixedBytes;
  }

  /** Root index -> elements of its ring, or of a piece where rows are placed one by one. */
  sizes(): { readonly rings: Map<number, number>; readonly pieces?: Map<number, number> } {
    const rings = new Map<number, number>();
    const pieces = new Map<number, number>();
    for (const s of this.#roots.values()) {
      if (!s.internal) continue;
      if (!this.#singles) rings.set(s.root, s.ring);
      else if (s.granule < s.size) pieces.set(s.root, s.granule);
    }
    return this.#singles ? { rings, pieces } : { rings };
  }
}

/** Elements that a ring's size is a multiple of, so that no pixel (no row, where rows are written) wraps inside. */
export function ringGranule(info: RootInfo, mode: Mode): number {
  if (info.pixelGranule === 0) return info.elements;
  return mode !== 'pixels' && info.rowElements % info.pixelGranule === 0
    ? info.rowElements
    : info.pixelGranule;
}
