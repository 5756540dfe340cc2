/** The same network on chips of many sizes: how traffic falls as more stays on the chip. */
import { layerFusion } from './layer-fusion.ts';
import type { LayerNet } from './layers.ts';
import { Partitioner, type PartitionRequest } from './partition.ts';

export interface SweepPoint {
  readonly capacityBytes: number;
  readonly trafficBytes: number;
  readonly spans: number;
  /** Layers that do not fit by themselves and run in tiles. */
  readonly tiled: number;
  readonly greedyTrafficBytes: number;
  /** Activations, and the filters that one chip reads again for every image. */
  readonly layerFusionTrafficBytes: number;
}

export function sweepCapacities(
  net: LayerNet,
  capacities: readonly number[],
  request: Omit<PartitionRequest, 'capacityBytes'> = {},
): SweepPoint[] {
  return capacities.map((capacityBytes) => {
    const partitioner = new Partitioner(net, { ...request, capacityBytes });
    const best = partitioner.best();
    const fusion = layerFusion(net, { capacityBytes, weights: request.weights });
    return {
      capacityBytes,
      trafficBytes: best.trafficBytes,
      spans: best.spans.length,
      tiled: best.spans.filter((s) => !s.fits).length,
      greedyTrafficBytes: partitioner.greedy().trafficBytes,
      layerFusionTrafficBytes: fusion.activationBytes + fusion.filterBytes,
    };
  });
}

/** Sizes around one, from a sixteenth to sixteen times it, two for each doubling. */
export function capacitiesAround(bytes: number): number[] {
  return Array.from({ length: 17 }, (_, i) => Math.max(1, Math.round(bytes * 2 ** (i / 2 - 4))));
}
