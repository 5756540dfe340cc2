/**
 * Layer Fusion (Alwani, Chen, Ferdman, Milder, MICRO 2016), the second baseline: neighbouring layers fused as
 * pyramids of tiles. A tile of the last map of D x D pixels needs D' = s * D + k - s of the map before, and so on
 * down. Where pyramids overlap, intermediate pixels are either kept (`reuse`: the last k - s rows of the whole map
 * and the last k - s columns of the pyramid) or computed again (`recompute`). One chip runs group after group, so
 * every group's filters come in again with each mini-batch.
 */
import { Closures } from './closure.ts';
import { bestCuts } from './cuts.ts';
import type { LayerNet } from './layers.ts';
import { bestTiling, windowOf } from './tiling.ts';
import { filterBytesOf, rangeOf, setTraffic } from './traffic.ts';

export type FusionVariant = 'reuse' | 'recompute';

export interface FusionGroup {
  readonly first: number;
  readonly last: number;
  /** Rows and columns of the last map that one pyramid makes. */
  readonly tile: readonly [number, number];
  readonly pyramids: number;
  readonly bufferBytes: number;
  readonly filterBytes: number;
  /** Activations in and out for one image. */
  readonly activationBytes: number;
  /** Multiply-accumulates done, recomputed ones included. */
  readonly macs: number;
  readonly fits: boolean;
}

export interface Fusion {
  readonly variant: FusionVariant;
  readonly groups: readonly FusionGroup[];
  readonly activationBytes: number;
  /** Once a mini-batch: one chip holds one group's filters at a time. */
  readonly filterBytes: number;
  readonly macs: number;
}

export interface FusionRequest {
  readonly capacityBytes: number;
  readonly weights?: boolean;
  readonly variant?: FusionVariant;
}

/** The grouping with the least traffic. */
export function layerFusion(net: LayerNet, request: FusionRequest): Fusion {
  const fuser = new Fuser(net, request);
  const cuts = bestCuts(net.layers.length, (i, j) => fuser.group(i, j)?.activationBytes)!;
  const groups = cuts.spans.map(([i, j]) => fuser.group(i, j)!);
  const sum = (of: (g: FusionGroup) => number) => groups.reduce((n, g) => n + of(g), 0);
  return {
    variant: request.variant ?? 'reuse',
    groups,
    activationBytes: sum((g) => g.activationBytes),
    filterBytes: request.weights === false ? 0 : sum((g) => g.filterBytes),
    macs: sum((g) => g.macs),
  };
}

/** Bytes that one group's pyramids keep and work in, filters left out. */
export function pyramidBytes(net: LayerNet, first: number, last: number, variant: FusionVariant): number {
  const group = new Fuser(net, { capacityBytes: Number.POSITIVE_INFINITY, variant, weights: false }).pyramid(
    first,
    last,
    1,
  );
  return group?.bufferBytes ?? 0;
}

/** What one pyramid takes of a map. */
interface Need {
  /** Rows and columns that one pyramid reads. */
  readonly height: number;
  readonly width: number;
  /** Of these, those that the pyramid before it did not have. */
  readonly freshRows: number;
  readonly freshColumns: number;
  /** Columns that two neighbouring windows share. */
  readonly sharedColumns: number;
}

class Fuser {
  readonly #net: LayerNet;
  readonly #request: FusionRequest;
  readonly #closures: Closures;
  readonly #groups = new Map<number, FusionGroup | undefined>();

  constructor(net: LayerNet, request: FusionRequest) {
    this.#net = net;
    this.#request = request;
    this.#closures = new Closures(net);
  }

