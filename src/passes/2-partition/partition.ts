/**
 * The partition pass: layers cut into spans whose filters and dependence closure fit a chip, with the least bytes
 * across the chip's edge (Gondimalla et al., Occam, TACO 2022). A layer that cannot fit is a span of its own,
 * charged with its best tiling. No span is handed out whose row schedule, replayed, would not fit.
 */
import { Closures } from './closure.ts';
import { bestCuts, type Cuts, greedyCuts, type SpanCost } from './cuts.ts';
import type { LayerNet } from './layers.ts';
import { bestSets, improvedSets, type OrderLimit } from './orders.ts';
import { replayClosure } from './replay.ts';
import { type SyncGraph, syncGraph } from './sync.ts';
import { bestTiling, type Tiling } from './tiling.ts';
import { baseTraffic, filterBytesOf, rangeOf, setTraffic } from './traffic.ts';

export interface PartitionRequest {
  /** Bytes on one chip. */
  readonly capacityBytes: number;
  /** False: filters take no room on the chip. Left out: they do. */
  readonly weights?: boolean;
  /** Elementwise layers write over their input's row. Left out: an add's output row is its own. */
  readonly inPlace?: boolean;
}

export interface PartitionSpan {
  /** Layers, in the network's order: neighbours in it, or in a better order. */
  readonly layers: readonly number[];
  readonly closureBytes: number;
  readonly filterBytes: number;
  /** False for a layer that cannot fit: it is run in tiles. */
  readonly fits: boolean;
  readonly readBytes: number;
  readonly writeBytes: number;
  /** All that it moves for one image; where it does not fit, filters included. */
  readonly trafficBytes: number;
  readonly tiling?: Tiling;
}

export interface Partition {
  readonly spans: readonly PartitionSpan[];
  /** Bytes for one image; filters of spans that fit stay on their chips and are not in it. */
  readonly trafficBytes: number;
}

/** Answers for one network and one kind of chip; keeps what it has found. */
export class Partitioner {
  readonly net: LayerNet;
  readonly request: PartitionRequest;
  readonly #closures: Closures;
  /** Every output row its own. */
  readonly #apart: Closures;
  readonly #sync: SyncGraph;
  readonly #spans = new Map<string, PartitionSpan | undefined>();
  /** Closures of spans whose replay held more than the formula says. */
  readonly #corrected = new Map<string, number>();

  constructor(net: LayerNet, request: PartitionRequest) {
    this.net = net;
    this.request = request;
    this.#apart = new Closures(net);
    this.#closures = request.inPlace ? new Closures(net, { inPlace: true }) : this.#apart;
    this.#sync = syncGraph(net);
  }

  /** A span with its figures; undefined where several layers do not fit together. */
  span(first: number, last: number): PartitionSpan | undefined {
    return this.set(rangeOf(first, last));
  }

  /** The same for any layers, given in the network's order, that leave no way out of them and back. */
  set(layers: readonly number[]): PartitionSpan | undefined {
    const key = layers.join();
    if (!this.#spans.has(key)) this.#spans.set(key, this.#make(layers, key));
    return this.#spans.get(key);
  }

  #make(layers: readonly number[], key: string): PartitionSpan | undefined {
    const { capacityBytes, weights = true } = this.request;
    const filterBytes = filterBytesOf(this.net, layers);
    const room = capacityBytes - (weights ? filterBytes : 0);
    if (layers.length > 1 && room < 0) return undefined;
    const closureBytes = this.#corrected.get(key) ?? this.#closures.of(layers).bytes;
    const fits = closureBytes <= room;
    if (!fits && layers.length > 1) return undefined;
    const { readBytes, writeBytes } = setTraffic(this.net, layers);
    const tiling = fits
      ? undefined
      : bestTiling(this.net, layers[0], { capacityBytes, weights, closureBytes });
    const trafficBytes = tiling ? tiling.trafficBytes : readBytes + writeBytes;
    return { layers, closureBytes, filterBytes, fits, readBytes, writeBytes, trafficBytes, tiling };
  }

  readonly #cost: SpanCost = (first, last) => this.span(first, last)?.trafficBytes;

