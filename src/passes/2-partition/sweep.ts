/** The same network on chips of many sizes: how traffic falls as more stays on the chip. */
import { layerFusion } from './layer-fusion.ts';
import type { LayerNet } from './layers.ts';
import { type Partition, Partitioner, type PartitionRequest } from './partition.ts';

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

export interface SweepRequest extends Omit<PartitionRequest, 'capacityBytes'> {
  /** Other orders of the layers are looked at too, more briefly than for one capacity alone. */
  readonly anyOrder?: boolean;
  /** Called with the share of capacities done. */
  readonly onProgress?: (done: number) => void;
}

/** Sets of layers that are weighed at one capacity when orders are looked at. */
const SETS_EACH = 4_000;

/** One point a capacity, in the order given, which must rise. */
export function sweepCapacities(
  net: LayerNet,
  capacities: readonly number[],
  request: SweepRequest = {},
): SweepPoint[] {
  let before: Partition | undefined;
  return capacities.map((capacityBytes, i) => {
    request.onProgress?.(i / capacities.length);
    const partitioner = new Partitioner(net, { ...request, capacityBytes });
    const found = [partitioner.best()];
    if (request.anyOrder) {
      const any = partitioner.bestInAnyOrder({ sets: SETS_EACH });
      found.push(any ?? partitioner.bestInImprovedOrder(SETS_EACH));
    }
    // What fits a smaller chip fits this one.
    if (before) found.push(before);
    const best = found.reduce((a, b) => (b.trafficBytes < a.trafficBytes ? b : a));
    before = best;
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
