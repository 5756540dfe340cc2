/** Method 1's figures, layer by layer: how far each output lies from its input, and the memory of the layer. */
import type { Network } from '../../3-schedule/steps.ts';
import { distanceFrom, overlappedFiring } from './key-firings.ts';
import { type Direction, type Granularity, layerMemory } from './raster-distance.ts';
import type { LayerStep } from './step-shape.ts';

/** A step with what overlapping makes of it. */
export interface LayerFigures extends LayerStep {
  readonly name: string;
  readonly inBytes: number;
  readonly outBytes: number;
  /** From the output's base to the input's: 0 in place, the whole output where they may not overlap. */
  readonly distanceBytes: number;
  /** Of inputs and output together, as they overlap forwards. */
  readonly memoryBytes: number;
  /** The least over both directions. */
  readonly leastBytes: number;
  /** Tensors that must stay although the layer neither reads nor writes them. */
  readonly aliveBytes: number;
  /** The kernel's working memory. */
  readonly workBytes: number;
}

export function layerFigures(
  network: Network,
  steps: readonly LayerStep[],
  granularity: Granularity,
): LayerFigures[] {
  return steps.map((layer) => figuresOf(network, layer, granularity));
}

function figuresOf(network: Network, layer: LayerStep, granularity: Granularity): LayerFigures {
  const bytes = (roots: readonly number[]) => roots.reduce((n, r) => n + network.roots[r].bytes, 0);
  const inBytes = bytes(layer.inputs);
  const outBytes = bytes(layer.outputs.filter((r) => !layer.inputs.includes(r)));
  const base = {
    ...layer,
    name: network.steps[layer.step].name,
    inBytes,
    outBytes,
    aliveBytes: bytes(layer.alive),
    workBytes: network.table(layer.step, 'whole').workspaceBytes,
  };
  const apart = { distanceBytes: outBytes, memoryBytes: inBytes + outBytes, leastBytes: inBytes + outBytes };
  if (layer.inPlace !== undefined) {
    const over = bytes([layer.inPlace]);
    const memoryBytes = inBytes - over + Math.max(over, outBytes);
    return { ...base, distanceBytes: 0, memoryBytes, leastBytes: memoryBytes };
  }
  if (!layer.overlaps) return { ...base, ...apart };
  let best: Pick<LayerFigures, 'distanceBytes' | 'memoryBytes' | 'leastBytes'> = apart;
  for (const root of layer.dying) {
    const own = network.roots[root].bytes;
    const rest = inBytes - own;
    const at = (direction: Direction) =>
      Math.max(0, distanceOf(network, layer, root, granularity, direction));
    const forward = at('forward');
    const memory = (d: number) => rest + Math.min(own + outBytes, layerMemory(d, own, outBytes));
    const memoryBytes = memory(forward);
    if (memoryBytes > best.memoryBytes) continue;
    const leastBytes = Math.min(memoryBytes, memory(at('backward')));
    best = { distanceBytes: forward, memoryBytes, leastBytes: Math.min(leastBytes, best.leastBytes) };
  }
  return { ...base, ...best };
}

/** Between the output and a root: the worst of the inputs that lie in it. */
function distanceOf(
  { graph, storage, steps, roots }: Network,
  { step }: LayerStep,
  root: number,
  granularity: Granularity,
  direction: Direction,
): number {
  const fired = overlappedFiring(graph, steps[step].index, granularity, direction);
  const distances = fired.firings.inputs.map(({ tensor }, i) =>
    storage.places[tensor].root === roots[root].tensor
      ? distanceFrom(graph, storage, fired, i).bytes
      : Number.NEGATIVE_INFINITY,
  );
  return Math.max(...distances);
}
