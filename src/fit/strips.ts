/**
 * Regions of the network computed in a way that costs products: in strips of columns, each streamed through line
 * buffers as narrow as the strip, with windows turned, or in groups of channels. Regions are chosen by dynamic
 * programming over cut points: the fewest products computed twice under a limit on live bytes; the limit comes down
 * while it can.
 */
import { TidemarkError } from '../errors.ts';
import { prune } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import { applyTiles } from '../passes/1-restructure/apply.ts';
import type { TiledRegion, Tiling } from '../passes/1-restructure/tiling.ts';
import { type Network, networkOf } from '../passes/3-schedule/steps.ts';
import type { Mode } from '../passes/3-schedule/tables.ts';
import { graphMacs } from '../plan/metrics.ts';
import type { Policy } from '../plan/plan.ts';
import { type RegionOption, RegionOptions } from './region-options.ts';
import { chooseSpans, firstSchedulable, type SpanChoice, type Work } from './spans.ts';
import { stripSpans } from './strip-spans.ts';

export interface StripSearch {
  readonly policy: Policy;
  /** Products that may be computed again, as a share of the network's. */
  readonly maxOverhead: number;
  /** Peak without strips, in bytes: what has to be beaten. */
  readonly peakBytes: number;
  /** Bytes to come down to; left out: as far as the overhead allows. */
  readonly budgetBytes?: number;
  /** By how much, as a share, the limit on live bytes is lowered each time; less where that cannot be met. */
  readonly descent: number;
  readonly work: Work;
  readonly onProgress?: (done: number) => void;
}

export interface StripChoice {
  readonly tiling: Tiling;
  /** How the steps of the tiled network run. */
  readonly spans: readonly SpanChoice[];
  readonly peakBytes: number;
  readonly extraMacs: number;
}

/** Operators of a region at most. */
const LONGEST_REGION = 28;
/** Steps down, as a share of what is reached, are not smaller than this. */
const FINEST = 0.006;
/** Choices within a budget, each a little below the one before. */
const BELOW_BUDGET = 3;
/** Ends of a span that are tried after one that exceeds the limit: a residual block fits at its end only. */
const BEYOND = 6;
const MODES: readonly Mode[] = ['rows', 'pixels'];

/** An option, and what is known of it. */
interface Region {
  readonly option: RegionOption;
  /** How it runs, once that is known; steps count from the region's first. */
  found?: { readonly spans: readonly SpanChoice[]; readonly steps: number; readonly peakBytes: number };
  /** The peak is known to be above this. */
  exceeds: number;
}

/** A run of steps [from, end) and how it is done. */
interface Part {
  readonly from: number;
  readonly end: number;
  readonly region?: Region;
  readonly spans: readonly SpanChoice[];
}

