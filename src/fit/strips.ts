/**
 * Strips: regions of the network computed column strip by column strip, each streamed through line buffers as narrow
 * as the strip. Only the columns where strips meet are computed twice. Regions are chosen by dynamic programming over
 * cut points: the fewest products computed twice under a limit on live bytes; the limit comes down while it can.
 */
import { TidemarkError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { applyTiles } from '../passes/1-restructure/apply.ts';
import { evenCuts, type TiledRegion, type Tiling } from '../passes/1-restructure/tiling.ts';
import { type Network, networkOf } from '../passes/3-schedule/steps.ts';
import type { Mode } from '../passes/3-schedule/tables.ts';
import { graphMacs } from '../plan/metrics.ts';
import type { Policy } from '../plan/plan.ts';
import { chooseSpans, firstSchedulable, type Work } from './spans.ts';

export interface StripSearch {
  readonly policy: Policy;
  /** Products that may be computed again, as a share of the network's. */
  readonly maxOverhead: number;
  /** Peak without strips, in bytes: what has to be beaten. */
  readonly peakBytes: number;
  /** Bytes to come down to; left out: as far as the overhead allows. */
  readonly budgetBytes?: number;
  readonly work: Work;
  readonly onProgress?: (done: number) => void;
}

export interface StripChoice {
  readonly tiling: Tiling;
  readonly peakBytes: number;
  readonly extraMacs: number;
}

/** Strips a region may be cut into. */
const STRIPS = [2, 3, 4, 6, 8];
/** Operators of a region at most. */
const LONGEST_REGION = 28;
/** Each limit on live bytes is this share of what was reached before. */
const DESCENT = 0.94;
/** Choices within a budget, each a little below the one before. */
const BELOW_BUDGET = 3;
const MODES: readonly Mode[] = ['rows', 'pixels'];

/** What is known of a region in so many strips. */
interface Region {
  readonly tiles: TiledRegion;
  readonly graph: Graph;
  readonly extraMacs: number;
  /** Peak while it runs, once it is known. */
  peakBytes?: number;
  /** The peak is known to be above this. */
  exceeds: number;
}

/** Choices of strips from the highest peak to the lowest, each with the fewest products computed twice that were found. */
export function chooseStrips(graph: Graph, search: StripSearch): StripChoice[] {
  return new StripPlanner(graph, search).descend();
}

class StripPlanner {
  readonly #graph: Graph;
  readonly #search: StripSearch;
  readonly #network: Network;
  readonly #crossing: Float64Array;
  readonly #macs: number;
  readonly #start: number;
  /** Position of a step's operator among the graph's operators; -1 for what is no operator. */
  readonly #positions: readonly number[];
  readonly #regions = new Map<string, Region | undefined>();
  /** Peak of steps [first, end) without strips, as far as known. */
  readonly #plain = new Map<number, { peakBytes?: number; exceeds: number }>();

  constructor(graph: Graph, search: StripSearch) {
    this.#graph = graph;
    this.#search = search;
    this.#network = networkOf(graph, search.policy);
    this.#crossing = this.#network.crossing;
    this.#macs = graphMacs(graph);
    this.#start = firstSchedulable(this.#network);
    this.#positions = positionsIn(graph, this.#network);
  }

  descend(): StripChoice[] {
    const { budgetBytes, peakBytes, onProgress } = this.#search;
    const found: StripChoice[] = [];
    let limit = budgetBytes ?? Math.floor(peakBytes * DESCENT);
    const floor = Math.max(...this.#floors());
    while (this.#search.work.left > 0 && limit >= floor) {
      const choice = this.#fewestMacs(limit);
      if (!choice || choice.extraMacs > this.#search.maxOverhead * this.#macs) break;
      found.push(choice);
      onProgress?.(Math.min(1, (peakBytes - choice.peakBytes) / Math.max(1, peakBytes - floor)));
      // Addresses may take more than live bytes: a budget is met with some to spare.
      if (budgetBytes !== undefined && found.length === BELOW_BUDGET) break;
      limit = Math.floor(Math.min(choice.peakBytes, limit) * (budgetBytes === undefined ? DESCENT : 0.98));
    }
    return found;
  }

  /** Bytes that every plan has to hold at some moment: strips leave inputs and outputs of the network whole. */
  #floors(): number[] {
    return [this.#crossing[this.#start], this.#crossing[this.#network.steps.length]];
  }

  /** The fewest products computed twice with every piece within the limit. */
  #fewestMacs(limit: number): StripChoice | undefined {
    const n = this.#network.steps.length;
    const best: { macs: number; peak: number; from: number; region?: Region }[] = Array.from(
      { length: n + 1 },
      () => ({ macs: Number.POSITIVE_INFINITY, peak: 0, from: -1 }),
    );
    best[this.#start] = { macs: 0, peak: 0, from: -1 };
    const allowed = this.#search.maxOverhead * this.#macs;
    for (let i = this.#start; i < n; i++) {
      const from = best[i];
      if (from.macs > allowed || this.#crossing[i] > limit) continue;
      const offer = (j: number, macs: number, peakBytes: number, region?: Region) => {
        const value = from.macs + macs;
        const peak = Math.max(from.peak, peakBytes);
        if (value < best[j].macs || (value === best[j].macs && peak < best[j].peak))
          best[j] = { macs: value, peak, from: i, region };
      };
      const reach = this.#plainReach(i, limit);
      for (const { end, peakBytes } of reach) offer(end, 0, peakBytes);
      const last = reach.at(-1)?.end ?? i;
      // Strips are worth their price only for what does not run within the limit as it is.
      for (let j = last + 1; j <= Math.min(n, i + LONGEST_REGION); j++) {
        if (this.#crossing[j] > limit) continue;
        for (const strips of STRIPS) {
          const region = this.#region(i, j, strips);
          if (
            !region ||
            from.macs + region.extraMacs > allowed ||
            from.macs + region.extraMacs >= best[j].macs
          )
            continue;
          const peakBytes = this.#regionPeak(i, j, region, limit);
          if (peakBytes === undefined) continue;
          offer(j, region.extraMacs, peakBytes, region);
          break;
        }
      }
    }
    if (best[n].from < 0) return undefined;
    const regions: TiledRegion[] = [];
    for (let j = n; j > this.#start; j = best[j].from) {
      const { region } = best[j];
      if (region) regions.unshift(region.tiles);
    }
    return { tiling: { regions }, peakBytes: best[n].peak, extraMacs: best[n].macs };
  }

  /** Ends of the pieces from step i on that run within the limit without strips, as one span each. */
  #plainReach(i: number, limit: number): { end: number; peakBytes: number }[] {
    const out: { end: number; peakBytes: number }[] = [];
    const n = this.#network.steps.length;
    let failed = 0;
    for (let j = i + 1; j <= n && failed < 3; j++) {
      const peakBytes = this.#plainPeak(i, j, limit);
      if (peakBytes === undefined) failed++;
      else {
        failed = 0;
        if (this.#crossing[j] <= limit) out.push({ end: j, peakBytes });
      }
    }
    return out;
  }

  #plainPeak(first: number, end: number, limitBytes: number): number | undefined {
    const key = first * (this.#network.steps.length + 1) + end;
    const known = this.#plain.get(key) ?? { exceeds: 0 };
    if (known.peakBytes !== undefined) return known.peakBytes <= limitBytes ? known.peakBytes : undefined;
    if (limitBytes <= known.exceeds) return undefined;
    const spans = chooseSpans(this.#network, {
      modes: MODES,
      objective: 'memory',
      first,
      end,
      budgetBytes: limitBytes,
      maxCuts: 0,
      work: this.#search.work,
    });
    const peakBytes = spans && Math.max(0, ...spans.map((s) => s.peakBytes));
    this.#plain.set(key, { peakBytes, exceeds: peakBytes === undefined ? limitBytes : 0 });
    return peakBytes;
  }

  /** Steps [first, end) in strips of columns; undefined where that cannot be done. */
  #region(first: number, end: number, strips: number): Region | undefined {
    const key = `${first} ${end} ${strips}`;
    if (this.#regions.has(key)) return this.#regions.get(key);
    const region = this.#cut(first, end, strips);
    this.#regions.set(key, region);
    return region;
  }

  #cut(first: number, end: number, strips: number): Region | undefined {
    const ids: number[] = [];
    const before = first > 0 ? this.#positions[first - 1] : -1;
    for (let s = first; s < end; s++) if (this.#positions[s] < 0) return undefined;
    // Views stand between the steps.
    for (let id = before + 1; id <= this.#positions[end - 1]; id++) ids.push(id);
    // Nothing but copies.
    if (ids.length === 0) return undefined;
    const { shape } = this.#graph.tensors[this.#graph.operators[ids[ids.length - 1]].outputs[0]];
    if (shape.length !== 4 || shape[2] < 2 * strips) return undefined;
    const tiles = { operators: ids, rows: [0, shape[1]], columns: evenCuts(shape[2], strips) };
    try {
      const graph = applyTiles(this.#graph, { regions: [tiles] });
      return { tiles, graph, extraMacs: graphMacs(graph) - this.#macs, exceeds: 0 };
    } catch (error) {
      if (error instanceof TidemarkError) return undefined;
      throw error;
    }
  }

  #regionPeak(first: number, end: number, region: Region, limitBytes: number): number | undefined {
    if (region.peakBytes !== undefined) return region.peakBytes <= limitBytes ? region.peakBytes : undefined;
    if (limitBytes <= region.exceeds || this.#search.work.left <= 0) return undefined;
    const network = networkOf(region.graph, this.#search.policy);
    const more = network.steps.length - this.#network.steps.length;
    const spans = chooseSpans(network, {
      modes: MODES,
      objective: 'memory',
      first,
      end: end + more,
      budgetBytes: limitBytes,
      work: this.#search.work,
    });
    if (!spans) {
      region.exceeds = limitBytes;
      return undefined;
    }
    region.peakBytes = Math.max(0, ...spans.map((s) => s.peakBytes));
    return region.peakBytes;
  }
}

/**
 * By step: the operator of the graph that it is, -1 for what arrives and leaves. The network may have copies before
 * concats that the graph has not: such a step goes with the operator before its concat.
 */
function positionsIn(graph: Graph, { steps, graph: resolved }: Network): number[] {
  const byOutput = new Map(graph.operators.map((op) => [op.outputs[0], op.id]));
  let last = -1;
  return steps.map((s) => {
    if (s.kind !== 'operator') return -1;
    last = byOutput.get(resolved.operators[s.index].outputs[0]) ?? last;
    return last;
  });
}
