/**
 * Which regions to cut, and how: for a limit on live bytes, dynamic programming over the steps finds the regions that
 * meet it with the fewest extra multiply-accumulates. What is live between two regions does not depend on how either is
 * cut, so the choice is the best there is among these regions and cuts.
 */
import type { TensorId } from '../../graph/graph.ts';
import { type Part, toTheEnd } from '../../part.ts';
import { graphMacs } from '../../plan/metrics.ts';
import { type Candidate, candidatesOf } from './candidates.ts';
import { type Bands, type Cutting, RegionCutter, type Setting, type Work } from './cutting.ts';
import { groupsWithin } from './group-memory.ts';
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
  /** Whether regions may leave their outputs in bands. */
  readonly bands: boolean;
  /** Whether inverted bottlenecks may be cut by channels. */
  readonly channelGroups?: boolean;
  /** Rows and columns of tiles that every region is cut into; left out: what is best. */
  readonly grid?: readonly [number, number];
}

/** A way to have come to a step: what it costs, and which live tensors lie in bands. */
interface Label {
  readonly extraMacs: number;
  /** Extra multiply-accumulates, and a little for each tile. */
  readonly cost: number;
  readonly bands: Bands;
  /** Ways of one key differ in cost only, nearly. */
  readonly key: string;
  readonly from?: Label;
  readonly by?: Cutting;
}

/** Some seconds. */
const WORK = 3_000_000;

const NO_BANDS: Bands = new Map();

/** What a tile costs beside its halo, as a share of the network's multiply-accumulates: calls, and room in the file. */
const TILE_COST = 1e-5;

/** Ways that are followed from each step. */
const LABELS = 4;

/** Steps behind a region in which what it leaves in bands may help. */
const NEARBY = 3;

/** How finely what stays apart is cut, against what memory asks for. */
const FINER = [1, 3];

/** Numbers of parts that columns are cut into where the bands stay apart. */
const ACROSS_APART = [1, 2, 4];

export class TileSearch {
  readonly sequence: Sequence;
  readonly #options: SearchOptions;
  readonly #macs: number;
  readonly #byFirst: RegionCutter[][];
  /** Answers for the limit that was asked for last. */
  readonly #known = new Map<RegionCutter, Map<string, Cutting | undefined>>();
  #knownFor = -1;

  constructor(sequence: Sequence, options: SearchOptions) {
    this.sequence = sequence;
    this.#options = options;
    this.#macs = graphMacs(sequence.graph);
    this.#byFirst = sequence.order.map(() => []);
    const work: Work = { left: WORK };
    for (const region of candidatesOf(sequence)) {
      this.#byFirst[region.first].push(new RegionCutter(sequence, region, work));
    }
  }

  /** The choice with the fewest extra multiply-accumulates within both limits; undefined where none is found. */
  within(limitBytes: number, allowedMacs: number): Choice | undefined {
    const choice =
      this.#options.regions === 'one'
        ? this.#oneRegion(limitBytes, allowedMacs)
        : this.#manyRegions(limitBytes, allowedMacs);
    return choice && choice.extraMacs <= allowedMacs ? choice : undefined;
  }

