/**
 * Which regions to cut, and how: for a limit on live bytes, dynamic programming over the steps finds the regions that
 * meet it with the fewest extra multiply-accumulates. What is live between two regions does not depend on how either is
 * cut, so the choice is the best there is among these regions and cuts.
 */
import { candidatesOf } from './candidates.ts';
import { type Cutting, RegionCutter } from './cutting.ts';
import type { Sequence } from './sequence.ts';

export interface Choice {
  readonly cuttings: readonly Cutting[];
  readonly extraMacs: number;
  /** Live bytes at the worst moment of all steps. */
  readonly peakBytes: number;
}

export interface SearchOptions {
  /** One region, or as many as help. */
  readonly regions: 'one' | 'many';
  /** Numbers of parts that columns may be cut into. */
  readonly across: readonly number[];
  /** Rows and columns of tiles that every region is cut into; left out: what is best. */
  readonly grid?: readonly [number, number];
}

export class TileSearch {
  readonly sequence: Sequence;
  readonly #options: SearchOptions;
  readonly #byLast: RegionCutter[][];

  constructor(sequence: Sequence, options: SearchOptions) {
    this.sequence = sequence;
    this.#options = options;
    this.#byLast = sequence.order.map(() => []);
    for (const region of candidatesOf(sequence)) {
      this.#byLast[region.last].push(new RegionCutter(sequence, region));
    }
  }

  /** The choice with the fewest extra multiply-accumulates within a limit; undefined where none is found. */
  within(limitBytes: number): Choice | undefined {
    return this.#options.regions === 'one' ? this.#oneRegion(limitBytes) : this.#manyRegions(limitBytes);
  }

  #cheapest(cutter: RegionCutter, limitBytes: number): Cutting | undefined {
    const { grid } = this.#options;
    if (grid) {
      const found = cutter.even(grid);
      return found && found.peakBytes <= limitBytes ? found : undefined;
    }
    let best: Cutting | undefined;
    for (const across of this.#options.across) {
      const found = cutter.within(limitBytes, across);
      if (found && (!best || found.extraMacs < best.extraMacs)) best = found;
    }
    return best;
  }

  /** The number of steps above the limit, up to each step. */
  #above(limitBytes: number): Int32Array {
    const { live } = this.sequence;
    const above = new Int32Array(live.length + 1);
    live.forEach((bytes, i) => {
      above[i + 1] = above[i] + (bytes > limitBytes ? 1 : 0);
    });
    return above;
  }

  #manyRegions(limitBytes: number): Choice | undefined {
    const n = this.sequence.order.length;
    const above = this.#above(limitBytes);
    const cost = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
    const from: (Cutting | undefined)[] = new Array(n + 1).fill(undefined);
    cost[0] = 0;
    for (let last = 0; last < n; last++) {
      if (above[last + 1] === above[last]) cost[last + 1] = cost[last];
      for (const cutter of this.#byLast[last]) {
        const { first } = cutter.region;
        if (above[last + 1] === above[first] || cost[first] === Number.POSITIVE_INFINITY) continue;
        if (cost[first] >= cost[last + 1]) continue;
        const cutting = this.#cheapest(cutter, limitBytes);
        if (!cutting || cost[first] + cutting.extraMacs >= cost[last + 1]) continue;
        cost[last + 1] = cost[first] + cutting.extraMacs;
        from[last + 1] = cutting;
      }
    }
    if (cost[n] === Number.POSITIVE_INFINITY) return undefined;
    const cuttings: Cutting[] = [];
    for (let at = n; at > 0; ) {
      const cutting = from[at];
      if (cutting) cuttings.push(cutting);
      at = cutting ? cutting.region.first : at - 1;
    }
    return this.#choice(cuttings.reverse());
  }

  #oneRegion(limitBytes: number): Choice | undefined {
    const above = this.#above(limitBytes);
    const all = above[above.length - 1];
    let best: Cutting | undefined;
    for (const cutters of this.#byLast) {
      for (const cutter of cutters) {
        const { first, last } = cutter.region;
        if (above[last + 1] - above[first] < all || all === 0) continue;
        const found = this.#cheapest(cutter, limitBytes);
        if (found && (!best || found.extraMacs < best.extraMacs)) best = found;
      }
    }
    return best && this.#choice([best]);
  }

  #choice(cuttings: readonly Cutting[]): Choice {
    const { live } = this.sequence;
    const inside = (step: number) =>
      cuttings.some(({ region }) => step >= region.first && step <= region.last);
    let peakBytes = 0;
    live.forEach((bytes, step) => {
      if (!inside(step)) peakBytes = Math.max(peakBytes, bytes);
    });
    for (const c of cuttings) peakBytes = Math.max(peakBytes, c.peakBytes);
    return { cuttings, extraMacs: cuttings.reduce((sum, c) => sum + c.extraMacs, 0), peakBytes };
  }
}

/** Relative width of the last interval that the halving of limits leaves. */
const PRECISION = 0.001;

/** Choices of falling peak, the smallest last, each within `allowedMacs` extra multiply-accumulates. */
export function smallestWithin(search: TileSearch, allowedMacs: number): Choice[] {
  const found: Choice[] = [];
  let [low, high] = [0, search.sequence.peakBytes];
  while (high - low > PRECISION * high) {
    const limit = Math.floor((low + high) / 2);
    const choice = search.within(limit);
    if (choice && choice.extraMacs <= allowedMacs) {
      found.push(choice);
      high = Math.min(limit, choice.peakBytes);
    } else low = limit + 1;
  }
  return found;
}
