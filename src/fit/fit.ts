/**
 * The search over the passes: the least memory there is, or the least cost within a budget. Variants of the
 * network (order of operators, concats written in place or copied) are cut into spans by dynamic programming,
 * packed, and the best plan that the checker proves is handed out. Never worse than layer by layer.
 */
import { TidemarkError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { CopyChoice } from '../graph/storage.ts';
import { networkOf } from '../passes/3-schedule/steps.ts';
import { checkPlan } from '../plan/check.ts';
import type { Plan, Policy } from '../plan/plan.ts';
import { writePlan } from './assemble.ts';
import { type Candidate, layerByLayer, streamedCandidates, type Variant } from './candidates.ts';

export interface FitRequest {
  readonly policy: Policy;
  /** Bytes the arena may take; left out: the least there is. */
  readonly budgetBytes?: number;
  /** `layerwise`: every operator whole, in the best order found, packed. Left out: everything is tried. */
  readonly method?: 'layerwise' | 'fit';
  /** Called with the share of the work done, 0 to 1; may throw to stop. */
  readonly onProgress?: (done: number) => void;
}

export interface FitResult {
  /** The best plan found, proven; the smallest one where nothing fits. */
  readonly plan: Plan;
  readonly fits: boolean;
  /** No addresses for this plan's firing sequence can take less. */
  readonly lowerBoundBytes: number;
  readonly optimal: boolean;
}

/** Plans a normalised graph. Throws only where no plan at all passes the checker, which is a defect. */
export function fitGraph(graph: Graph, request: FitRequest): FitResult {
  const variants = variantsOf(graph, request.policy);
  const layerwise = variants.map(layerByLayer);
  const budget = request.budgetBytes;
  const start = best(layerwise, budget);
  const enough = budget !== undefined && start.layout.arenaBytes <= budget;
  const found =
    request.method === 'layerwise' || enough
      ? layerwise
      : [...layerwise, ...streamedCandidates(variants, request, start.layout.arenaBytes)];
  return proven(found, budget);
}

/** Candidates in order of merit until one passes the checker. */
function proven(found: readonly Candidate[], budget: number | undefined): FitResult {
  const rest = [...found];
  while (rest.length > 0) {
    const winner = best(rest, budget);
    const { graph, network } = winner.variant;
    const plan = writePlan(graph, network, winner.layout);
    if (checkPlan(graph, plan).ok) {
      const { lowerBoundBytes } = winner.layout;
      return {
        plan,
        fits: budget === undefined || plan.arenaBytes <= budget,
        lowerBoundBytes,
        optimal: lowerBoundBytes >= plan.arenaBytes,
      };
    }
    rest.splice(rest.indexOf(winner), 1);
  }
  throw new TidemarkError('internal', 'no plan passed the checker; please report this model');
}

/** Least cost among what fits; else least memory. */
function best(found: readonly Candidate[], budget: number | undefined): Candidate {
  const better = (a: Candidate, b: Candidate): boolean => {
    const fitsA = budget !== undefined && a.layout.arenaBytes <= budget;
    const fitsB = budget !== undefined && b.layout.arenaBytes <= budget;
    if (fitsA !== fitsB) return fitsA;
    if (fitsA && a.cost !== b.cost) return a.cost < b.cost;
    if (a.layout.arenaBytes !== b.layout.arenaBytes) return a.layout.arenaBytes < b.layout.arenaBytes;
    return a.cost < b.cost;
  };
  return found.reduce((a, b) => (better(b, a) ? b : a));
}

/** The network in the file's order and the best one, with concats written in place or copied. */
function variantsOf(graph: Graph, policy: Policy): Variant[] {
  const copies = copiedConcats(graph);
  const choices = copies.length > 0 ? [[], copies] : [[]];
  return choices.flatMap((c) => {
    const networks = [networkOf(graph, policy, c), networkOf(graph, policy, c, 'best')];
    return networks.flatMap((network) => (network ? [{ graph, network }] : []));
  });
}

/** Every part of every concat, so that a concat is live only from when it is made. */
function copiedConcats(graph: Graph): CopyChoice[] {
  return graph.operators.flatMap((op) =>
    op.kind === 'Concat' ? op.inputs.map((_, input) => ({ operator: op.id, input })) : [],
  );
}