  group(first: number, last: number): FusionGroup | undefined {
    const key = first * this.#net.layers.length + last;
    if (!this.#groups.has(key)) this.#groups.set(key, this.#make(first, last));
    return this.#groups.get(key);
  }

  #make(first: number, last: number): FusionGroup | undefined {
    const { capacityBytes, weights = true } = this.#request;
    const filterBytes = filterBytesOf(this.#net, rangeOf(first, last));
    const room = capacityBytes - (weights ? filterBytes : 0);
    if (room < 0 && first < last) return undefined;
    // The largest tile that fits: larger ones never move more. Reuse moves the same whatever the tile.
    let best: FusionGroup | undefined;
    for (let tile = 1; tile <= 512; tile *= 2) {
      const found = this.pyramid(first, last, tile);
      if (!found || found.bufferBytes > room) break;
      best = found;
      if (this.#request.variant !== 'recompute') break;
    }
    if (best || first < last) return best;
    const { layers } = this.#net;
    const closureBytes = this.#closures.of([first]).bytes;
    const tiling = bestTiling(this.#net, first, { capacityBytes, weights, closureBytes });
    return {
      first,
      last,
      tile: [tiling.bands, tiling.columns],
      pyramids: tiling.bands * tiling.columns,
      bufferBytes: tiling.onChipBytes,
      filterBytes,
      // Filters are counted apart, and what tiles move beyond them is activations.
      activationBytes: tiling.trafficBytes - (weights ? filterBytes : 0),
      macs: layers[first].macs,
      fits: false,
    };
  }

  /** A group with pyramids of `tile` x `tile` pixels of its last map. */
  pyramid(first: number, last: number, tile: number): FusionGroup | undefined {
    const { layers, maps, graph } = this.#net;
    const set = rangeOf(first, last);
    const shapeOf = (m: number) => graph.tensors[maps[m].tensor].shape;
    const needs = new Map<number, Need>();
    const inside = (i: number) => i >= first && i <= last;
    const exits = layers[last].writes[0];
    const out = shapeOf(exits);
    // Pyramids need maps with rows and columns; a layer that reads all at once ends a group.
    const tileable = (i: number) =>
      layers[i].reads.every((u) => shapeOf(u.map).length === 4) && shapeOf(layers[i].writes[0]).length === 4;
    if (first < last && !set.every(tileable)) return undefined;
    const flat = !set.every(tileable);
    let macs = 0;
    const th = flat ? 1 : Math.min(tile, out[1]);
    const tw = flat ? 1 : Math.min(tile, out[2]);
    const pyramids = flat ? 1 : Math.ceil(out[1] / th) * Math.ceil(out[2] / tw);
    for (const i of [...set].reverse()) {
      const layer = layers[i];
      const own: Need = needs.get(layer.writes[0]) ?? {
        height: th,
        width: tw,
        freshRows: th,
        freshColumns: tw,
        sharedColumns: 0,
      };
      const made = shapeOf(layer.writes[0]);
      const share = flat
        ? 1
        : (Math.min(own.height, made[1]) * Math.min(own.width, made[2]) * pyramids) / (made[1] * made[2]);
      macs += this.#request.variant === 'recompute' ? layer.macs * Math.max(1, share) : layer.macs;
      const [k, s] = windowOf(this.#net, i);
      for (const { map } of layer.reads) {
        const shape = shapeOf(map);
        const whole = flat || layer.stateBytes > 0;
        const before = needs.get(map);
        const height = whole ? (shape[1] ?? 1) : Math.min(shape[1], own.height * s + k - s);
        const width = whole ? (shape[2] ?? 1) : Math.min(shape[2], own.width * s + k - s);
        needs.set(map, {
          height: Math.max(height, before?.height ?? 0),
          width: Math.max(width, before?.width ?? 0),
          freshRows: Math.max(whole ? 1 : Math.min(shape[1], own.freshRows * s), before?.freshRows ?? 0),
          freshColumns: Math.max(
            whole ? 1 : Math.min(shape[2], own.freshColumns * s),
            before?.freshColumns ?? 0,
          ),
          sharedColumns: Math.max(Math.max(0, k - s), before?.sharedColumns ?? 0),
        });
      }
    }
    const rows = new Map(this.#closures.of(set).maps.map((m) => [m.map.index, m.rows]));
    let bufferBytes = set.reduce((sum, i) => sum + layers[i].stateBytes, 0);
    let readBytes = 0;
    for (const [m, need] of needs) {
      const map = maps[m];
      const shape = shapeOf(m);
      const pixel = map.bytes / Math.max(1, (shape[1] ?? 1) * (shape[2] ?? 1));
      if (this.#request.variant === 'recompute') {
        bufferBytes += need.height * need.width * pixel;
        if (!inside(map.writer))
          readBytes += Math.max(map.bytes, need.height * need.width * pixel * pyramids);
        continue;
      }
      const step = this.#stepOf(m, first, last);
      const top = Math.max(0, (rows.get(m) ?? 0) - step) * map.rowBytes;
      const left = need.sharedColumns * need.height * pixel;
      const fresh = need.freshRows * need.freshColumns * pixel;
      bufferBytes += Math.min(map.bytes, top + left + fresh);
    }
    const traffic = setTraffic(this.#net, set);
    if (this.#request.variant !== 'recompute') readBytes = traffic.readBytes;
    return {
      first,
      last,
      tile: [th, tw],
      pyramids,
      bufferBytes: Math.ceil(bufferBytes),
      filterBytes: filterBytesOf(this.#net, set),
      activationBytes: Math.ceil(readBytes + traffic.writeBytes),
      macs: Math.round(macs),
      fits: true,
    };
  }

  /** Rows that a map's readers inside move on by. */
  #stepOf(map: number, first: number, last: number): number {
    const readers = this.#net.maps[map].readers.filter((r) => r >= first && r <= last);
    return Math.min(...readers.map((r) => windowOf(this.#net, r)[1]));
  }
}
