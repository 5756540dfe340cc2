/**
 * Method 1 on any graph: layer by layer, each output lying on the part of its input that is dead already. What
 * stays alive across branches is packed with the rest. Gives a plan that the checker can prove.
 */
import type { Graph } from '../../../graph/graph.ts';
import type { CopyChoice } from '../../../graph/storage.ts';
import type { Policy } from '../../../plan/plan.ts';
import { type Network, networkOf } from '../../3-schedule/steps.ts';
import type { Timeline } from '../lifetimes.ts';
import { problemOf } from '../pack.ts';
import type { PackingLimits } from '../solver/problem.ts';
import { solvePacking } from '../solver/solve.ts';
import { alternating, flipped } from './directions.ts';
import { type LayerFigures, layerFigures } from './layers.ts';
import type { Granularity } from './raster-distance.ts';
import { type Directions, SampledNetwork } from './sampled.ts';
import { layerSteps } from './step-shape.ts';

export interface OverlapRequest {
  readonly policy: Policy;
  readonly granularity: Granularity;
}

/** Addresses of a timeline's lifetimes. */
export interface OverlapPacking {
  readonly timeline: Timeline;
  readonly offsets: readonly number[];
  readonly heightBytes: number;
  readonly lowerBoundBytes: number;
}

/** The best layer-by-layer layout found. */
export interface OverlapLayout {
  readonly graph: Graph;
  readonly network: Network;
  readonly sampled: SampledNetwork;
  readonly layers: readonly LayerFigures[];
  readonly directions: Directions;
  /** With room for staged runs: what a plan takes. */
  readonly packing: OverlapPacking;
  /** Without: the published figure. */
  readonly bareBytes: number;
}

/** What looking at one set of directions may take, and the last word on the best one. */
const QUICK: PackingLimits = { tries: 150, nodes: 600 };
const THOROUGH: PackingLimits = { tries: 2000, nodes: 20_000 };
/** Changes of one layer's direction that are tried. */
const FLIPS = 60;

export function overlapLayout(graph: Graph, request: OverlapRequest): OverlapLayout {
  const found = variantsOf(graph, request.policy).map((network) => variantLayout(graph, network, request));
  return found.reduce((a, b) => (b.packing.heightBytes < a.packing.heightBytes ? b : a));
}

/** The file's order and the best one; concats written in place or copied. */
function variantsOf(graph: Graph, policy: Policy): Network[] {
  const copies: CopyChoice[] = graph.operators.flatMap((op) =>
    op.kind === 'Concat' ? op.inputs.map((_, input) => ({ operator: op.id, input })) : [],
  );
  const choices = copies.length > 0 ? [[], copies] : [[]];
  return choices.flatMap((c) => {
    const best = networkOf(graph, policy, c, 'best');
    return best ? [networkOf(graph, policy, c), best] : [networkOf(graph, policy, c)];
  });
}

function variantLayout(graph: Graph, network: Network, { granularity }: OverlapRequest): OverlapLayout {
  const layers = layerFigures(network, layerSteps(network), granularity);
  const sampled = new SampledNetwork(network, granularity);
  const pack = (directions: Directions, limits: PackingLimits, staging = true) =>
    packed(network, sampled.timeline(directions, staging), limits);
  const floor = Math.max(0, ...layers.map(totalOf));
  // What fits beside the largest layer without overlapping need not.
  const needsIt = (l: LayerFigures) => l.inBytes + l.outBytes + l.aliveBytes + l.workBytes > floor;
  let best: { directions: Directions; height: number } | undefined;
  const consider = (directions: Directions) => {
    const height = pack(directions, QUICK).heightBytes;
    if (best && height >= best.height) return;
    best = { directions, height };
  };
  // Never worse than layer by layer without overlap.
  consider(layers.map(() => undefined));
  for (const runs of [needsIt, () => true])
    for (const top of [true, false]) consider(alternating(network, layers, top, runs));
  improve(layers, best!, consider, () => best!);
  const { directions } = best!;
  const packing = pack(directions, THOROUGH);
  const bareBytes = pack(directions, THOROUGH, false).heightBytes;
  return { graph, network, sampled, layers, directions, packing, bareBytes };
}

/** Memory of a layer with everything that is live beside it. */
function totalOf(l: LayerFigures): number {
  return l.leastBytes + l.aliveBytes + l.workBytes;
}

/** Turns one layer at a time, the largest first. */
function improve(
  layers: readonly LayerFigures[],
  start: { directions: Directions; height: number },
  consider: (directions: Directions) => void,
  current: () => { directions: Directions; height: number },
): void {
  const floor = Math.max(...layers.map(totalOf));
  const turnable = layers.filter((l) => l.overlaps).sort((a, b) => totalOf(b) - totalOf(a));
  let left = FLIPS;
  for (let before = start.height + 1; current().height < before && current().height > floor; ) {
    before = current().height;
    for (const { step } of turnable) {
      for (const to of ['forward', 'backward'] as const) {
        if (left <= 0 || current().height <= floor) return;
        if (current().directions[step] === to) continue;
        left--;
        consider(flipped(current().directions, step, to));
      }
    }
  }
}

/** Tensors lie at multiples of their element, working memory at multiples of 4. */
function packed(network: Network, timeline: Timeline, limits: PackingLimits): OverlapPacking {
  const { lifetimes } = timeline;
  const outside = (i: number) => {
    const { root } = lifetimes[i];
    return root !== undefined && network.roots[root].external;
  };
  const elementOf = (step: number) => {
    const { graph, storage, roots, rootIndex } = network;
    const id = graph.operators[network.steps[step].index].outputs[0];
    return roots[rootIndex.get(storage.places[id].root)!].elementBytes;
  };
  const alignments = lifetimes.map((l) =>
    l.root !== undefined ? network.roots[l.root].elementBytes : l.staging ? elementOf(l.step!) : 4,
  );
  const { answer, lowerBound } = solvePacking({ ...problemOf(timeline, { outside }), alignments }, limits);
  const { offsets, height } = answer!;
  return { timeline, offsets: Array.from(offsets), heightBytes: height, lowerBoundBytes: lowerBound };
}
