/**
 * The search over the passes: the least memory there is, or the least cost within a budget. Variants of the
 * network (order of operators, concats written in place or copied) are cut into spans by dynamic programming,
 * packed, and the best plan that the checker proves is handed out. Never worse than layer by layer.
 */
import { TidemarkError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { CopyChoice } from '../graph/storage.ts';
import { type Mode, type Network, networkOf } from '../passes/3-schedule/steps.ts';
import { checkPlan } from '../plan/check.ts';
import type { Plan, Policy } from '../plan/plan.ts';
import { type Layout, layOut, writePlan } from './assemble.ts';
import { chooseSpans, firstSchedulable, type SpanChoice, type Work, wholeSpans } from './spans.ts';

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

interface Candidate {
  readonly variant: Variant;
  readonly layout: Layout;
  /** Firings of streamed spans: calls that layer by layer does not make. */
  readonly cost: number;
}

interface Variant {
  readonly graph: Graph;
  readonly network: Network;
}

/** Times a budget is tightened when addresses take more than live bytes do. */
const TIGHTENINGS = 4;

/** Plans a normalised graph. Throws only where no plan at all passes the checker, which is a defect. */
export function fitGraph(graph: Graph, request: FitRequest): FitResult {
  const variants = variantsOf(graph, request.policy);
  const layerwise = variants.map((v) => candidate(v, wholeSpans(v.network)));
  const budget = request.budgetBytes;
  const start = best(layerwise, budget);
  const enough = budget !== undefined && start.layout.arenaBytes <= budget;
  const found =
    request.method === 'layerwise' || enough
      ? layerwise
      : [...layerwise, ...streamed(variants, request, start.layout.arenaBytes)];
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

function candidate(variant: Variant, spans: readonly SpanChoice[]): Candidate {
  return { variant, layout: layOut(variant.network, spans), cost: costOf(spans) };
}

function costOf(spans: readonly SpanChoice[]): number {
  return spans.reduce((n, s) => n + (s.mode === 'whole' ? 0 : s.firings), 0);
}

/** Variants whose search by rows did best go on to the search by pixels. */
const FINALISTS = 2;

/** Effort that the searches may take together, in steps of the simulation: a few seconds each. */
const ROW_WORK = 12_000_000;
const PIXEL_WORK = 24_000_000;

/** Streamed plans: the cheapest within the budget where one is given and can be met, else the smallest. */
function streamed(variants: readonly Variant[], request: FitRequest, ceilingBytes: number): Candidate[] {
  const { budgetBytes: budget, onProgress } = request;
  const work: Work = { left: PIXEL_WORK };
  const open = variants.filter((v) => v.network.steps.length > firstSchedulable(v.network));
  if (budget !== undefined) {
    const budgetWork: Work = { left: ROW_WORK };
    for (const modes of [['rows'], ['rows', 'pixels']] satisfies Mode[][]) {
      const found = open.flatMap(
        (v) => withinBudget(v, modes, budget, budgetWork, (d) => onProgress?.(d / 4)) ?? [],
      );
      if (found.length > 0) return found;
    }
  }
  const rowWork: Work = { left: ROW_WORK };
  const byRows = open.flatMap((variant, i) => {
    const progress = (d: number) => onProgress?.(0.25 + (0.25 * (i + d)) / open.length);
    const spans = chooseSpans(variant.network, {
      modes: ['rows'],
      objective: 'memory',
      budgetBytes: ceilingBytes,
      work: shareOf(rowWork, open.length - i),
      onProgress: progress,
    });
    return spans ? [{ variant, spans, peak: peakOf(spans) }] : [];
  });
  byRows.sort((a, b) => a.peak - b.peak);
  const finalists = byRows.slice(0, FINALISTS);
  const byPixels = finalists.flatMap(({ variant, peak }, i) => {
    const progress = (d: number) => onProgress?.(0.5 + (0.4 * (i + d)) / finalists.length);
    // What rows reach bounds what pixels must beat.
    const least = Math.min(peak, finalists[0].peak);
    const spans = chooseSpans(variant.network, {
      modes: ['rows', 'pixels'],
      objective: 'memory',
      budgetBytes: least,
      work: shareOf(work, finalists.length - i + 0.5),
      onProgress: progress,
    });
    return spans ? [{ variant, spans, peak: peakOf(spans) }] : [];
  });
  byPixels.sort((a, b) => a.peak - b.peak);
  const found = [...byRows, ...byPixels].map(({ variant, spans }) => candidate(variant, spans));
  // Cheaper plans under nearly the same peak often pack better.
  for (const { variant, peak } of byPixels.slice(0, 1)) {
    for (const slack of [1, 1.02]) {
      const spans = chooseSpans(variant.network, {
        modes: ['rows', 'pixels'],
        objective: 'cost',
        budgetBytes: Math.floor(peak * slack),
        work,
      });
      if (spans) found.push(candidate(variant, spans));
    }
  }
  return found;
}

/** An equal part of an allowance for one of several searches, taken off it. */
function shareOf(work: Work, among: number): Work {
  const left = work.left / among;
  work.left -= left;
  return { left };
}

/** The cheapest plan of a variant that fits. The limit on live bytes is lowered while addresses exceed the budget. */
function withinBudget(
  variant: Variant,
  modes: readonly Mode[],
  budget: number,
  work: Work,
  onProgress: (done: number) => void,
): Candidate | undefined {
  let limit = budget;
  for (let k = 0; k < TIGHTENINGS; k++) {
    const spans = chooseSpans(variant.network, {
      modes,
      objective: 'cost',
      budgetBytes: limit,
      work,
      onProgress,
    });
    if (!spans) return undefined;
    const made = candidate(variant, spans);
    if (made.layout.arenaBytes <= budget) return made;
    limit -= Math.max(16, made.layout.arenaBytes - budget);
  }
  return undefined;
}

function peakOf(spans: readonly SpanChoice[]): number {
  return Math.max(...spans.map((s) => s.peakBytes));
}