  #cheapest(
    cutter: RegionCutter,
    limitBytes: number,
    allowedMacs: number,
    setting: Setting,
    acrossOptions: readonly number[],
    finer: number,
  ): Cutting | undefined {
    if (this.#knownFor !== limitBytes) this.#known.clear();
    this.#knownFor = limitBytes;
    let known = this.#known.get(cutter);
    if (!known) this.#known.set(cutter, (known = new Map()));
    const lies = cutter.region.dying.map(({ tensor }) => setting.bands.get(tensor)?.join(' ') ?? '').join();
    const key = `${setting.apart} ${finer} ${lies}`;
    if (known.has(key)) return known.get(key);
    let best: Cutting | undefined;
    for (const across of acrossOptions) {
      const most = best ? best.extraMacs : allowedMacs;
      const found = cutter.within(limitBytes, most, across, setting, finer);
      if (found && (!best || found.extraMacs < best.extraMacs)) best = found;
      if (best?.extraMacs === 0) break;
    }
    known.set(key, best);
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

  #manyRegions(limitBytes: number, allowedMacs: number): Choice | undefined {
    const n = this.sequence.order.length;
    const above = this.#above(limitBytes);
    const labels: Label[][] = Array.from({ length: n + 1 }, () => []);
    labels[0].push({ extraMacs: 0, cost: 0, bands: new Map(), key: '' });
    const tileCost = this.#macs * TILE_COST;
    for (let step = 0; step < n; step++) {
      for (const label of labels[step]) {
        if (this.#runsWhole(step, label, limitBytes))
          this.#reach(labels, step + 1, { ...label, from: label, by: undefined });
        for (const cutter of this.#byFirst[step]) {
          const { last } = cutter.region;
          // Regions that neither lower a step nor serve one close by are left as they are.
          const helps = above[Math.min(n, last + 1 + NEARBY)] > above[step];
          const serves = cutter.region.operators.some(({ op }) => op.inputs.some((t) => label.bands.has(t)));
          if (!helps && !serves) continue;
          const lowers = above[last + 1] > above[step] || serves;
          for (const cutting of this.#cuttings(cutter, limitBytes, allowedMacs, label.bands, lowers)) {
            const extraMacs = label.extraMacs + cutting.extraMacs;
            if (extraMacs > allowedMacs) continue;
            const groups = (cutting.channels?.length ?? 2) - 1;
            const tiles = groups * (cutting.rows.length - 1) * (cutting.columns.length - 1);
            const cost = label.cost + cutting.extraMacs + tiles * tileCost;
            const { bands } = label;
            this.#reach(labels, last + 1, { extraMacs, cost, bands, key: '', from: label, by: cutting });
          }
        }
      }
    }
    const [best] = labels[n];
    if (!best) return undefined;
    const cuttings: Cutting[] = [];
    for (let at: Label | undefined = best; at; at = at.from) if (at.by) cuttings.push(at.by);
    return this.#choice(cuttings.reverse());
  }

  /** Keeps a label where it is the cheapest of its kind, and among the few cheapest. */
  #reach(labels: Label[][], step: number, label: Label): void {
    const { roots, rootOf } = this.sequence;
    const bands = new Map([...label.bands].filter(([t]) => roots[rootOf[t]].last >= step));
    const { by } = label;
    if (by?.apart && label.from?.bands !== undefined) bands.set(by.region.output, by.rows);
    const key = [...bands].map(([t, cuts]) => `${t}:${Math.round(Math.log2(cuts.length - 1))}`).join(' ');
    const list = labels[step];
    const same = list.findIndex((l) => l.key === key);
    if (same >= 0 && list[same].cost <= label.cost) return;
    if (same >= 0) list.splice(same, 1);
    list.push({ ...label, bands, key });
    list.sort((a, b) => a.cost - b.cost);
    // The way on which everything is joined stays, whatever it costs.
    if (list.length > LABELS) list.splice(list[LABELS].key === '' ? LABELS - 1 : LABELS, 1);
  }

  #runsWhole(step: number, { bands }: Label, limitBytes: number): boolean {
    const { order, graph, live } = this.sequence;
    if (live[step] > limitBytes) return false;
    return (
      bands.size === 0 || order[step] < 0 || !graph.operators[order[step]].inputs.some((t) => bands.has(t))
    );
  }

  /** Ways to cut a region: joined at the least cost, and left apart more or less finely. */
  #cuttings(
    cutter: RegionCutter,
    limitBytes: number,
    allowedMacs: number,
    bands: Bands,
    lowers: boolean,
  ): Cutting[] {
    const { region } = cutter;
    const { grid } = this.#options;
    if (grid) {
      const found = cutter.even(grid);
      return found && lowers && found.peakBytes <= limitBytes ? [found] : [];
    }
    const found: Cutting[] = [];
    if (lowers) {
      const joined = this.#cheapest(
        cutter,
        limitBytes,
        allowedMacs,
        { bands, apart: false },
        this.#options.across,
        1,
      );
      if (joined) found.push(joined);
    }
    if (lowers && this.#options.channelGroups && ![...bands.keys()].some((t) => reads(region, t))) {
      const grouped = groupsWithin(this.sequence, region, limitBytes);
      if (grouped) found.push(grouped);
    }
    if (this.#options.bands && region.mayStayApart) {
      for (const finer of FINER) {
        const apart = this.#cheapest(
          cutter,
          limitBytes,
          allowedMacs,
          { bands, apart: true },
          ACROSS_APART,
          finer,
        );
        if (apart) found.push(apart);
      }
    }
    return found;
  }

  #oneRegion(limitBytes: number, allowedMacs: number): Choice | undefined {
    const above = this.#above(limitBytes);
    const all = above[above.length - 1];
    let best: Cutting | undefined;
    for (const cutters of this.#byFirst) {
      for (const cutter of cutters) {
        const { first, last } = cutter.region;
        if (above[last + 1] - above[first] < all || all === 0) continue;
        const [found] = this.#cuttings(cutter, limitBytes, allowedMacs, NO_BANDS, true).filter(
          (c) => !c.apart,
        );
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

const reads = (region: Candidate, t: TensorId): boolean =>
  region.operators.some(({ op }) => op.inputs.includes(t));

/** Relative width of the last interval that the halving of limits leaves. */
const PRECISION = 0.001;

/**
 * Choices of falling peak, the smallest last, each within `allowedMacs` extra multiply-accumulates. `part` runs one step of the
 * search; where that was broken off, the choices are those found by then.
 */
export function smallestWithin(search: TileSearch, allowedMacs: number, part: Part = toTheEnd): Choice[] {
  const found: Choice[] = [];
  let [low, high] = [0, search.sequence.peakBytes];
  while (high - low > PRECISION * high) {
    const limit = Math.floor((low + high) / 2);
    const choice = part(() => search.within(limit, allowedMacs));
    if (choice) {
      found.push(choice);
      high = Math.min(limit, choice.peakBytes);
    } else low = limit + 1;
  }
  return found;
}