/** Choices of strips from the highest peak to the lowest, each with the fewest products computed twice that were found. */
export function chooseStrips(graph: Graph, search: StripSearch): StripChoice[] {
  // Cutting leaves out what no output needs: steps would be counted wrongly.
  if (prune(graph).operators.length < graph.operators.length) return [];
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
  readonly #options: RegionOptions;
  /** Inputs that are never whole in the arena. */
  readonly #outside: ReadonlySet<number>;
  readonly #regions = new Map<number, readonly Region[]>();

  constructor(graph: Graph, search: StripSearch) {
    this.#graph = graph;
    this.#search = search;
    this.#network = networkOf(graph, search.policy);
    this.#crossing = this.#network.crossing;
    this.#macs = graphMacs(graph);
    this.#start = firstSchedulable(this.#network);
    this.#positions = positionsIn(graph, this.#network);
    this.#options = new RegionOptions(graph);
    const { input } = search.policy;
    const { places } = this.#network.storage;
    const never = input === 'external' || input === 'streamed';
    this.#outside = new Set(never ? graph.inputs.map((p) => places[p.tensor].root) : []);
  }

  descend(): StripChoice[] {
    const { budgetBytes } = this.#search;
    return budgetBytes === undefined ? this.#downFrom(this.#search.peakBytes) : this.#within(budgetBytes);
  }

  /** As far down as the overhead allows: where a limit cannot be met, the steps become smaller. */
  #downFrom(peakBytes: number): StripChoice[] {
    const { work, onProgress, descent } = this.#search;
    const found: StripChoice[] = [];
    // Strips leave inputs and outputs of the network whole.
    const floor = Math.max(1, this.#crossing[this.#start], this.#crossing[this.#network.steps.length]);
    let reached = peakBytes;
    for (let step = descent; step >= FINEST && work.left > 0; ) {
      const limit = Math.min(reached - 1, Math.floor(reached * (1 - step)));
      const choice = limit >= floor ? this.#fewestMacs(limit) : undefined;
      if (!choice) {
        step /= 2;
        continue;
      }
      found.push(choice);
      onProgress?.(Math.min(1, (peakBytes - choice.peakBytes) / Math.max(1, peakBytes - floor)));
      reached = Math.min(choice.peakBytes, limit);
    }
    return found;
  }

  /** Addresses may take more than live bytes: a budget is met with some to spare. */
  #within(budgetBytes: number): StripChoice[] {
    const found: StripChoice[] = [];
    for (let limit = budgetBytes; found.length < BELOW_BUDGET && this.#search.work.left > 0; ) {
      const choice = this.#fewestMacs(limit);
      if (!choice) break;
      found.push(choice);
      limit = Math.floor(Math.min(choice.peakBytes, limit) * 0.98);
    }
    return found;
  }

  /** The fewest products computed twice with every piece within the limit; undefined where there are too many. */
  #fewestMacs(limit: number): StripChoice | undefined {
    const n = this.#network.steps.length;
    const best: { macs: number; peak: number; part?: Part }[] = Array.from({ length: n + 1 }, () => ({
      macs: Number.POSITIVE_INFINITY,
      peak: 0,
    }));
    best[this.#start] = { macs: 0, peak: 0 };
    const allowed = this.#search.maxOverhead * this.#macs;
    for (let i = this.#start; i < n; i++) {
      const from = best[i];
      if (from.macs > allowed || this.#crossing[i] > limit) continue;
      const offer = (part: Part, macs: number, peakBytes: number) => {
        const to = best[part.end];
        const value = from.macs + macs;
        const peak = Math.max(from.peak, peakBytes);
        if (value < to.macs || (value === to.macs && peak < to.peak))
          best[part.end] = { macs: value, peak, part };
      };
      let last = i;
      for (const span of this.#plainReach(i, limit)) {
        last = span.last + 1;
        offer({ from: i, end: last, spans: [span] }, 0, span.peakBytes);
      }
      // A price is worth paying only for what does not run within the limit as it is.
      for (let j = last + 1; j <= Math.min(n, i + LONGEST_REGION); j++) {
        if (this.#crossing[j] > limit) continue;
        for (const region of this.#regionsOf(i, j)) {
          const { extraMacs, floorBytes } = region.option;
          if (from.macs + extraMacs > Math.min(allowed, best[j].macs)) break;
          if (floorBytes > limit) continue;
          const found = this.#run(i, j, region, limit);
          if (!found) continue;
          offer({ from: i, end: j, region, spans: found.spans }, extraMacs, found.peakBytes);
          break;
        }
      }
    }
    return best[n].part && this.#choice(best);
  }

  #choice(best: readonly { macs: number; peak: number; part?: Part }[]): StripChoice {
    const n = this.#network.steps.length;
    const parts: Part[] = [];
    for (let j = n; j > this.#start; j = parts[0].from) parts.unshift(best[j].part!);
    const options = parts.flatMap(({ region }) => (region ? [region.option] : []));
    const regions = options.flatMap(({ tiles }): TiledRegion[] => (tiles ? [tiles] : []));
    const turned = options.flatMap((o) => o.turned).sort((a, b) => a - b);
    const spans: SpanChoice[] = [];
    // Regions have more steps than what they stand for; what comes after them moves back.
    let at = this.#start;
    for (const { from, end, region, spans: own } of parts) {
      const shift = region ? at : at - from;
      for (const s of own) spans.push({ ...s, first: s.first + shift, last: s.last + shift });
      at += region ? region.found!.steps : end - from;
    }
    const tiling = { ...(turned.length > 0 ? { turned } : {}), regions };
    return { tiling, spans, peakBytes: best[n].peak, extraMacs: best[n].macs };
  }

  /** Spans from step i on that run within the limit as they are. */
  #plainReach(i: number, limit: number): SpanChoice[] {
    const out: SpanChoice[] = [];
    const n = this.#network.steps.length;
    for (let end = i + 1, failed = 0; end <= n && failed < BEYOND; end++) {
      const spans = chooseSpans(this.#network, {
        modes: MODES,
        objective: 'memory',
        first: i,
        end,
        budgetBytes: limit,
        maxCuts: 0,
        work: this.#search.work,
      });
      failed = spans ? 0 : failed + 1;
      if (spans && this.#crossing[end] <= limit) out.push(spans[0]);
    }
    return out;
  }

  /** What can be done with steps [first, end), the cheapest first. */
  #regionsOf(first: number, end: number): readonly Region[] {
    const key = first * (this.#network.steps.length + 1) + end;
    let regions = this.#regions.get(key);
    if (!regions) {
      const { ids, streamedIn } = this.#operatorsOf(first, end);
      const ends = {
        beforeBytes: this.#crossing[first],
        isOutside: (id: number) => this.#outside.has(this.#network.storage.places[id].root),
        streamedIn,
      };
      const most = this.#search.maxOverhead * this.#macs;
      regions =
        ids.length > 0 ? this.#options.of(ids, ends, most).map((option) => ({ option, exceeds: 0 })) : [];
      this.#regions.set(key, regions);
    }
    return regions;
  }

  /** The operators of these steps, and the views between them; none where outputs leave in between. */
  #operatorsOf(first: number, end: number): { ids: number[]; streamedIn: boolean } {
    const { steps } = this.#network;
    const none = { ids: [], streamedIn: false };
    let streamedIn = false;
    let last = -1;
    for (let s = first; s < end; s++) {
      if (steps[s].kind === 'sink') return none;
      if (steps[s].kind === 'source') streamedIn = true;
      else last = this.#positions[s];
    }
    let before = -1;
    for (let s = first - 1; s >= 0 && before < 0; s--) before = this.#positions[s];
    const ids: number[] = [];
    for (let id = before + 1; id <= last; id++) ids.push(id);
    // There may be nothing but copies.
    return { ids, streamedIn };
  }

  /** How a region runs within the limit, by itself. */
  #run(first: number, end: number, region: Region, limitBytes: number): Region['found'] {
    const { found, option } = region;
    if (found) return found.peakBytes <= limitBytes ? found : undefined;
    if (limitBytes <= region.exceeds || this.#search.work.left <= 0) return undefined;
    const network = this.#networkWith(option);
    const more = network ? network.steps.length - this.#network.steps.length : 0;
    // What is not cut into strips is one span: several are several regions.
    const maxCuts = option.tiles ? undefined : 0;
    const search = { modes: MODES, budgetBytes: limitBytes, work: this.#search.work, maxCuts };
    const spans = network && stripSpans(network, first, end + more, search);
    if (!spans) {
      // What cannot be made into a graph never fits.
      region.exceeds = network ? limitBytes : Number.POSITIVE_INFINITY;
      return undefined;
    }
    region.found = {
      spans: spans.map((s) => ({ ...s, first: s.first - first, last: s.last - first })),
      steps: end + more - first,
      peakBytes: Math.max(0, ...spans.map((s) => s.peakBytes)),
    };
    return region.found;
  }

  #networkWith({ tiles, turned }: RegionOption): Network | undefined {
    try {
      const tiling = { turned: [...turned], regions: tiles ? [tiles] : [] };
      return networkOf(applyTiles(this.#graph, tiling), this.#search.policy);
    } catch (error) {
      if (error instanceof TidemarkError) return undefined;
      throw error;
    }
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
