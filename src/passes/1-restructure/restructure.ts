/**
 * Restructuring (Cipolletta & Calimera, DATE 2021): the peak of the live bytes is cut down by computing regions of the
 * network tile by tile. The result is an ordinary graph of the same function; what is computed twice, in the halos of
 * neighbouring tiles, is its price.
 */
import { TidemarkError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { type Part, toTheEnd } from '../../part.ts';
import { graphMacs } from '../../plan/metrics.ts';
import type { Policy } from '../../plan/plan.ts';
import { applyTiles } from './apply.ts';
import { type Choice, smallestWithin, TileSearch } from './search.ts';
import { type Sequence, sequenceOf, WHOLE_RUN } from './sequence.ts';
import type { Tiling } from './tiling.ts';

export interface RestructureOptions {
  /** Extra multiply-accumulates, as a share of the network's. Left out: 0.086, as published. */
  readonly maxOverhead?: number;
  /** Live bytes to come down to, at the least overhead. Left out: the fewest that the overhead allows. */
  readonly budgetBytes?: number;
  /** One region only, the way the single peak is usually cut; left out: as many as help. */
  readonly regions?: 'one' | 'many';
  /** Rows and columns of tiles that every region is cut into. Left out: what is best, region by region. */
  readonly grid?: readonly [number, number];
  /** Whether regions may leave their outputs in bands, which later regions read. Left out: yes. */
  readonly bands?: boolean;
  /**
   * Whether inverted bottlenecks may also be cut by channels. Left out: no. Exact at int8; in float32 sums are then added in
   * another order.
   */
  readonly channelGroups?: boolean;
  readonly policy?: Policy;
  /** Left out: nothing breaks off. */
  readonly part?: Part;
}

export interface Restructured {
  readonly graph: Graph;
  /** With the original graph, `applyTiles` makes the same graph of it again. */
  readonly tiling: Tiling;
  readonly peakBeforeBytes: number;
  readonly peakBytes: number;
  readonly macOverhead: number;
}

/** The published mean overhead of the method. */
export const PUBLISHED_OVERHEAD = 0.086;

/** Numbers of parts that columns are cut into. */
const ACROSS = [1, 2, 3, 4, 6, 8];

/** How many of the smallest choices are written out and measured. */
const MEASURED = 4;

/**
 * The graph itself, without tiles, where none help. Broken off, the best found by then; throws `stopped` where that was before
 * the search.
 */
export function restructureGraph(graph: Graph, options: RestructureOptions = {}): Restructured {
  const { maxOverhead = PUBLISHED_OVERHEAD, regions = 'many', grid, policy = WHOLE_RUN } = options;
  const { part = toTheEnd } = options;
  const macs = graphMacs(graph);
  const sequences = part(() => sequencesOf(graph, policy, regions));
  if (!sequences) {
    const why = 'the search for tiles was stopped before it began: give it more time or memory';
    throw new TidemarkError('stopped', `${graph.name}: ${why}`);
  }
  const base = sequences.reduce((a, b) => (b.peakBytes < a.peakBytes ? b : a));
  const found = [asItIs(graph, base)];
  for (const sequence of sequences) {
    const { bands = true, channelGroups, budgetBytes } = options;
    const how = { bands, regions, across: ACROSS, grid, channelGroups };
    const search = part(() => new TileSearch(sequence, how));
    if (!search) break;
    for (const choice of choicesOf(search, maxOverhead * macs, budgetBytes, part)) {
      const measure = () => measured(graph, sequence, choice, policy, base.peakBytes, macs);
      // Short, so that what is broken off here is done all the same.
      found.push(part(measure) ?? measure());
    }
  }
  return found
    .filter((r) => r.macOverhead <= maxOverhead)
    .reduce((a, b) => (b.peakBytes < a.peakBytes ? b : a));
}

/** Steps between the first and the last write into a join from which on its parts may better be copied. */
const LONG_JOIN = 12;

/**
 * The graph's own order, and the best one where it is better. A join takes its room with the first part that is written
 * into it, so parts are also tried copied: those of long joins (skips over much of the network), and beside the one region
 * that may be cut those of all.
 */
function sequencesOf(graph: Graph, policy: Policy, regions: 'one' | 'many'): Sequence[] {
  const own = sequenceOf(graph, policy);
  const best = sequenceOf(graph, policy, true);
  const lower = best.peakBytes < own.peakBytes;
  const found = lower ? [best, own] : [own];
  const joins = joinsOf(found[0], regions === 'one' ? 0 : LONG_JOIN);
  if (joins.length > 0) found.push(sequenceOf(graph, policy, lower, joins));
  return found;
}

/** Joins whose parts are written into them over at least so many steps. */
function joinsOf({ graph, order, isView, roots, rootOf }: Sequence, least: number): number[] {
  const at = new Map(order.map((id, step) => [id, step]));
  return graph.operators
    .filter((op) => op.kind === 'Concat' && isView[op.id])
    .filter((op) => at.get(op.id)! - roots[rootOf[op.outputs[0]]].first >= least)
    .map((op) => op.id);
}

function asItIs(graph: Graph, base: Sequence): Restructured {
  const tiling = { ...arrangement(base, new Set()), regions: [] };
  return {
    graph: applyTiles(graph, tiling),
    tiling,
    peakBeforeBytes: base.peakBytes,
    peakBytes: base.peakBytes,
    macOverhead: 0,
  };
}

/** What differs from the graph as it is, beside the regions. */
function arrangement(sequence: Sequence, cut: ReadonlySet<number>): Omit<Tiling, 'regions'> {
  const order = sequence.order.filter((id) => id >= 0);
  const copied = sequence.copied.filter((id) => !cut.has(id));
  return {
    ...(order.some((id, i) => id !== i) ? { order } : {}),
    ...(copied.length > 0 ? { copied } : {}),
  };
}

function choicesOf(
  search: TileSearch,
  allowedMacs: number,
  budgetBytes: number | undefined,
  part: Part,
): readonly Choice[] {
  if (budgetBytes !== undefined) {
    const choice = part(() => search.within(budgetBytes, allowedMacs));
    if (choice) return [choice];
  }
  return smallestWithin(search, allowedMacs, part).slice(-MEASURED);
}

function measured(
  graph: Graph,
  sequence: Sequence,
  choice: Choice,
  policy: Policy,
  peakBeforeBytes: number,
  macs: number,
): Restructured {
  const cut = new Set(choice.cuttings.flatMap(({ region }) => region.operators.map(({ op }) => op.id)));
  const tiling: Tiling = {
    ...arrangement(sequence, cut),
    regions: choice.cuttings.map(({ region, rows, columns, apart, channels }) => ({
      operators: region.operators.map(({ op }) => op.id),
      rows: [...rows],
      columns: [...columns],
      ...(apart ? { apart } : {}),
      ...(channels ? { channels: [...channels] } : {}),
    })),
  };
  const tiled = applyTiles(graph, tiling);
  return {
    graph: tiled,
    tiling,
    peakBeforeBytes,
    peakBytes: sequenceOf(tiled, policy).peakBytes,
    macOverhead: macs > 0 ? graphMacs(tiled) / macs - 1 : 0,
  };
}
