/**
 * The row schedule of one span: which step fires next, how large each ring must be, and the span's worst
 * moment. Demand driven: the span's last steps fire, and pull from their producers what they lack; steps whose
 * results leave the span elsewhere fire as soon as they can, so that nothing has to wait for them.
 */
import type { Network, RootInfo } from './steps.ts';
import type { FiringTable, Mode } from './tables.ts';

export interface SpanShape {
  /** First and last step, inclusive. */
  readonly first: number;
  readonly last: number;
  readonly mode: Mode;
  /** By step of the span, where not all run in one mode. */
  readonly modes?: readonly Mode[];
  /** Every firing writes into working memory, and what it made is copied to its place when its reads are over. */
  readonly staged?: boolean;
  /** The span is one step, and fires its last run first. */
  readonly reverse?: boolean;
}

export interface SpanSchedule extends SpanShape {
  /** Greatest sum of live bytes of everything in the arena while the span runs. */
  readonly peakBytes: number;
  readonly firings: number;
  /** Which step fired next; left out: `demand`, or an order that was given. */
  readonly firing?: FiringOrder;
  /** Root index -> elements, for the tensors that stay inside the span. */
  readonly rings: ReadonlyMap<number, number>;
  /** Root index -> elements of a piece, for the tensors whose rows are placed one by one. */
  readonly pieces?: ReadonlyMap<number, number>;
  /** Steps in firing order; only when asked for. */
  readonly sequence?: Int32Array;
}

/**
 * `demand`: what the span's last steps lack, the first of it first. `deepest`: of what they lack, first what reaches
 * furthest up the network, so that what is ready fires when the rest is. `eager`: whatever is ready, most downstream first.
 */
export type FiringOrder = 'demand' | 'deepest' | 'eager';

export interface ScheduleOptions {
  /** Give up (undefined) when the peak exceeds this. */
  readonly limitBytes?: number;
  readonly record?: boolean;
  /** Told how often readiness was looked into: the time it took, also where the limit was exceeded. */
  readonly onEffort?: (looks: number) => void;
  /** Which step fires next; left out: `demand`. */
  readonly firing?: FiringOrder;
  /** Fire these steps, in this order: one found elsewhere. Firings that nothing needs are left out. */
  readonly order?: ArrayLike<number>;
}

/** State of one root while a span runs. */
interface RootRun {
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

/** A step of the span that must have written so many pixels before firing f. */
interface Wait {
  readonly step: number;
  readonly pixels: Int32Array;
  readonly written: Int32Array;
}

/** What one step does to the span, looked up once: a span of some thousand firings asks over and over. */
interface StepRun {
  /** Steps of the span that must have written so many pixels before firing f. */
  readonly waits: readonly Wait[];
  readonly writes: readonly { readonly to: RootRun; readonly lo: Int32Array; readonly hi: Int32Array }[];
  /** Roots that it reads. */
  readonly reads: readonly RootRun[];
  /** Its result goes over its input, and that saves room. */
  readonly over: boolean;
}

/** Schedules a span. Undefined when the limit is exceeded. */
export function scheduleSpan(
  network: Network,
  span: SpanShape,
  options: ScheduleOptions = {},
): SpanSchedule | undefined {
  const run = new SpanRun(network, span, options);
  const schedule = run.go();
  options.onEffort?.(run.looks);
  return schedule;
}

class SpanRun {
  looks = 0;
  readonly #network: Network;
  readonly #span: SpanShape;
  readonly #limit: number;
  readonly #firing: FiringOrder;
  readonly #order?: ArrayLike<number>;
  /** Rows are placed one by one: what is live counts, not the largest ring. */
  readonly #singles: boolean;
  readonly #tables: FiringTable[];
  readonly #fired: Int32Array;
  readonly #target: Int32Array;
  readonly #roots = new Map<number, RootRun>();
  readonly #steps: StepRun[];
  readonly #sequence?: number[];
  #ringBytes = 0;
  #boundaryBytes = 0;
  /** What `#reach` found, and for which question. */
  readonly #asked: Int32Array;
  readonly #reached: Int32Array;
  #query = 0;
  #count = 0;
  #fixedBytes = 0;
  #peakBoundary = 0;

