/** Bytes across the edge of the chip: of a set of layers that run fused, and of every layer by itself. */
import type { LayerNet } from './layers.ts';
import { neededFirings } from './sync.ts';

export interface Traffic {
  readonly readBytes: number;
  readonly writeBytes: number;
}

/**
 * What a set of layers reads from outside and leaves there: each map once, also one that is read by several
 * layers, and also one that a residual edge carries past other sets.
 */
export function setTraffic(net: LayerNet, set: readonly number[]): Traffic {
  const inside = new Set(set);
  const read = new Map<number, number>();
  let writeBytes = 0;
  for (const i of set) {
    for (const { map, bytes } of net.layers[i].reads) {
      if (inside.has(net.maps[map].writer)) continue;
      read.set(map, Math.max(read.get(map) ?? 0, bytes));
    }
    for (const m of net.layers[i].writes) {
      const { leaves, readers, bytes } = net.maps[m];
      if (leaves || readers.some((r) => !inside.has(r))) writeBytes += bytes;
    }
  }
  let readBytes = 0;
  for (const bytes of read.values()) readBytes += bytes;
  return { readBytes, writeBytes };
}

/**
 * Of what `setTraffic` counts as read, the rows behind the last that any window touches: whole maps are charged, as
 * in the literature, but a run has no need to fetch these.
 */
export function untouchedBytes(net: LayerNet, set: readonly number[]): number {
  const inside = new Set(set);
  const rows = new Map<number, number>();
  for (const [i, fired] of neededFirings(net, set, inside))
    for (const { map, need } of net.layers[i].reads)
      if (!inside.has(net.maps[map].writer))
        rows.set(map, Math.max(rows.get(map) ?? 0, fired > 0 ? need[fired - 1] : 0));
  let bytes = 0;
  for (const [m, touched] of rows)
    bytes += net.maps[m].bytes - Math.min(net.maps[m].bytes, touched * net.maps[m].rowBytes);
  return bytes;
}

export interface BaseTraffic {
  /** Inputs and outputs of every layer, once an image. */
  readonly activationBytes: number;
  readonly filterBytes: number;
}

/** Layer by layer: every layer reads its inputs and filters and writes its output, once an image. */
export function baseTraffic({ layers, maps }: LayerNet): BaseTraffic {
  let activationBytes = 0;
  let filterBytes = 0;
  for (const layer of layers) {
    for (const { bytes } of layer.reads) activationBytes += bytes;
    for (const m of layer.writes) activationBytes += maps[m].bytes;
    filterBytes += layer.filterBytes;
  }
  return { activationBytes, filterBytes };
}

export function filterBytesOf(net: LayerNet, set: readonly number[]): number {
  return set.reduce((sum, i) => sum + net.layers[i].filterBytes, 0);
}

/** Layers `first` to `last`. */
export function rangeOf(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
