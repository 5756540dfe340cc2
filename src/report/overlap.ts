/** What overlapping saves: the figures of method 1's paper, beside those of the plan that was proven. */
import type { Overlapped } from '../fit/overlapped.ts';
import type { Graph } from '../graph/graph.ts';
import type { LayerFigures } from '../passes/4-allocate/overlap/layers.ts';
import type { Granularity } from '../passes/4-allocate/overlap/raster-distance.ts';
import { planMetrics, weightBytes } from '../plan/metrics.ts';
import { profileOf } from './profile.ts';

export interface OverlapLayer
  extends Pick<
    LayerFigures,
    'name' | 'inBytes' | 'outBytes' | 'distanceBytes' | 'memoryBytes' | 'aliveBytes'
  > {
  /** How the plan runs it. */
  readonly runs: 'whole' | 'in place' | 'forward' | 'backward';
}

export interface OverlapReport {
  readonly granularity: Granularity;
  readonly layers: readonly OverlapLayer[];
  /** Largest sum of a layer's inputs and outputs: two regions at the ends of one arena. */
  readonly pingpongBytes: number;
  /** Two fixed regions: the largest map of even and of odd number. Null where the network has branches. */
  readonly pingpongFixedBytes: number | null;
  /** Tensors alone, as published. */
  readonly overlapBytes: number;
  /** Against `pingpongBytes`. */
  readonly saving: number;
  readonly weightBytes: number;
  /** The same with the weights added to both. */
  readonly savingWithWeights: number;
  /** The plan: tensors, staged runs, working memory and alignment. */
  readonly arenaBytes: number;
  readonly scratchBytes: number;
  /** No addresses for the plan's firing sequence can take less. */
  readonly lowerBoundBytes: number;
  readonly optimal: boolean;
  /** In this order of work, no choice of directions can take less. */
  readonly floorBytes: number;
  readonly checked: true;
}

export interface OverlapReportOptions {
  readonly granularity: Granularity;
  /** Leave the network's inputs and outputs out of every size. */
  readonly opsOnly?: boolean;
}

export function overlapReport(
  graph: Graph,
  { plan, layers, directions, overlapBytes, lowerBoundBytes, optimal, floorBytes }: Overlapped,
  { granularity, opsOnly }: OverlapReportOptions,
): OverlapReport {
  const computing = layers.filter((l) => l.outputs.length > 0 && l.inputs.length > 0);
  const pingpong = profileOf(graph, { opsOnly }).pingpongBytes;
  const weights = weightBytes(graph);
  const { arenaBytes, scratchBytes } = planMetrics(graph, plan);
  return {
    granularity,
    layers: computing.map((l) => ({
      name: l.name,
      inBytes: l.inBytes,
      outBytes: l.outBytes,
      distanceBytes: l.distanceBytes,
      memoryBytes: l.memoryBytes,
      aliveBytes: l.aliveBytes,
      runs: l.inPlace === undefined ? (directions[l.step] ?? 'whole') : 'in place',
    })),
    pingpongBytes: pingpong,
    pingpongFixedBytes: opsOnly ? null : fixedRegions(layers),
    overlapBytes,
    saving: saved(overlapBytes, pingpong),
    weightBytes: weights,
    savingWithWeights: saved(overlapBytes + weights, pingpong + weights),
    arenaBytes,
    scratchBytes,
    lowerBoundBytes,
    optimal,
    floorBytes,
    checked: true,
  };
}

const saved = (bytes: number, than: number) => (than > 0 ? 1 - bytes / than : 0);

/** In a chain maps lie in two regions in turn; what is written in place makes no map of its own. */
function fixedRegions(layers: readonly LayerFigures[]): number | null {
  const regions = [0, 0];
  let map: number | undefined;
  let count = 0;
  for (const { inputs, outputs, inBytes, outBytes, inPlace, aliveBytes } of layers) {
    const arrives = inputs.length === 0;
    const follows = inputs.length === 1 && inputs[0] === map;
    if (aliveBytes > 0 || outputs.length > 1 || !(arrives ? count === 0 : follows)) return null;
    if (outputs.length === 0) continue;
    const bytes = outputs[0] === map ? inBytes : outBytes;
    map = outputs[0];
    if (inPlace === undefined) count++;
    const region = (count - 1) % 2;
    regions[region] = Math.max(regions[region], bytes);
  }
  return regions[0] + regions[1];
}
