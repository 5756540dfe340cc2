/**
 * Plain buffers placed in the order in which they come to life, below a given height: a beam of half-finished
 * packings sweeps over time, and those live on whose neighbours die at about the same time, so that what is freed
 * is freed in large pieces; what lives long and what is soon gone lie at opposite ends. Rows of many sizes that follow one another pack well this way; the same sweep backwards
 * in time, and with other weights, is another chance.
 */
import { uniformNumbers } from '../../../seeded.ts';
import type { PackingAnswer } from './problem.ts';
import { sortedBy } from './sections.ts';

export interface SweepProblem {
  readonly sizes: ArrayLike<number>;
  readonly from: ArrayLike<number>;
  readonly to: ArrayLike<number>;
  /** Buffers whose lower end is given up bit by bit: from times[j] on nothing below lo[j] is needed. */
  readonly shrinking?: ReadonlyMap<number, Shrinking>;
  /** Every offset is a multiple of this. */
  readonly alignment: number;
  /** No packing is lower. */
  readonly lowerBound: number;
}

export interface Shrinking {
  readonly times: ArrayLike<number>;
  readonly lo: ArrayLike<number>;
}

export interface SweepLimits {
  /** Only what is lower than this is of use. */
  readonly below: number;
  /** Gaps looked at, all sweeps together. */
  readonly work: number;
}

/** Packings kept side by side: more of them are worth less than more sweeps. */
const WIDTH = 32;
/** Buffers between two moments that a sweep can go back to, at least, and numbers kept for all such moments. */
const STRIDE = 48;
const MOST_SAVED = 16_000_000;
/** Looks for each buffer that may be live beside another: some dozen sweeps, which is enough for a small problem. */
const MOST_LOOKS = 750;
/** How far up from the bound to the best height the next sweeps aim. */
const REACH = 0.7;
/** Places of the same worth are taken in random order. */
const NOISE = 1 / 32;
const MOST_WAYS = 2 ** 20;
const MOST_SCORE = 2 ** 32;
/** Times that a sweep goes back without getting any further before it is given up. */
const MOST_RETURNS = 4;

/** The lowest packing found below `below`; undefined where none is. The same work gives the same answer. */
export function packBySweep(problem: SweepProblem, limits: SweepLimits): PackingAnswer | undefined {
  const { sizes, from, to, alignment, lowerBound } = problem;
  const members = sortedBy(sizes.length, (i) => i).filter((i) => to[i] > from[i] && sizes[i] > 0);
  if (members.length === 0) return undefined;
  const random = uniformNumbers(0x9e3779b9);
  const ways = [itemsOf(problem, members, false), itemsOf(problem, members, true)];
  const lives = Float64Array.from(members, (i) => to[i] - from[i]).sort();
  const bySize = Float64Array.from(members, (i) => sizes[i]).sort();
  const usual = Math.max(1, lives[Math.floor(lives.length * 0.75)]);
  const anyTaste = (): Taste => {
    const horizon = Math.max(1, usual * 0.5 * 4 ** random());
    return {
      horizon,
      exactFit: horizon * 0.1 * random(),
      sliver: horizon * 0.2 * random(),
      sliverBytes: bySize[Math.floor(bySize.length * 0.25 * random())],
      pull: horizon * 3 * (2 * random() - 1),
      long: usual * 2 * 2 ** random(),
    };
  };
  let best: PackingAnswer | undefined;
  let height = limits.below;
  let left = Math.min(limits.work, MOST_LOOKS * members.length * ways[0].mostLive);
  for (let round = 0; left > 0 && height > lowerBound; round++) {
    const aim = Math.min(height - 1, lowerBound + (height - lowerBound) * REACH);
    // Backwards is the better way once in a while only.
    const items = ways[round % 4 === 3 ? 1 : 0];
    const taste = anyTaste();
    const sweep = new Sweep(items, Math.floor(aim / alignment) * alignment, {
      taste: () => ({ ...taste, horizon: taste.horizon * (0.7 + 0.6 * random()) }),
      random,
    });
    const places = sweep.run(left);
    left -= sweep.looks;
    if (!places) continue;
    const offsets = new Float64Array(sizes.length);
    height = 0;
    items.order.forEach((i, k) => {
      offsets[i] = places[k];
      height = Math.max(height, places[k] + sizes[i]);
    });
    best = { offsets, height };
  }
  return best;
}