  constructor(network: Network, span: SpanShape, options: ScheduleOptions) {
    this.#network = network;
    this.#span = span;
    this.#limit = options.limitBytes ?? Number.POSITIVE_INFINITY;
    this.#firing = options.firing ?? 'demand';
    this.#order = options.order;
    this.#singles = span.mode === 'singles';
    const steps = span.last - span.first + 1;
    this.#tables = Array.from({ length: steps }, (_, i) =>
      network.table(span.first + i, span.modes?.[i] ?? span.mode, span.reverse),
    );
    this.#fired = new Int32Array(steps);
    this.#target = new Int32Array(steps);
    this.#asked = new Int32Array(steps);
    this.#reached = new Int32Array(steps);
    if (options.record) this.#sequence = [];
    this.#describe();
    this.#steps = this.#tables.map((table) => this.#stepRun(table));
  }

  #describe(): void {
    const { first, last } = this.#span;
    const inside = (s: number) => s >= first && s <= last;
    const { roots, touched, crossing } = this.#network;
    const here = new Set<number>();
    for (let s = first; s <= last; s++) for (const root of touched[s]) here.add(root);
    // What lives across the span without being touched stays where it is.
    this.#fixedBytes += crossing[first];
    for (const root of here) {
      const info = roots[root];
      if (info.external) continue;
      const lastUse = Math.max(info.readers.at(-1) ?? -1, info.writers.at(-1) ?? -1);
      const across = info.writers.length > 0 && info.writers[0] < first && (info.kept || lastUse >= first);
      if (across) this.#fixedBytes -= info.bytes;
      const internal = !info.kept && info.writers.every(inside) && info.readers.every(inside);
      const written = info.writers.every((s) => s < first);
      const mixed = !info.writers.every(inside) && !written;
      const state: RootRun = {
        root,
        elementBytes: info.elementBytes,
        size: info.elements,
        granule: ringGranule(info, this.#span.mode),
        internal,
        pinned: info.kept || info.readers.some((s) => s > last),
        whole: mixed,
        readers: [],
        needed: info.elements,
        lo: 0,
        hi: written ? info.elements : 0,
        ring: 0,
      };
      this.#roots.set(root, state);
      if (mixed) this.#fixedBytes += info.bytes;
    }
    this.#tables.forEach((table, i) => {
      this.#fixedBytes += table.workspaceBytes + (this.#span.staged ? table.stagingBytes : 0);
      for (const r of table.reads) {
        const state = this.#roots.get(r.root);
        state?.readers.push({ step: i, lo: r.lo, upTo: r.upTo });
      }
    });
    this.#targets();
    for (const state of this.#roots.values()) {
      this.#readPart(state);
      if (!this.#inRing(state) && !state.whole) this.#boundaryBytes += this.#live(state);
    }
    this.#measure();
  }

  #stepRun(table: FiringTable): StepRun {
    const { first } = this.#span;
    const waits: Wait[] = [];
    const writes: StepRun['writes'][number][] = [];
    const reads: RootRun[] = [];
    for (const { root, lo, hi } of table.writes) {
      const to = this.#roots.get(root);
      if (to) writes.push({ to, lo, hi });
    }
    for (const read of table.reads) {
      const from = this.#roots.get(read.root);
      if (from) reads.push(from);
      for (const { step, pixels } of read.waits) {
        const producer = this.#tables[step - first];
        if (producer) waits.push({ step: step - first, pixels, written: producer.written });
      }
    }
    const spent = table.reads.find((r) => r.inPlace && table.writes[0] && r.root !== table.writes[0].root);
    const over = spent !== undefined && this.#overwritable(spent.root, table.writes[0].root);
    return { waits, writes, reads, over };
  }

  /** Where reading begins and ends: what nobody reads needs its room only while it is written. */
  #readPart(s: RootRun): void {
    if (s.pinned) return;
    let lo = s.size;
    let needed = 0;
    for (const { step, lo: from, upTo } of s.readers) {
      const target = this.#target[step];
      if (target === 0) continue;
      lo = Math.min(lo, upTo ? from[0] : 0);
      needed = Math.max(needed, upTo ? upTo[target - 1] : s.size);
    }
    s.lo = lo;
    if (lo < needed) s.needed = needed;
  }

  #inRing(state: RootRun): boolean {
    return state.internal && !this.#singles;
  }

  #live(state: RootRun): number {
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

  go(): SpanSchedule | undefined {
    const done = this.#order
      ? this.#runGiven(this.#order)
      : this.#firing === 'eager'
        ? this.#runEager()
        : this.#runDemand();
    if (!done) return undefined;
    const rings = new Map<number, number>();
    const pieces = new Map<number, number>();
    for (const s of this.#roots.values()) {
      if (!s.internal) continue;
      if (!this.#singles) rings.set(s.root, s.ring);
      else if (s.granule < s.size) pieces.set(s.root, s.granule);
    }
    return {
      ...this.#span,
      peakBytes: this.#worst(),
      firings: this.#count,
      ...(this.#firing === 'demand' ? {} : { firing: this.#firing }),
      rings,
      ...(this.#singles ? { pieces } : {}),
      sequence: this.#sequence && Int32Array.from(this.#sequence),
    };
  }

  /** Firings each step must do: all where its result leaves the span, else what the others read. */
  #targets(): void {
    const { first } = this.#span;
    for (let i = this.#tables.length - 1; i >= 0; i--) {
      const table = this.#tables[i];
      const leaves =
        table.writes.length === 0 || table.writes.some((w) => !(this.#roots.get(w.root)?.internal ?? false));
      if (leaves) this.#target[i] = table.count;
      if (this.#target[i] === 0) continue;
      for (const r of table.reads) {
        for (const w of r.waits) {
          const producer = w.step - first;
          if (producer < 0 || producer >= this.#tables.length) continue;
          let most = 0;
          for (let f = 0; f < this.#target[i]; f++) if (w.pixels[f] > most) most = w.pixels[f];
          this.#target[producer] = Math.max(this.#target[producer], firingsFor(this.#tables[producer], most));
        }
      }
    }
  }

  /** The step inside the span that keeps step i from firing, or -1. */
  #lacking(i: number): number {
    this.looks++;
    const f = this.#fired[i];
    const { waits } = this.#steps[i];
    for (let w = 0; w < waits.length; w++) if (this.#unmet(waits[w], f)) return waits[w].step;
    return -1;
  }

  #unmet({ step, pixels, written }: Wait, f: number): boolean {
    const fired = this.#fired[step];
    return (fired === 0 ? 0 : written[fired - 1]) < pixels[f];
  }

  /** Step i waits for step p. */
  #waitsFor(i: number, p: number): boolean {
    const f = this.#fired[i];
    return this.#steps[i].waits.some((wait) => wait.step === p && this.#unmet(wait, f));
  }

  /**
   * Of the steps that keep step i from firing, the one that reaches furthest up the network for what it lacks itself, or
   * -1. What is ready fires last then: a row of a concat is not begun before the rows that its other parts need are there.
   */
  #deepest(i: number): number {
    const { waits } = this.#steps[i];
    let best = this.#lacking(i);
    if (best < 0 || waits.length < 2) return best;
    this.#query++;
    let reach = -1;
    for (const { step } of waits) {
      if (step === best && reach >= 0) continue;
      if (!this.#waitsFor(i, step)) continue;
      const reached = this.#reach(step);
      if (reach < 0 || reached < reach) {
        reach = reached;
        best = step;
      }
    }
    return best;
  }

  /** The first step of the network that must fire for step i to fire. */
  #reach(i: number): number {
    if (this.#asked[i] === this.#query) return this.#reached[i];
    this.looks++;
    let least = i;
    const f = this.#fired[i];
    for (const wait of this.#steps[i].waits) {
      if (this.#unmet(wait, f)) least = Math.min(least, this.#reach(wait.step));
    }
    this.#asked[i] = this.#query;
    this.#reached[i] = least;
    return least;
  }

  #runGiven(order: ArrayLike<number>): boolean {
    for (let k = 0; k < order.length; k++) {
      const i = order[k] - this.#span.first;
      if (this.#fired[i] >= this.#target[i]) continue;
      if (this.#lacking(i) >= 0) throw new Error(`step ${order[k]} fires before it can`);
      if (!this.#fire(i)) return false;
    }
    return true;
  }

  #runDemand(): boolean {
    const exits: number[] = [];
    this.#tables.forEach((t, i) => {
      const leaves =
        t.writes.length === 0 || t.writes.some((w) => !(this.#roots.get(w.root)?.internal ?? false));
      if (leaves && t.count > 0) exits.push(i);
    });
    const stack: number[] = [];
    for (let e = exits.length - 1; e >= 0; e--) {
      const sink = exits[e];
      while (this.#fired[sink] < this.#target[sink]) {
        // Whatever the sink lacks, and what that lacks, and so on down.
        stack.push(sink);
        while (stack.length > 0) {
          const i = stack[stack.length - 1];
          const p = this.#firing === 'deepest' ? this.#deepest(i) : this.#lacking(i);
          if (p >= 0) {
            if (this.#fired[p] >= this.#tables[p].count) throw new Error(`step ${i} waits for ever`);
            stack.push(p);
            continue;
          }
          stack.pop();
          // An exit that was ready may have fired in the meantime, and what waited for it waits no more.
          const waiting =
            stack.length > 0 ? this.#waitsFor(stack[stack.length - 1], i) : this.#fired[i] < this.#target[i];
          if (!waiting) continue;
          if (!this.#fire(i)) return false;
          if (exits.length > 1 && !this.#fireReadyExits(exits, e)) return false;
        }
      }
    }
    return true;
  }

  #fireReadyExits(exits: readonly number[], below: number): boolean {
    for (let e = 0; e < below; e++) {
      const x = exits[e];
      while (this.#fired[x] < this.#target[x] && this.#lacking(x) < 0) if (!this.#fire(x)) return false;
    }
    return true;
  }

  #runEager(): boolean {
    let i = this.#tables.length - 1;
    while (i >= 0) {
      if (this.#fired[i] < this.#target[i] && this.#lacking(i) < 0) {
        if (!this.#fire(i)) return false;
        i = this.#tables.length - 1;
      } else i--;
    }
    return true;
  }

  #fire(i: number): boolean {
    const { writes, reads, over } = this.#steps[i];
    const f = this.#fired[i];
    let unread = 0;
    for (let w = 0; w < writes.length; w++) {
      const { to: s } = writes[w];
      const lo = writes[w].lo[f];
      const hi = writes[w].hi[f];
      unread += this.#unread(s, lo, hi);
      // What nobody reads may be written behind what is needed: a ring has to have room for both.
      if (hi <= s.hi && (lo >= s.lo || hi <= lo)) continue;
      this.#grow(s, Math.max(s.hi, hi), lo);
    }
    if (!over) this.#measure(unread);
    this.#fired[i] = f + 1;
    this.#count++;
    this.#sequence?.push(i + this.#span.first);
    for (let r = 0; r < reads.length; r++) this.#release(reads[r]);
    if (over) this.#measure();
    return this.#worst() <= this.#limit;
  }

  /** True where writing over the input really saves: both lie whole in the arena. */
  #overwritable(input: number, output: number): boolean {
    const a = this.#roots.get(input);
    const b = this.#roots.get(output);
    return (
      a !== undefined &&
      b !== undefined &&
      !this.#inRing(a) &&
      !this.#inRing(b) &&
      !a.pinned &&
      !a.whole &&
      !b.whole
    );
  }

  #grow(s: RootRun, hi: number, from: number): void {
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

  #release(s: RootRun): void {
    let lo = s.size;
    const { readers } = s;
    for (let r = 0; r < readers.length; r++) {
      const { step } = readers[r];
      const f = this.#fired[step];
      if (f >= this.#target[step]) continue;
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

  /** Bytes of what is being written that nobody reads. */
  #unread(s: RootRun, lo: number, hi: number): number {
    if (s.pinned || s.whole || this.#inRing(s) || (lo >= s.lo && hi <= s.needed)) return 0;
    return (Math.max(0, Math.min(hi, s.lo) - lo) + Math.max(0, hi - Math.max(lo, s.needed))) * s.elementBytes;
  }

  #measure(extraBytes = 0): void {
    const bytes = this.#boundaryBytes + extraBytes;
    if (bytes > this.#peakBoundary) this.#peakBoundary = bytes;
  }

  /** Rings stand at one place all the while, so the largest of each counts throughout. */
  #worst(): number {
    return this.#ringBytes + this.#peakBoundary + this.#fixedBytes;
  }
}

/** Elements that a ring's size is a multiple of, so that no pixel (no row, where rows are written) wraps inside. */
export function ringGranule(info: RootInfo, mode: Mode): number {
  if (info.pixelGranule === 0) return info.elements;
  return mode !== 'pixels' && info.rowElements % info.pixelGranule === 0
    ? info.rowElements
    : info.pixelGranule;
}

/** Firings after which so many pixels are written. */
function firingsFor(table: FiringTable, pixels: number): number {
  if (pixels <= 0) return 0;
  let lo = 0;
  let hi = table.count - 1;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (table.written[mid] >= pixels) hi = mid;
    else lo = mid + 1;
  }
  return lo + 1;
}