  /** The least traffic. */
  best(): Partition {
    return this.#proven(() => bestCuts(this.net.layers.length, this.#cost)!);
  }

  /** The longest span that fits, again and again: what looking no further costs. */
  greedy(): Partition {
    return this.#proven(() => greedyCuts(this.net.layers.length, this.#cost));
  }

  /** The cuts that would be best if no residual edge cost anything, charged with what they do cost. */
  blind(): Partition {
    const chain: SpanCost = (first, last) => {
      const span = this.span(first, last);
      if (!span?.fits) return span?.trafficBytes;
      return span.trafficBytes - this.#skippedBytes(first, last);
    };
    return this.#proven(() => bestCuts(this.net.layers.length, chain)!);
  }

  /** Bytes that a span reads of maps other than the one written just before it. */
  #skippedBytes(first: number, last: number): number {
    const { layers, maps } = this.net;
    const skipped = new Map<number, number>();
    for (let i = first; i <= last; i++)
      for (const { map, bytes } of layers[i].reads) {
        const { writer } = maps[map];
        if (writer >= 0 && writer < first - 1) skipped.set(map, Math.max(bytes, skipped.get(map) ?? 0));
      }
    return [...skipped.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Given cuts with their figures; undefined where one of the spans does not fit. */
  of(cuts: readonly (readonly [number, number])[]): Partition | undefined {
    const spans = cuts.map(([first, last]) => this.span(first, last));
    return spans.every((s) => s !== undefined) ? partitionOf(spans) : undefined;
  }

  /** The least traffic over all orders that the layers can run in; undefined where those are too many to look at. */
  bestInAnyOrder(limit?: OrderLimit): Partition | undefined {
    return this.#provenSets(() => bestSets(this.net, (set) => this.set(set)?.trafficBytes, limit));
  }

  /** Less traffic by an order found by local search: no more than `best`, and not known to be the least. */
  bestInImprovedOrder(sets?: number): Partition {
    return this.#provenSets(() => improvedSets(this.net, (set) => this.set(set)?.trafficBytes, sets))!;
  }

  #proven(choose: () => Cuts): Partition {
    return this.#provenSets(() => choose().spans.map(([first, last]) => rangeOf(first, last)))!;
  }

  /** Replays every span that is chosen. One that would not fit is corrected, and the choice is made anew. */
  #provenSets(choose: () => readonly (readonly number[])[] | undefined): Partition | undefined {
    for (;;) {
      const spans = choose()?.map((set) => this.set(set)!);
      if (!spans) return undefined;
      if (!spans.map((s) => this.#correct(s)).some((changed) => changed)) return partitionOf(spans);
    }
  }

  /** True where a replay of the span holds more than was counted. */
  #correct(span: PartitionSpan): boolean {
    const counted = this.#closures.of(span.layers);
    // The replay writes nothing over anything: it is held against rows that are all counted.
    const rowsOf = new Map(this.#apart.of(span.layers).maps.map((m) => [m.map.index, m.rows]));
    let more = 0;
    for (const [map, held] of replayClosure(this.net, span.layers, this.#sync).rows) {
      const { bytes, rowBytes } = this.net.maps[map];
      const before = rowsOf.get(map)!;
      if (held > before) more += Math.min(bytes, held * rowBytes) - Math.min(bytes, before * rowBytes);
    }
    const closureBytes = counted.bytes + more;
    if (closureBytes <= span.closureBytes) return false;
    const key = span.layers.join();
    this.#corrected.set(key, closureBytes);
    this.#spans.delete(key);
    return true;
  }
}

function partitionOf(spans: readonly PartitionSpan[]): Partition {
  return { spans, trafficBytes: spans.reduce((sum, s) => sum + s.trafficBytes, 0) };
}

/** The least traffic of a network on chips of one kind, with what it is compared with. */
export function partitionLayers(net: LayerNet, request: PartitionRequest): Partition {
  return new Partitioner(net, request).best();
}

/** Bytes of the layer-by-layer base case for one image: activations and filters. */
export function baseBytes(net: LayerNet): number {
  const { activationBytes, filterBytes } = baseTraffic(net);
  return activationBytes + filterBytes;
}
