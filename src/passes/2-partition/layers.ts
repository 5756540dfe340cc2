/**
 * A network as the partition pass sees it: layers in an order that can run, and the maps between them. A map is
 * what one layer (or a network input) writes; it is written and read by rows, and a row here is what one firing of
 * its writer makes. Addresses do not matter: this pass counts bytes on a chip and bytes across its edge.
 */
import {
  ABSENT,
  channelsOf,
  elementBytes,
  elementCount,
  type Graph,
  tensorBytes,
} from '../../graph/graph.ts';
import { pixelsBelow } from '../../graph/storage.ts';
import { contextOf, definitionOf } from '../../ops/registry.ts';
import { type Network, networkOf } from '../3-schedule/steps.ts';
import type { FiringTable } from '../3-schedule/tables.ts';

export interface Layer {
  readonly index: number;
  /** Step of the network that this is. */
  readonly step: number;
  readonly name: string;
  readonly kind: string;
  /** Operator of the network's graph. */
  readonly operator: number;
  /** Filters and biases. */
  readonly filterBytes: number;
  /** Sums that a folding layer (a global pool) keeps from row to row. */
  readonly stateBytes: number;
  readonly macs: number;
  /** Rows that it writes, or reads where it folds. */
  readonly firings: number;
  readonly reads: readonly MapUse[];
  /** Maps it writes. */
  readonly writes: readonly number[];
  /** Maps over which its output row may lie: elementwise operators. */
  readonly inPlace: readonly number[];
}

/** How a layer reads a map. */
export interface MapUse {
  readonly map: number;
  /** Rows of the map that must be there before firing f. */
  readonly need: Int32Array;
  /** First row of the map that firing f or a later one reads. */
  readonly low: Int32Array;
  /** Bytes of the map that the layer reads: less than all of it where it reads a slice. */
  readonly bytes: number;
}

/** A tensor between layers. */
export interface FeatureMap {
  readonly index: number;
  readonly name: string;
  readonly tensor: number;
  readonly bytes: number;
  readonly rows: number;
  /** Bytes of one row; the last row may have less. */
  readonly rowBytes: number;
  /** Layer that writes it; -1 for an input of the network. */
  readonly writer: number;
  /** Layers that read it, in order. */
  readonly readers: readonly number[];
  /** The network's output, or read by a layer that was left out. */
  readonly leaves: boolean;
}

export interface LayerNet {
  readonly graph: Graph;
  readonly network: Network;
  readonly layers: readonly Layer[];
  readonly maps: readonly FeatureMap[];
}

export interface LayerOptions {
  /** False: stop before the first dense layer. */
  readonly dense?: boolean;
  /**
   * How filters and biases count. `element`: each value takes as many bytes as one of the layer's input (the
   * count of the literature); `stored`: as the model keeps it (an int8 network's biases take four).
   */
  readonly constants?: 'element' | 'stored';
}

/** A map while the layers that read it are still being found. */
interface GrowingMap extends Omit<FeatureMap, 'readers' | 'leaves'> {
  readonly readers: number[];
  leaves: boolean;
}

/** Kinds that multiply a whole vector: the dense tail starts at the first of them that has constant weights. */
const DENSE = new Set(['FullyConnected', 'MatMul']);

/** The layers of a normalised graph, in its own order. */
export function layersOf(graph: Graph, options: LayerOptions = {}): LayerNet {
  return layersOfNetwork(networkOf(graph, { input: 'streamed', output: 'streamed' }), options);
}

export function layersOfNetwork(network: Network, options: LayerOptions = {}): LayerNet {
  const { graph, steps } = network;
  const layers: Layer[] = [];
  const maps: GrowingMap[] = [];
  /** Maps written by a step. */
  const written = new Map<number, number[]>();
  for (let s = 0; s < steps.length; s++) {
    const { kind, index } = steps[s];
    if (kind === 'operator' && options.dense === false && isDense(graph, index)) break;
    if (kind === 'sink') continue;
    const table = network.table(s, 'rows');
    const outputs = kind === 'source' ? [graph.inputs[index].tensor] : graph.operators[index].outputs;
    const writer = kind === 'source' ? -1 : layers.length;
    if (kind === 'operator') layers.push(layerOf(network, s, table, layers.length, maps, written, options));
    const made = outputs.map((tensor) => {
      const t = graph.tensors[tensor];
      const bytes = tensorBytes(t);
      const rowBytes = table.shape.fold
        ? bytes
        : Math.min(bytes, table.shape.run * channelsOf(t.shape) * elementBytes(t));
      const rows = rowBytes === 0 ? 0 : Math.ceil(bytes / rowBytes);
      maps.push({
        index: maps.length,
        name: t.name,
        tensor,
        bytes,
        rows,
        rowBytes,
        writer,
        readers: [],
        leaves: false,
      });
      return maps.length - 1;
    });
    written.set(s, made);
    if (writer >= 0) (layers[writer].writes as number[]).push(...made);
  }
  const kept = new Set(layers.map((l) => l.step));
  steps.forEach(({ kind }, s) => {
    if (kept.has(s) || kind === 'source') return;
    for (const { waits } of network.table(s, 'rows').reads)
      for (const { step } of waits) for (const m of written.get(step) ?? []) maps[m].leaves = true;
  });
  // An input that no layer reads would otherwise count as traffic of nobody.
  for (const layer of layers)
    for (const m of layer.writes) if (maps[m].readers.length === 0) maps[m].leaves = true;
  return { graph, network, layers, maps };
}

