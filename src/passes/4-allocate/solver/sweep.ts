/**
 * Plain buffers placed in the order in which they come to life, below a given height: a beam of half-finished
 * packings sweeps over time, and those live on whose neighbours die at about the same time, so that what is freed
 * is freed in large pieces; what lives long and what is soon gone lie at opposite ends. Rows of many sizes that follow one
 * another pack well this way; the same sweep backwards in time, and with other weights, is another chance.
 */
import { uniformNumbers } from '../../../seeded.ts';
import { copyOf, emptyPacked, expire, fingerprint, insert, type Packed } from './half-packed.ts';
import type { PackingAnswer } from './problem.ts';
import { sortedBy } from './sections.ts';
import { type Items, itemsOf, type SweepProblem } from './sweep-items.ts';

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
