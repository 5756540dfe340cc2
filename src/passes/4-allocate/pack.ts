/**
 * Addresses for buffers under asymmetric separations: several first-fit orders, then a seeded local search over
 * orders. Heuristic; the answer is never wrong, only perhaps not the least, and the bound says how far off it
 * can be.
 */
import type { Lifetime, Timeline } from './lifetimes.ts';
import { type Neighbours, separations } from './separation.ts';

export interface Packing {
  readonly offsets: readonly number[];
  readonly heightBytes: number;
  /** No packing of this sequence can be lower: the greatest sum of live bytes. */
  readonly lowerBoundBytes: number;
}

export interface PackOptions {
  /** Every offset is a multiple of this. */
  readonly alignment?: number;
  /** Orders tried by the local search. */
  readonly tries?: number;
  /** Buffers that take no room here (they lie in another bank). */
  readonly outside?: (index: number) => boolean;
}

const DEFAULT_TRIES = 400;

/** Offsets for all lifetimes of a timeline. */
export function packTimeline(timeline: Timeline, options: PackOptions = {}): Packing {
  const { lifetimes } = timeline;
  const alignment = options.alignment ?? 4;
  const outside = options.outside ?? (() => false);
  const neighbours = separations(timeline);
  const items = lifetimes.map((_, i) => i).filter((i) => !outside(i));
  const bound = loadBound(timeline, outside);
  const search = new OrderSearch(lifetimes, neighbours, items, alignment);
  search.startingOrders();
  search.improve(options.tries ?? DEFAULT_TRIES, bound);
  return {
    offsets: search.offsets,
    heightBytes: search.height,
    lowerBoundBytes: Math.min(bound, search.height),
  };
}

/** Greatest sum of live bytes at any time. A write in place counts when its input is gone. */
function loadBound(timeline: Timeline, outside: (i: number) => boolean): number {
  const late = new Set(timeline.inPlace.map((p) => p.output));
  const events: { time: number; delta: number }[] = [];
  timeline.lifetimes.forEach((l, i) => {
    if (outside(i)) return;
    let live = 0;
    l.times.forEach((time, k) => {
      const now = l.hi[k] - l.lo[k];
      const shift = late.has(i) && time % 2 === 0 ? 1 : 0;
      if (now !== live) events.push({ time: time + shift, delta: now - live });
      live = now;
    });
    events.push({ time: l.death, delta: -live });
  });
  events.sort((a, b) => a.time - b.time || a.delta - b.delta);
  let live = 0;
  let most = 0;
  events.forEach((e, k) => {
    live += e.delta;
    const last = k + 1 === events.length || events[k + 1].time !== e.time;
    if (last && live > most) most = live;
  });
  return most;
}

class OrderSearch {
  readonly #lifetimes: readonly Lifetime[];
  readonly #neighbours: readonly Neighbours[];
  readonly #items: readonly number[];
  readonly #alignment: number;
  #order: number[] = [];
  #seed = 0x2545f491;
  offsets: number[] = [];
  height = Number.POSITIVE_INFINITY;

  constructor(
    lifetimes: readonly Lifetime[],
    neighbours: readonly Neighbours[],
    items: readonly number[],
    alignment: number,
  ) {
    this.#lifetimes = lifetimes;
    this.#neighbours = neighbours;
    this.#items = items;
    this.#alignment = alignment;
    this.offsets = lifetimes.map(() => 0);
    if (items.length === 0) this.height = 0;
  }

  #random(): number {
    this.#seed ^= this.#seed << 13;
    this.#seed ^= this.#seed >>> 17;
    this.#seed ^= this.#seed << 5;
    return (this.#seed >>> 0) / 4294967296;
  }

  startingOrders(): void {
    const l = this.#lifetimes;
    const span = (i: number) => l[i].death - l[i].birth;
    const keys: ((i: number) => number)[] = [
      (i) => -l[i].bytes,
      (i) => -l[i].bytes * span(i),
      (i) => -span(i),
      (i) => l[i].birth,
      (i) => -l[i].death,
      (i) => -this.#neighbours[i].other.length,
    ];
    for (const key of keys) {
      this.#try([...this.#items].sort((a, b) => key(a) - key(b) || a - b));
      this.#try([...this.#items].sort((a, b) => key(a) - key(b) || b - a));
    }
  }

  /** Moves what stands highest, and one of its neighbours, earlier or later; keeps what is not worse. */
  improve(tries: number, bound: number): void {
    if (this.#items.length < 2) return;
    for (let k = 0; k < tries && this.height > bound; k++) {
      const order = [...this.#order];
      const top =
        this.#items.find((i) => this.offsets[i] + this.#lifetimes[i].bytes === this.height) ?? this.#items[0];
      const near = this.#neighbours[top].other.filter((o) => order.includes(o));
      const pick =
        this.#random() < 0.5 || near.length === 0 ? top : near[Math.floor(this.#random() * near.length)];
      const from = order.indexOf(pick);
      order.splice(from, 1);
      const to =
        this.#random() < 0.6
          ? Math.floor(this.#random() * (from + 1))
          : Math.floor(this.#random() * (order.length + 1));
      order.splice(to, 0, pick);
      if (this.#random() < 0.3) {
        const a = Math.floor(this.#random() * order.length);
        const b = Math.floor(this.#random() * order.length);
        [order[a], order[b]] = [order[b], order[a]];
      }
      this.#try(order);
    }
  }

  #try(order: number[]): void {
    const offsets = new Array<number>(this.#lifetimes.length).fill(-1);
    let height = 0;
    for (const i of order) {
      const offset = this.#lowest(i, offsets);
      offsets[i] = offset;
      height = Math.max(height, offset + this.#lifetimes[i].bytes);
      if (height > this.height) return;
    }
    this.#order = order;
    this.height = height;
    this.offsets = offsets.map((o) => Math.max(0, o));
  }

  /** Lowest aligned offset that keeps its distance from everything placed. */
  #lowest(i: number, offsets: readonly number[]): number {
    const { other, above, below } = this.#neighbours[i];
    const forbidden: { from: number; to: number }[] = [];
    for (let k = 0; k < other.length; k++) {
      const base = offsets[other[k]];
      if (base < 0) continue;
      // Not above it yet, and not far enough below it.
      const to = base + below[k];
      const from = base - above[k];
      if (to > from) forbidden.push({ from, to });
    }
    forbidden.sort((a, b) => a.from - b.from);
    let offset = 0;
    for (const { from, to } of forbidden) {
      if (offset > from && offset < to) offset = Math.ceil(to / this.#alignment) * this.#alignment;
    }
    return offset;
  }
}
