/** Method 1's figures, layer by layer: how far each output lies from its input, and the memory of the layer. */
import { tensorBytes } from '../../../graph/graph.ts';
import { stagingBytes } from '../../../plan/firing.ts';
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
  /** Tensors that must stay although the layer neither reads nor writes them. */
  readonly aliveBytes: number;
  /** The kernel's working memory. */
  readonly workBytes: number;
  /** No direction lets everything that is live here take less; 0 where that is not known. */
  readonly leastBytes: number;
  /** The same with room for a staged run. */
  readonly leastStagedBytes: number;
}

type Overlap = Pick<LayerFigures, 'distanceBytes' | 'memoryBytes'> & {
  /** The least over both directions. */
  readonly leastBytes: number;
};

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
  const aliveBytes = bytes(layer.alive);
  const workBytes = network.table(layer.step, 'whole').workspaceBytes;
  const beside = liveBeside(network, layer) + workBytes;
  const complete = layer.inputs.every((r) => network.roots[r].writers.every((s) => s < layer.step));
  const intact =
    complete &&
    [...layer.inputs, ...layer.alive].every((r) => isIntact(network, r, layer.step)) &&
    layer.outputs.every((r) => isIntact(network, r, layer.step + 1));
  const figures = ({ distanceBytes, memoryBytes }: Overlap, least: number, staged = least): LayerFigures => ({
    ...layer,
    name: network.steps[layer.step].name,
    inBytes,
    outBytes,
    distanceBytes,
    memoryBytes,
    aliveBytes,
    workBytes,
    leastBytes: intact ? least + beside : 0,
    leastStagedBytes: intact ? staged + beside : 0,
  });
  // Several inputs that die may all make room, and a concat is there only as far as it is written: what is
  // certain is what is there at the beginning.
  const partly = layer.outputs.some((r) => network.roots[r].writers.length > 1);
  const fresh = layer.outputs.filter((r) => !layer.inputs.includes(r));
  const before = fresh.reduce((n, r) => n + writtenBytes(network, r, layer.step - 1), 0);
  const after = fresh.reduce((n, r) => n + writtenBytes(network, r, layer.step), 0);
  const certain = Math.max(inBytes + before, after);
  const apart = { distanceBytes: outBytes, memoryBytes: inBytes + outBytes, leastBytes: inBytes + outBytes };
  if (layer.inPlace !== undefined) {
    const over = bytes([layer.inPlace]);
    const memoryBytes = inBytes - over + Math.max(over, outBytes);
    return figures({ distanceBytes: 0, memoryBytes, leastBytes: memoryBytes }, certain);
  }
  if (!layer.overlaps) return figures(apart, inBytes + after);
  let best: Overlap = apart;
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
  if (layer.dying.length > 1 || partly) return figures(best, certain);
  const staged = best.leastBytes + stagingOf(network, layer, granularity);
  return figures(best, best.leastBytes, Math.min(inBytes + outBytes, staged));
}

/** Tensors beside the layer, as far as they are written. */
function liveBeside(network: Network, { alive, step }: LayerStep): number {
  return alive.reduce((bytes, r) => bytes + writtenBytes(network, r, step), 0);
}

/** True where no byte of a root has died before a step: from there on all of it is read, or it stays. */
function isIntact(network: Network, root: number, step: number): boolean {
  const { readers, elements, kept } = network.roots[root];
  if (kept) return true;
  let from = elements;
  let to = 0;
  for (const s of readers.filter((r) => r >= step)) {
    for (const { root: r, lo, window } of network.table(s, 'whole').reads) {
      if (r !== root) continue;
      from = Math.min(from, lo[0]);
      to = Math.max(to, lo[0] + window);
    }
  }
  return from === 0 && to === elements;
}

/** What steps up to one have written of a root: of a concat its parts, of all else everything. */
function writtenBytes({ roots, graph, steps }: Network, root: number, upTo: number): number {
  const { writers, bytes } = roots[root];
  if (upTo < writers[0]) return 0;
  if (upTo >= writers[writers.length - 1]) return bytes;
  const made = (s: number) =>
    steps[s].kind === 'operator'
      ? graph.operators[steps[s].index].outputs
      : [graph.inputs[steps[s].index].tensor];
  const done = writers.filter((s) => s <= upTo).flatMap(made);
  return done.reduce((n, t) => n + tensorBytes(graph.tensors[t]), 0);
}

function stagingOf({ graph, steps }: Network, { step }: LayerStep, granularity: Granularity): number {
  if (granularity === 'element') return 0;
  return stagingBytes(graph, overlappedFiring(graph, steps[step].index, granularity, 'forward').firings);
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