/** Buffers in the order of their births. */
interface Items {
  /** Index in the problem. */
  readonly order: Int32Array;
  readonly size: Int32Array;
  readonly birth: Int32Array;
  readonly death: Int32Array;
  /** By place in the order. Backwards in time nothing shrinks: such buffers count whole. */
  readonly shrinking: ReadonlyMap<number, Shrinking>;
  readonly shrinks: Uint8Array;
  readonly mostLive: number;
}

function itemsOf(
  { sizes, from, to, alignment, shrinking }: SweepProblem,
  members: Int32Array,
  backwards: boolean,
): Items {
  const birth = (i: number) => (backwards ? -to[i] : from[i]);
  const death = (i: number) => (backwards ? -from[i] : to[i]);
  const order = members
    .slice()
    .sort((a, b) => birth(a) - birth(b) || death(b) - death(a) || sizes[b] - sizes[a] || a - b);
  let mostLive = 0;
  let live: number[] = [];
  for (const i of order) {
    live = live.filter((j) => death(j) > birth(i));
    mostLive = Math.max(mostLive, live.push(i));
  }
  // What lies against a freed end is aligned too.
  const aligned = ({ times, lo }: Shrinking): Shrinking => ({
    times,
    lo: Float64Array.from(lo, (bytes) => Math.floor(bytes / alignment) * alignment),
  });
  const shapes = new Map(
    backwards
      ? []
      : [...order].flatMap((i, k) => (shrinking?.has(i) ? [[k, aligned(shrinking.get(i)!)]] : [])),
  );
  return {
    order,
    size: Int32Array.from(order, (i) => Math.ceil(sizes[i] / alignment) * alignment),
    birth: Int32Array.from(order, birth),
    death: Int32Array.from(order, death),
    shrinking: shapes,
    shrinks: Uint8Array.from(order, (_, k) => (shapes.has(k) ? 1 : 0)),
    mostLive,
  };
}

/** What a sweep thinks of a place for a buffer, in time. */
interface Taste {
  /** Ends of life further apart than this are all the same. */
  readonly horizon: number;
  /** What filling a gap exactly is worth. */
  readonly exactFit: number;
  /** What leaving a gap smaller than `sliverBytes` costs. */
  readonly sliver: number;
  readonly sliverBytes: number;
  /** What the whole height is worth: those that live longer than `long` gather at the bottom (at the top where it is negative), the others opposite. */
  readonly pull: number;
  readonly long: number;
}

interface SweepSettings {
  readonly taste: () => Taste;
  readonly random: () => number;
}

/** What is live in one half-finished packing, from the bottom up. */
interface Packed {
  count: number;
  /** Nobody dies before. */
  next: number;
  score: number;
  /** A number for what lies where and until when: packings that look alike have the same. */
  look: number;
  /** Place in the order of births. */
  readonly item: Int32Array;
  readonly offset: Int32Array;
  readonly end: Int32Array;
  readonly death: Int32Array;
}

class Sweep {
  /** Gaps looked at. */
  looks = 0;
  readonly #items: Items;
  readonly #capacity: number;
  readonly #stride: number;
  readonly #newTaste: () => Taste;
  readonly #random: () => number;
  #taste: Taste;
  #beam: Packed[];
  #spare: Packed[];
  /** The beam before every so many buffers, to go back to. */
  readonly #saved: Packed[][] = [];
  /** Ways to place the next buffer: which packing, at which of its gaps, where, and how good that is. */
  readonly #parent: Int32Array;
  readonly #gap: Int32Array;
  readonly #place: Int32Array;
  readonly #score: Float64Array;
  /** Scores in units of the noise, and the way in the low digits: numbers sort fastest by themselves. */
  readonly #rank: Float64Array;
  #ways = 0;

