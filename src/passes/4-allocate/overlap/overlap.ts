/**
 * Method 1 on any graph: layer by layer, each output lying on the part of its input that is dead already. What
 * stays alive across branches is packed with the rest. Gives a plan that the checker can prove.
 */
import type { Graph } from '../../../graph/graph.ts';
import type { Policy } from '../../../plan/plan.ts';
import type { Network } from '../../3-schedule/steps.ts';
import { networkVariants } from '../../3-schedule/variants.ts';
import type { Timeline } from '../lifetimes.ts';
import { problemOf } from '../pack.ts';
import { solvePacking } from '../solver/solve.ts';
import { alternating, flipped } from './directions.ts';
import { type LayerFigures, layerFigures } from './layers.ts';
import type { Granularity } from './raster-distance.ts';
import { type Directions, SampledNetwork } from './sampled.ts';
import { layerSteps } from './step-shape.ts';

export interface OverlapRequest {
  readonly policy: Policy;
  readonly granularity: Granularity;
  /** Only layouts that take less are wanted. Left out: the best there is. */
  readonly belowBytes?: number;
}

/** Addresses of a timeline's lifetimes. */
export interface OverlapPacking {
  readonly timeline: Timeline;
  readonly offsets: readonly number[];
  readonly heightBytes: number;
  readonly lowerBoundBytes: number;
  /** Of buffers that live at the same time. */
  readonly pairs: number;
}

/** The best layer-by-layer layout found. */
export interface OverlapLayout {
  readonly graph: Graph;
  readonly network: Network;
  readonly sampled: SampledNetwork;
  readonly layers: readonly LayerFigures[];
  /** No choice of directions takes less in this order. */
  readonly floorBytes: number;
  readonly directions: Directions;
  /** With room for staged runs: what a plan takes. */
  readonly packing: OverlapPacking;
}

/** What looking at one set of directions may take, and the last word on the best one. */
const QUICK = { tries: 150, nodes: 600 };
const THOROUGH = { tries: 2000, nodes: 20_000 };
/** Changes of one layer's direction that are tried, and pairs of buffers that all of them together may have. */
const FLIPS = 90;
const MOST_PAIRS = 500_000;
/** Where a packing has more pairs, it gets as much less of its limits: trying takes longer by them. */
const USUAL_PAIRS = 20_000;

/** Undefined only where nothing takes less than is asked for. */
export function overlapLayout(graph: Graph, request: OverlapRequest): OverlapLayout | undefined {
  let best: OverlapLayout | undefined;
  let below = request.belowBytes ?? Number.POSITIVE_INFINITY;
  for (const network of networkVariants(graph, request.policy)) {
    const layers = layerFigures(network, layerSteps(network), request.granularity);
    const floor = floorOf(layers, true);
    if (floor >= below) continue;
    const sampled = new SampledNetwork(network, request.granularity);
    const [directions, packing] = bestDirections(network, layers, sampled, true);
    if (packing.heightBytes >= below) continue;
    below = packing.heightBytes;
    best = { graph, network, sampled, layers, directions, packing, floorBytes: floor };
  }
  return best;
}

/** The least of the same order of work without room for staged runs: the published figure. */
export function bareBytes({ network, layers, sampled }: OverlapLayout): number {
  const [, bare] = bestDirections(network, layers, sampled, false);
  return bare.heightBytes;
}

/** No choice of directions takes less in this order of work. */
function floorOf(layers: readonly LayerFigures[], staging: boolean): number {
  return Math.max(0, ...layers.map((l) => (staging ? l.leastStagedBytes : l.leastBytes)));
}

/** The directions that take least, with or without room for staged runs, and their addresses. */
function bestDirections(
  network: Network,
  layers: readonly LayerFigures[],
  sampled: SampledNetwork,
  staging: boolean,
): [Directions, OverlapPacking] {
  const floor = floorOf(layers, staging);
  const pack = (directions: Directions, limits: typeof QUICK) =>
    packed(network, sampled.timeline(directions, staging), limits);
  // What fits beside the largest layer without overlapping need not.
  const needsIt = (l: LayerFigures) => l.inBytes + l.outBytes + l.aliveBytes + l.workBytes > floor;
  let best: Directions = [];
  let height = Number.POSITIVE_INFINITY;
  let left = FLIPS;
  let pairsLeft = MOST_PAIRS;
  const consider = (directions: Directions) => {
    if (height <= floor) return;
    const { heightBytes, pairs } = pack(directions, QUICK);
    pairsLeft -= pairs;
    if (heightBytes >= height) return;
    best = directions;
    height = heightBytes;
  };
  // Never worse than layer by layer without overlap.
  consider(layers.map(() => undefined));
  for (const runs of [needsIt, () => true])
    for (const top of [true, false]) if (pairsLeft > 0) consider(alternating(network, layers, top, runs));
  const largestFirst = layers.filter((l) => l.overlaps).sort((a, b) => b.leastBytes - a.leastBytes);
  for (let before = Number.POSITIVE_INFINITY; height < before; ) {
    before = height;
    for (const { step } of largestFirst) {
      for (const to of [undefined, 'forward', 'backward'] as const) {
        if (left <= 0 || pairsLeft <= 0 || height <= floor) break;
        if (best[step] === to) continue;
        left--;
        consider(flipped(best, step, to));
      }
    }
  }
  return [best, pack(best, THOROUGH)];
}

/** Tensors lie at multiples of their element, working memory at multiples of 4. */
function packed(network: Network, timeline: Timeline, limits: typeof QUICK): OverlapPacking {
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
  const problem = problemOf(timeline, { outside });
  const pairs = problem.pairs?.first.length ?? 0;
  const share = Math.min(1, USUAL_PAIRS / Math.max(1, pairs));
  const { answer, lowerBound } = solvePacking(
    { ...problem, alignments },
    { tries: Math.ceil(limits.tries * share), nodes: Math.ceil(limits.nodes * share) },
  );
  const { offsets, height } = answer!;
  return { timeline, offsets: Array.from(offsets), heightBytes: height, lowerBoundBytes: lowerBound, pairs };
}