function isDense(graph: Graph, operator: number): boolean {
  const op = graph.operators[operator];
  return DENSE.has(op.kind) && op.inputs.some((t) => t !== ABSENT && graph.tensors[t].constant);
}

function layerOf(
  network: Network,
  s: number,
  table: FiringTable,
  index: number,
  maps: readonly GrowingMap[],
  written: ReadonlyMap<number, readonly number[]>,
  options: LayerOptions,
): Layer {
  const { graph } = network;
  const op = graph.operators[network.steps[s].index];
  const context = contextOf(graph, op);
  const definition = definitionOf(op.kind);
  const uses = new Map<number, MapUse>();
  const overwritable: number[] = [];
  const arena = op.inputs.filter((t) => t !== ABSENT && !graph.tensors[t].constant);
  table.reads.forEach((read, i) => {
    const wanted = tensorBytes(graph.tensors[arena[i]]);
    for (const { step, pixels } of read.waits) {
      for (const map of written.get(step) ?? []) {
        if (network.storage.places[maps[map].tensor].root !== network.roots[read.root].tensor) continue;
        const use = usedRows(network, table, read, step, pixels, maps[map], wanted);
        const before = uses.get(map);
        uses.set(map, before ? merged(before, use) : use);
        if (!maps[map].readers.includes(index)) maps[map].readers.push(index);
        if (read.inPlace && read.waits.length === 1 && wanted === maps[map].bytes) overwritable.push(map);
      }
    }
  });
  const data = context.inputs.find((t) => t && !t.constant);
  const constants = new Set(op.inputs.filter((t) => t !== ABSENT && graph.tensors[t].constant));
  let filterBytes = 0;
  for (const t of constants) {
    const tensor = graph.tensors[t];
    filterBytes +=
      options.constants === 'stored' || !data
        ? tensorBytes(tensor)
        : elementCount(tensor.shape) * elementBytes(data);
  }
  return {
    index,
    step: s,
    name: op.name,
    kind: op.kind,
    operator: op.id,
    filterBytes,
    stateBytes: table.shape.fold ? table.workspaceBytes : 0,
    macs: definition.macs(context),
    firings: table.count,
    reads: [...uses.values()],
    writes: [],
    inPlace: overwritable,
  };
}

/** What a layer's firings need of one map, from pixels of its writer to rows. */
function usedRows(
  network: Network,
  table: FiringTable,
  read: FiringTable['reads'][number],
  writerStep: number,
  pixels: Int32Array,
  map: GrowingMap,
  wanted: number,
): MapUse {
  const { graph, storage } = network;
  const writer = network.table(writerStep, 'rows');
  const place = storage.places[map.tensor];
  const channels = channelsOf(graph.tensors[map.tensor].shape);
  const { run, fold } = writer.shape;
  const need = new Int32Array(table.count);
  const low = new Int32Array(table.count);
  for (let f = 0, most = 0; f < table.count; f++) {
    most = Math.max(most, pixels[f]);
    need[f] = fold ? Math.min(1, most) : Math.min(map.rows, Math.ceil(most / run));
    // The first pixel of the writer that ends behind the first element that is still read.
    const pixel = pixelsBelow(place, read.lo[f] - channels + 1);
    low[f] = fold ? 0 : Math.min(map.rows, Math.floor(pixel / run));
  }
  return { map: map.index, need, low, bytes: Math.min(map.bytes, wanted) };
}

function merged(a: MapUse, b: MapUse): MapUse {
  return {
    map: a.map,
    need: a.need.map((n, f) => Math.max(n, b.need[f])),
    low: a.low.map((n, f) => Math.min(n, b.low[f])),
    bytes: Math.max(a.bytes, b.bytes),
  };
}