  constructor(items: Items, capacity: number, { taste, random }: SweepSettings) {
    this.#items = items;
    this.#capacity = capacity;
    const saved = 3 * WIDTH * items.mostLive * items.order.length;
    this.#stride = Math.max(STRIDE, Math.ceil(saved / MOST_SAVED));
    this.#newTaste = taste;
    this.#taste = taste();
    this.#random = random;
    this.#beam = [emptyPacked(items.mostLive)];
    const most = 2 * WIDTH * (items.mostLive + 1);
    this.#parent = new Int32Array(most);
    this.#gap = new Int32Array(most);
    this.#place = new Int32Array(most);
    this.#score = new Float64Array(most);
    this.#rank = new Float64Array(most);
    this.#spare = Array.from({ length: 2 * WIDTH }, () => emptyPacked(items.mostLive));
  }

  /**
   * Offsets in the items' order. Where no packing of the beam has room for the next buffer, the sweep goes back
   * some way, further each time it gets no further, and on with another taste; undefined when `mostLooks` are spent.
   */
  run(mostLooks: number): Int32Array | undefined {
    const { order } = this.#items;
    const parents = new Int32Array(order.length * WIDTH);
    const places = new Int32Array(order.length * WIDTH);
    let furthest = 0;
    let returns = 0;
    for (let k = 0; k < order.length; ) {
      if (k % this.#stride === 0) this.#saved[k / this.#stride] = this.#beam.map(copyOf);
      this.#offer(k);
      if (this.#ways > 0) {
        this.#choose(k++, parents, places);
        continue;
      }
      returns = k > furthest ? 0 : returns + 1;
      furthest = Math.max(furthest, k);
      if (this.looks >= mostLooks || returns > MOST_RETURNS) return undefined;
      const to = Math.max(0, Math.floor(k / this.#stride) - Math.floor(1.5 ** returns));
      this.#spare.push(...this.#beam);
      this.#beam = this.#saved[to].map(copyOf);
      for (const packed of this.#beam) packed.score = 0;
      this.#taste = this.#newTaste();
      k = to * this.#stride;
    }
    const result = new Int32Array(order.length);
    for (let k = order.length - 1, at = 0; k >= 0; k--) {
      result[k] = places[k * WIDTH + at];
      at = parents[k * WIDTH + at];
    }
    return result;
  }

  /** All ways to place buffer k: at either end of every gap that has room. */
  #offer(k: number): void {
    const { size, birth, death } = this.#items;
    const { horizon, exactFit, sliver, sliverBytes, pull, long } = this.#taste;
    const capacity = this.#capacity;
    const random = this.#random;
    const now = birth[k];
    const bytes = size[k];
    const ends = death[k];
    const apart = (end: number) => Math.min(horizon, Math.abs(end - ends));
    const lower = ((ends - now > long ? 1 : -1) * pull) / capacity;
    this.#ways = 0;
    const add = (parent: number, gap: number, place: number, score: number) => {
      const way = this.#ways++;
      this.#parent[way] = parent;
      this.#gap[way] = gap;
      this.#place[way] = place;
      const total = score + place * lower + random() * NOISE;
      this.#score[way] = total;
      // Beyond some billions scores would lose the way's digits.
      this.#rank[way] = Math.min(MOST_SCORE, Math.floor(total * (1 / NOISE))) * MOST_WAYS + way;
    };
    this.#beam.forEach((packed, parent) => {
      expire(packed, now, this.#items);
      const { count, offset, end, death: deaths, score } = packed;
      this.looks += count + 1;
      let low = 0;
      let below = Number.POSITIVE_INFINITY;
      for (let g = 0; g <= count; g++) {
        const high = g < count ? offset[g] : capacity;
        const above = g < count ? deaths[g] : Number.POSITIVE_INFINITY;
        const room = high - low;
        if (room === bytes) {
          add(parent, g, low, score + (apart(below) + apart(above)) / 2 - exactFit);
        } else if (room > bytes) {
          const waste = room - bytes < sliverBytes ? sliver : 0;
          add(parent, g, low, score + apart(below) + waste);
          add(parent, g, high - bytes, score + apart(above) + waste);
        }
        if (g < count) {
          low = end[g];
          below = above;
        }
      }
    });
  }

  /** The best of them become the beam; packings that look alike from here on are kept once. */
  #choose(k: number, parents: Int32Array, places: Int32Array): void {
    const { size, death, shrinks } = this.#items;
    const order = this.#rank.subarray(0, this.#ways).sort();
    const next: Packed[] = [];
    const seen = new Set<number>();
    for (let c = 0; c < order.length && next.length < WIDTH; c++) {
      const way = order[c] - Math.floor(order[c] / MOST_WAYS) * MOST_WAYS;
      const from = this.#beam[this.#parent[way]];
      const gap = this.#gap[way];
      const place = this.#place[way];
      const look = from.look + fingerprint(place, death[k]);
      if (seen.has(look)) continue;
      seen.add(look);
      const to = this.#spare.pop()!;
      insert(from, to, gap, k, place, place + size[k], death[k], shrinks[k] === 1);
      to.score = this.#score[way];
      parents[k * WIDTH + next.length] = this.#parent[way];
      places[k * WIDTH + next.length] = place;
      next.push(to);
    }
    this.#spare.push(...this.#beam);
    this.#beam = next;
  }
}

function emptyPacked(mostLive: number): Packed {
  return {
    count: 0,
    next: 0,
    score: 0,
    look: 0,
    item: new Int32Array(mostLive),
    offset: new Int32Array(mostLive),
    end: new Int32Array(mostLive),
    death: new Int32Array(mostLive),
  };
}

function copyOf({ item, offset, end, death, ...packed }: Packed): Packed {
  return { ...packed, item: item.slice(), offset: offset.slice(), end: end.slice(), death: death.slice() };
}

/** What is dead goes; of what shrinks, the upper part stays. */
function expire(packed: Packed, now: number, { size, shrinking, shrinks }: Items): void {
  if (now < packed.next) return;
  const { item, offset, end, death } = packed;
  let kept = 0;
  let next = Number.POSITIVE_INFINITY;
  for (let g = 0; g < packed.count; g++) {
    if (death[g] <= now) {
      packed.look -= fingerprint(offset[g], death[g]);
      continue;
    }
    const was = offset[g];
    item[kept] = item[g];
    offset[kept] = was;
    end[kept] = end[g];
    death[kept] = death[g];
    if (shrinks[item[g]]) {
      offset[kept] = end[g] - size[item[g]] + lowEnd(shrinking.get(item[g])!, now);
      packed.look += fingerprint(offset[kept], death[g]) - fingerprint(was, death[g]);
      next = now;
    }
    if (death[g] < next) next = death[g];
    kept++;
  }
  packed.count = kept;
  packed.next = next;
}

function lowEnd({ times, lo }: Shrinking, now: number): number {
  let from = 0;
  let to = times.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (times[middle] <= now) from = middle + 1;
    else to = middle;
  }
  return from > 0 ? lo[from - 1] : 0;
}

function insert(
  from: Packed,
  to: Packed,
  gap: number,
  item: number,
  place: number,
  end: number,
  death: number,
  shrinks: boolean,
): void {
  const copy = (a: Int32Array, b: Int32Array, value: number) => {
    for (let g = 0; g < gap; g++) b[g] = a[g];
    b[gap] = value;
    for (let g = gap; g < from.count; g++) b[g + 1] = a[g];
  };
  copy(from.item, to.item, item);
  copy(from.offset, to.offset, place);
  copy(from.end, to.end, end);
  copy(from.death, to.death, death);
  to.count = from.count + 1;
  to.next = Math.min(from.next, shrinks ? 0 : death);
  to.look = from.look + fingerprint(place, death);
}

/** A number for a buffer at a place; sums of a thousand of them are still exact. */
function fingerprint(place: number, death: number): number {
  let a = Math.imul(place ^ Math.imul(death, 0x9e3779b1), 0x85ebca6b);
  a = Math.imul(a ^ (a >>> 15), 0xc2b2ae35);
  const b = Math.imul(a ^ (a >>> 13) ^ death, 0x27d4eb2f);
  return (a >>> 0) * 0x400 + (b >>> 22);
}
