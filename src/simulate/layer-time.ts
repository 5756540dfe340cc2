/** What one layer takes on a chip for one image: cycles, how full the array is, bytes moved inside the chip. */
import { channelsOf, elementCount } from '../graph/graph.ts';
import type { LayerNet } from '../passes/2-partition/layers.ts';
import { type Chip, macsPerCycle } from './chip.ts';

export interface LayerTime {
  readonly cycles: number;
  /** Multipliers at work, as a share; 0 where a layer multiplies nothing. */
  readonly utilisation: number;
  /** Bytes between the chip's memory and its array. */
  readonly onChipBytes: number;
}

export function layerTime(net: LayerNet, index: number, chip: Chip): LayerTime {
  const { graph, layers, maps } = net;
  const layer = layers[index];
  const op = graph.operators[layer.operator];
  const output = graph.tensors[op.outputs[0]].shape;
  const results = elementCount(output);
  const written = layer.writes.reduce((sum, m) => sum + maps[m].bytes, 0);
  const read = layer.reads.reduce((sum, u) => sum + u.bytes, 0);
  if (layer.macs === 0) {
    const window = windowSize(op.attrs);
    return {
      cycles: Math.ceil((results * Math.max(1, window)) / chip.elementsPerCycle),
      utilisation: 0,
      onChipBytes: read + written,
    };
  }
  const groups = typeof op.attrs.groups === 'number' ? op.attrs.groups : 1;
  const outputChannels = channelsOf(output) / groups;
  const input = graph.tensors[op.inputs[0]].shape;
  const inputChannels = op.kind === 'FullyConnected' ? elementCount(input) : channelsOf(input) / groups;
  const columns = output.length === 4 ? output[2] : 1;
  const filled =
    share(inputChannels, chip.array.inputChannels) *
    share(outputChannels, chip.array.outputChannels) *
    share(columns, chip.array.columns);
  const cycles = Math.ceil(layer.macs / (macsPerCycle(chip) * filled));
  // A value of the map serves all output lanes at once, a filter value all columns; each lane fetches its own.
  const elementBytes = maps[layer.reads[0].map].bytes / Math.max(1, elementCount(input));
  const fetched =
    layer.macs / Math.min(outputChannels, chip.array.outputChannels) +
    layer.macs / Math.min(columns, chip.array.columns);
  return {
    cycles,
    utilisation: layer.macs / (cycles * macsPerCycle(chip)),
    onChipBytes: Math.round(fetched * elementBytes) + written,
  };
}

/** Share of the lanes that have work when `count` things go through `lanes` at a time. */
function share(count: number, lanes: number): number {
  return count / (Math.ceil(count / lanes) * lanes);
}

function windowSize(attrs: { readonly [key: string]: unknown }): number {
  const { kernel } = attrs;
  return Array.isArray(kernel) ? kernel.reduce((a: number, b: unknown) => a * Number(b), 1) : 1;
}
