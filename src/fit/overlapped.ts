/** Method 1 as a plan: layer by layer, outputs over what is dead of their inputs, proven before it is handed out. */
import { TidemarkError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { Network } from '../passes/3-schedule/steps.ts';
import type { LayerFigures } from '../passes/4-allocate/overlap/layers.ts';
import {
  bareBytes,
  type OverlapLayout,
  type OverlapRequest,
  overlapLayout,
} from '../passes/4-allocate/overlap/overlap.ts';
import type { Directions } from '../passes/4-allocate/overlap/sampled.ts';
import { checkPlan } from '../plan/check.ts';
import type { Plan, Policy } from '../plan/plan.ts';
import { type Layout, writePlan } from './assemble.ts';
import type { Candidate } from './candidates.ts';

export interface Overlapped {
  readonly plan: Plan;
  /** In the order in which they run; inputs that arrive are among them. */
  readonly layers: readonly LayerFigures[];
  /** Which way each of them walks over its input; undefined where it runs whole. */
  readonly directions: Directions;
  /** The published figure: tensors and kernels' own working memory, without room for staged runs. */
  readonly overlapBytes: number;
  /** No addresses for this plan's firing sequence can take less. */
  readonly lowerBoundBytes: number;
  readonly optimal: boolean;
  /** In this order of work, no choice of directions can take less. */
  readonly floorBytes: number;
}

/** Throws only where the checker refuses the plan, which is a defect. */
export function overlapGraph(graph: Graph, request: Omit<OverlapRequest, 'belowBytes'>): Overlapped {
  const layout = overlapLayout(graph, request)!;
  const { network, layout: laidOut } = layoutOf(layout);
  const plan = writePlan(graph, network, laidOut);
  const { ok, problem } = checkPlan(graph, plan);
  if (!ok)
    throw new TidemarkError(
      'internal',
      `the overlapped plan is wrong (${problem}); please report this model`,
    );
  const { lowerBoundBytes } = layout.packing;
  return {
    plan,
    layers: layout.layers,
    directions: layout.directions,
    overlapBytes: bareBytes(layout),
    lowerBoundBytes,
    optimal: lowerBoundBytes >= plan.arenaBytes,
    floorBytes: layout.floorBytes,
  };
}

/** The best layout layer by layer with outputs over dead input, where it takes less than others do. */
export function overlappedCandidate(graph: Graph, policy: Policy, belowBytes: number): Candidate | undefined {
  const found = overlapLayout(graph, { policy, granularity: 'pixel', belowBytes });
  if (!found) return undefined;
  const { network: fired, layout } = layoutOf(found);
  const cost = layout.spans.reduce((n, s) => n + (s.mode === 'whole' ? 0 : s.firings), 0);
  return { variant: { graph, network: found.network }, fired, layout, extraMacs: 0, cost };
}

/** `network` is the one whose tables the layout's firings follow. */
function layoutOf({ sampled, layers, directions, packing }: OverlapLayout): {
  network: Network;
  layout: Layout;
} {
  const { timeline, offsets, heightBytes, lowerBoundBytes } = packing;
  const spans = sampled.spans(directions).map((span) => {
    const { memoryBytes, aliveBytes, workBytes } = layers[span.first];
    return { ...span, peakBytes: memoryBytes + aliveBytes + workBytes };
  });
  const layout: Layout = {
    arenaBytes: heightBytes,
    lowerBoundBytes,
    spans,
    timeline: { ...timeline, sequence: sampled.sequence(directions) },
    packing: { offsets, heightBytes, lowerBoundBytes },
  };
  return { network: sampled.sampled(directions), layout };
}
