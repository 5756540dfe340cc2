/**
 * The best tiling of a layer that does not fit the chip by itself: its map cut into columns, its rows into bands,
 * its filters into blocks of output channels, and its input into blocks of channels, in the loop order that
 * moves the fewest bytes. Within a tile rows stream, so that bands share no row that is read twice.
 */
import { channelsOf } from '../../graph/graph.ts';
import type { LayerNet } from './layers.ts';
import { setTraffic } from './traffic.ts';

export interface Tiling {
  readonly columns: number;
  readonly bands: number;
  readonly filterBlocks: number;
  readonly inputBlocks: number;
  /** Which of input and filters stays while the other passes by. */
  readonly stays: 'input' | 'filters';
  readonly onChipBytes: number;
  /** Bytes moved for one image, filters included. */
  readonly trafficBytes: number;
  /** False: not even the smallest tile fits. */
  readonly fits: boolean;
}

export interface TilingRequest {
  readonly capacityBytes: number;
  /** False: filters take no room and are not charged. */
  readonly weights: boolean;
  /** Rows that stay for full reuse, from the closure. */
  readonly closureBytes: number;
}

/** Sums across blocks of input channels wait outside as 32-bit words. */
const PARTIAL_BYTES = 4;

export function bestTiling(net: LayerNet, index: number, request: TilingRequest): Tiling {
  const layer = net.layers[index];
  const { readBytes, writeBytes } = setTraffic(net, [index]);
  const shape = shapeOf(net, index);
  const filters = request.weights ? layer.filterBytes : 0;
  let best: Tiling | undefined;
  let smallest: Tiling | undefined;
  const splittable = layer.filterBytes > 0;
  for (const inputBlocks of powers(splittable ? shape.inputChannels : 1)) {
    for (const filterBlocks of powers(splittable ? shape.outputChannels : 1)) {
      for (const columns of powers(shape.columns)) {
        const haloBytes = (columns - 1) * shape.haloColumns * shape.columnBytes;
        const inBytes = readBytes + haloBytes;
        const outBytes = writeBytes + (inputBlocks - 1) * 2 * shape.outputElements * PARTIAL_BYTES;
        const filterPart = Math.ceil(filters / filterBlocks / inputBlocks);
        const rowsPart = Math.ceil(
          (request.closureBytes / columns + shape.haloColumns * shape.windowColumnBytes) / inputBlocks,
        );
        const offer = (stays: Tiling['stays'], bands: number, onChipBytes: number, trafficBytes: number) => {
          const fits = onChipBytes <= request.capacityBytes;
          const tiling = {
            columns,
            bands,
            filterBlocks,
            inputBlocks,
            stays,
            onChipBytes,
            trafficBytes,
            fits,
          };
          if (fits && (!best || trafficBytes < best.trafficBytes)) best = tiling;
          if (!smallest || onChipBytes < smallest.onChipBytes) smallest = tiling;
        };
        // A block of filters stays while all rows pass.
        offer('filters', shape.rows, filterPart + rowsPart, inBytes * filterBlocks + outBytes + filters);
        // A band of the input stays while all filters pass.
        for (const bands of powers(shape.rows)) {
          const band = Math.ceil(inBytes / columns / bands / inputBlocks) + rowsPart;
          const held = Math.min(band, Math.ceil(inBytes / columns / inputBlocks));
          const passes = filterBlocks > 1 ? bands * columns : 1;
          offer('input', bands, filterPart + held, inBytes + outBytes + filters * passes);
        }
      }
    }
  }
  return best ?? smallest!;
}

function shapeOf(net: LayerNet, index: number) {
  const { graph } = net;
  const layer = net.layers[index];
  const op = graph.operators[layer.operator];
  const input = net.maps[layer.reads[0]?.map ?? 0];
  const output = graph.tensors[op.outputs[0]];
  const inShape = graph.tensors[input.tensor].shape;
  const columns = inShape.length === 4 ? inShape[2] : 1;
  const [kernel, stride] = windowOf(net, index);
  const rows = input.rows;
  return {
    rows,
    columns,
    inputChannels: channelsOf(inShape),
    outputChannels: channelsOf(output.shape),
    outputElements: output.shape.reduce((a, b) => a * b, 1),
    haloColumns: Math.max(0, kernel - stride),
    /** A column of the whole input, and of the rows that stay. */
    columnBytes: input.bytes / columns,
    windowColumnBytes: (input.rowBytes * Math.min(rows, kernel)) / columns,
  };
}

/** Width of the window and its step, along a row. */
export function windowOf(net: LayerNet, index: number): readonly [kernel: number, stride: number] {
  const op = net.graph.operators[net.layers[index].operator];
  const attrs = op.attrs as {
    kernel?: readonly number[];
    stride?: readonly number[];
    dilation?: readonly number[];
  };
  const stride = attrs.stride?.[1] ?? 1;
  const dilation = attrs.dilation?.[1] ?? 1;
  const taps = attrs.kernel?.[1] ?? (attrs.stride ? (net.graph.tensors[op.inputs[1]]?.shape[2] ?? 1) : 1);
  return [(taps - 1) * dilation + 1, stride];
}

/** 1, 2, 4, ... and the number itself. */
function powers(most: number): number[] {
  const list: number[] = [];
  for (let n = 1; n < most; n *= 2) list.push(n);
  list.push(Math.max(1, most));
  return list;
}
