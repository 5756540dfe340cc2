/**
 * The search over the passes: the least memory there is, or the least cost within a budget. Variants of the
 * network (order of operators, concats written in place or copied) are cut into spans by dynamic programming,
 * packed, and the best plan that the checker proves is handed out. Never worse than layer by layer.
 */
import { TidemarkError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { withinLimit } from '../limits.ts';
import { type Part, toTheEnd } from '../part.ts';
import { applyTiles } from '../passes/1-restructure/apply.ts';
import { restructureGraph } from '../passes/1-restructure/restructure.ts';
import { networkOf } from '../passes/3-schedule/steps.ts';
import { networkVariants } from '../passes/3-schedule/variants.ts';
import { checkPlan } from '../plan/check.ts';
import { graphMacs } from '../plan/metrics.ts';
import type { Plan, Policy } from '../plan/plan.ts';
import { isOutside, writePlan } from './assemble.ts';
import { assignBanks, type BankAssignment, type BankRequest, type Shortfall } from './banks.ts';
import {
  type Candidate,
  layerByLayer,
  plannedCandidate,
  polished,
  streamedCandidates,
  sweptCandidate,
  type Variant,
} from './candidates.ts';
import { withoutIdleCopies } from './copies.ts';
import { csdfCandidate } from './csdf.ts';
import { explained } from './explain.ts';
import { overlappedCandidate } from './overlapped.ts';
import { smallestOf } from './small-networks.ts';
import { chooseStrips, type StripChoice } from './strips.ts';

export interface FitRequest {
  readonly policy: Policy;
  /** Bytes the arena may take; left out: the least there is. */
  readonly budgetBytes?: number;
  /** Memory banks, fastest first. Given, they are the budget. */
  readonly banks?: readonly BankRequest[];
  /** Products that may be computed again, as a share of the network's. Left out: none. */
  readonly maxOverhead?: number;
  /** `layerwise`: every operator whole, in the best order found, packed. Left out: everything is tried. */
  readonly method?: 'layerwise' | 'fit';
  /**
   * Runs a part of the search, and gives undefined where it was broken off; for every part after that too. What
   * earlier parts found is then what there is. Left out: nothing breaks off.
   */
  readonly part?: Part;
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
  /** Where the banks do not suffice: what the last of them lacks, at the least. */
  readonly shortfall?: Shortfall;
}

/** Plans a normalised graph. Throws only where no plan at all passes the checker, which is a defect. */
export function fitGraph(graph: Graph, request: FitRequest): FitResult {
  if (request.banks) return fitBanks(graph, request, request.banks);
  const budget = request.budgetBytes;
  const { found, enough } = basicCandidates(graph, request);
  if (enough) return proven(found, budget);
  for (const more of [apartCandidates, smallCandidates, methodCandidates, tiledCandidates]) {
    const reached = best(found, budget);
    if (budget !== undefined && reached.layout.arenaBytes <= budget) break;
    found.push(...more(graph, request, reached));
  }
  return proven(found, budget);
}

/** Layer by layer, and streamed plans where that is not enough. */
function basicCandidates(graph: Graph, request: FitRequest): { found: Candidate[]; enough: boolean } {
  const { budgetBytes: budget, method } = request;
  const { variants, layerwise } = firstPlans(graph, request);
  const { arenaBytes } = best(layerwise, budget).layout;
  if (method === 'layerwise' || (budget !== undefined && arenaBytes <= budget))
    return { found: layerwise, enough: true };
  return { found: [...layerwise, ...streamedCandidates(variants, request, arenaBytes)], enough: false };
}

/** Layer by layer, which everything else is measured by. Broken off here, there is nothing to hand out. */
function firstPlans(
  graph: Graph,
  { policy, part = toTheEnd }: FitRequest,
): { variants: Variant[]; layerwise: Candidate[] } {
  const first = part(() => {
    const variants = networkVariants(graph, policy).map((network) => ({ graph, network }));
    return { variants, layerwise: variants.map(layerByLayer) };
  });
  if (first) return first;
  const why =
    'planning was stopped before even the layer-by-layer plan was found: give it more time or memory';
  throw new TidemarkError('stopped', `${graph.name}: ${why}`);
}

/**
 * The best candidate's network with those concats written in place that it copies in vain; then the best plan of that
 * network, or of the candidate's own where there is none, at better addresses.
 */
function apartCandidates(graph: Graph, request: FitRequest, reached: Candidate): Candidate[] {
  const { layout, variant } = reached;
  const { policy, part = toTheEnd } = request;
  if (!layout.timeline.pieces?.size) return [];
  const network = part(() => {
    const copies = withoutIdleCopies(graph, variant.network, layout.spans);
    return copies && (networkOf(graph, policy, copies, 'best') ?? networkOf(graph, policy, copies));
  });
  const found = network ? streamedCandidates([{ graph, network }], request, layout.arenaBytes) : [];
  const start = found.length > 0 ? best(found, request.budgetBytes) : reached;
  const better = part(() => sweptCandidate(start) ?? (start.rough ? polished(start) : undefined));
  return better ? [...found, better] : found;
}

/** Small networks in the best order of rows that can be found. */
function smallCandidates(graph: Graph, request: FitRequest, reached: Candidate): Candidate[] {
  const { policy, part = toTheEnd } = request;
  const small = part(() => smallestOf(graph, policy, reached.layout.arenaBytes));
  if (!small) return [];
  const { network, layout } = small;
  return [{ variant: { graph, network }, layout, extraMacs: 0, cost: layout.timeline.sequence.length }];
}

/** Methods 1 and 4 by themselves. */
function methodCandidates(graph: Graph, request: FitRequest, { layout }: Candidate): Candidate[] {
  const { policy, part = toTheEnd } = request;
  const overlapped = part(() => overlappedCandidate(graph, policy, layout.arenaBytes));
  const csdf = part(() => csdfCandidate(graph, policy));
  return [overlapped ?? [], csdf ?? []].flat();
}

/** The plan with the least traffic to all banks but the first; of those with the same, the one that takes least of them. */
function fitBanks(graph: Graph, request: FitRequest, banks: readonly BankRequest[]): FitResult {
  const names = banks.map((b) => b.name);
  const budget = banks[0].capacityBytes;
  const { found } = basicCandidates(graph, { ...request, budgetBytes: budget });
  const spread = found.map((candidate) => {
    const { network } = candidate.variant;
    const { timeline } = candidate.layout;
    const assignment = assignBanks(network, timeline, banks, (i) => isOutside(network, timeline, i));
    return { candidate, assignment };
  });
  const fitting = spread.flatMap(({ candidate, assignment }) =>
    'slowBytes' in assignment ? [{ candidate, assignment }] : [],
  );
  const takenOfSlow = ({ bytes }: BankAssignment) => bytes.slice(1).reduce((n, b) => n + b, 0);
  fitting.sort(
    (a, b) =>
      a.assignment.slowBytes - b.assignment.slowBytes ||
      takenOfSlow(a.assignment) - takenOfSlow(b.assignment) ||
      a.candidate.cost - b.candidate.cost,
  );
  for (const { candidate, assignment } of fitting) {
    const { graph: own, network, tiles } = candidate.variant;
    const plan = writePlan(own, network, candidate.layout, tiles, { names, assignment });
    if (!checkPlan(own, plan).ok) continue;
    const { lowerBoundBytes, spans } = candidate.layout;
    const bound = Math.min(lowerBoundBytes, plan.arenaBytes);
    return {
      plan: explained(plan, network, spans),
      fits: true,
      lowerBoundBytes: bound,
      optimal: assignment.slowBytes === 0 && bound >= plan.arenaBytes,
    };
  }
  const shortfalls = spread.flatMap(({ assignment }) => ('slowBytes' in assignment ? [] : [assignment]));
  const shortfall = shortfalls.reduce((a, b) => (b.neededBytes < a.neededBytes ? b : a));
  return { ...proven(found, budget), fits: false, shortfall };
}

/** Effort that the choice of strips may take, in steps of the simulation. */
const STRIP_WORK = 40_000_000;

/** Only the last choices are wanted, so the way down is short. */
const STRIP_DESCENT = 0.16;

/** Choices of strips that are planned in full: those with the fewest live bytes. */
const STRIP_FINALISTS = 3;

/** Plans that compute some pixels twice. */
function tiledCandidates(graph: Graph, request: FitRequest, reached: Candidate): Candidate[] {
  if (!request.maxOverhead) return [];
  return [...stripCandidates(graph, request, reached), ...tileCandidates(graph, request)];
}

/** Plans that compute some columns twice, each a step below the one before. */
function stripCandidates(graph: Graph, request: FitRequest, reached: Candidate): Candidate[] {
  const { policy, budgetBytes, maxOverhead = 0, part = toTheEnd } = request;
  const search = {
    policy,
    budgetBytes,
    maxOverhead,
    peakBytes: reached.layout.arenaBytes,
    descent: STRIP_DESCENT,
    work: { left: STRIP_WORK },
  };
  const choices = part(() => chooseStrips(graph, search)) ?? [];
  return choices
    .slice(-STRIP_FINALISTS)
    .flatMap((choice) => stripPlans(graph, request, choice, reached.layout.arenaBytes));
}

/** The spans that a choice of strips comes with, and others that may be packed better. */
function stripPlans(
  graph: Graph,
  request: FitRequest,
  choice: StripChoice,
  ceilingBytes: number,
): Candidate[] {
  const { part = toTheEnd } = request;
  const variant = part(() => stripVariant(graph, request.policy, choice));
  if (!variant) return [];
  const last = choice.spans[choice.spans.length - 1]?.last;
  const own = part(() =>
    last === variant.network.steps.length - 1 ? plannedCandidate(variant, choice.spans) : undefined,
  );
  const found = [...(own ? [own] : []), ...streamedCandidates([variant], request, ceilingBytes)];
  const reached = found.length > 0 ? best(found, request.budgetBytes) : undefined;
  const better = reached?.rough ? part(() => polished(reached)) : undefined;
  return better ? [...found, better] : found;
}

/** The network with its peaks cut into tiles (method 3), layer by layer. */
function tileCandidates(graph: Graph, request: FitRequest): Candidate[] {
  const { policy, budgetBytes, maxOverhead = 0, part = toTheEnd } = request;
  const found = part(() => restructureGraph(graph, { maxOverhead, budgetBytes, policy }));
  if (!found || found.tiling.regions.length === 0) return [];
  const { tiling, macOverhead } = found;
  const extraMacs = Math.round(macOverhead * graphMacs(graph));
  const tiled = part(() =>
    layerByLayer({ graph, network: networkOf(found.graph, policy), tiles: tiling, extraMacs }),
  );
  return tiled ? [tiled] : [];
}

/** The best plan for a choice of strips; undefined where none is smaller than the ceiling. */
export function planVariant(
  graph: Graph,
  request: FitRequest,
  choice: StripChoice,
  ceilingBytes: number,
): FitResult | undefined {
  const found = stripPlans(graph, request, choice, ceilingBytes);
  return found.length > 0 ? proven(found, request.budgetBytes) : undefined;
}

/** A variant of the network with its strips cut. */
function stripVariant(graph: Graph, policy: Policy, { tiling, extraMacs }: StripChoice): Variant {
  return { graph, network: networkOf(applyTiles(graph, tiling), policy), tiles: tiling, extraMacs };
}

/** Candidates in order of merit until one passes the checker. */
function proven(found: readonly Candidate[], budget: number | undefined): FitResult {
  const least = Math.min(...found.map((c) => c.layout.arenaBytes));
  const what = `the smallest plan found takes ${least} bytes, which the checker must hold eight times over`;
  withinLimit('arenaBytes', least, 'shape-too-large', what);
  const rest = [...found];
  while (rest.length > 0) {
    const winner = best(rest, budget);
    const { graph, network } = winner.variant;
    const plan = writePlan(graph, winner.fired ?? network, winner.layout, winner.variant.tiles);
    if (checkPlan(graph, plan).ok) {
      const { lowerBoundBytes, spans } = winner.layout;
      return {
        plan: explained(plan, network, spans),
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
    if (fitsA && a.extraMacs !== b.extraMacs) return a.extraMacs < b.extraMacs;
    if (fitsA && a.cost !== b.cost) return a.cost < b.cost;
    if (a.layout.arenaBytes !== b.layout.arenaBytes) return a.layout.arenaBytes < b.layout.arenaBytes;
    if (a.extraMacs !== b.extraMacs) return a.extraMacs < b.extraMacs;
    return a.cost < b.cost;
  };
  return found.reduce((a, b) => (better(b, a) ? b : a));
}
