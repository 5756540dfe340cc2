/**
 * Restructuring (Cipolletta & Calimera, DATE 2021): the peak of the live bytes is cut down by computing regions of the
 * network tile by tile. The result is an ordinary graph of the same function; what is computed twice, in the halos of
 * neighbouring tiles, is its price.
 */
import type { Graph } from '../../graph/graph.ts';
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
  readonly policy?: Policy;
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

/** The graph itself, without tiles, where none help. */
export function restructureGraph(graph: Graph, options: RestructureOptions = {}): Restructured {
  const { maxOverhead = PUBLISHED_OVERHEAD, regions = 'many', grid, policy = WHOLE_RUN } = options;
  const macs = graphMacs(graph);
  const before = sequenceOf(graph, policy);
  const best = sequenceOf(graph, policy, true);
  const base = best.peakBytes < before.peakBytes ? best : before;
  const order = base === best ? best.order.filter((id) => id >= 0) : undefined;
  const found: Restructured[] = [
    {
      graph,
      tiling: { ...(order ? { order } : {}), regions: [] },
      peakBeforeBytes: base.peakBytes,
      peakBytes: base.peakBytes,
      macOverhead: 0,
    },
  ];
  const allowed = maxOverhead * macs;
  for (const sequence of base === best ? [best, before] : [before]) {
    const search = new TileSearch(sequence, { regions, across: ACROSS, grid });
    for (const choice of choicesOf(search, allowed, options.budgetBytes)) {
      found.push(measured(graph, sequence, choice, policy, base.peakBytes, macs));
    }
  }
  return found
    .filter((r) => r.macOverhead <= maxOverhead)
    .reduce((a, b) => (b.peakBytes < a.peakBytes ? b : a));
}

function choicesOf(
  search: TileSearch,
  allowedMacs: number,
  budgetBytes: number | undefined,
): readonly Choice[] {
  if (budgetBytes !== undefined) {
    const choice = search.within(budgetBytes, allowedMacs);
    if (choice) return [choice];
  }
  return smallestWithin(search, allowedMacs).slice(-MEASURED);
}

function measured(
  graph: Graph,
  sequence: Sequence,
  choice: Choice,
  policy: Policy,
  peakBeforeBytes: number,
  macs: number,
): Restructured {
  const order = sequence.order.filter((id) => id >= 0);
  const moved = order.some((id, i) => id !== i);
  const tiling: Tiling = {
    ...(moved ? { order } : {}),
    regions: choice.cuttings.map(({ region, rows, columns, apart }) => ({
      operators: region.operators.map(({ op }) => op.id),
      rows: [...rows],
      columns: [...columns],
      ...(apart ? { apart } : {}),
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
