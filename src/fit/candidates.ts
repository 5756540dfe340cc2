/** The plans that a fit chooses from: layer by layer, and streamed ones found by several searches. */
import type { Graph } from '../graph/graph.ts';
import { type Part, toTheEnd } from '../part.ts';
import type { Tiling } from '../passes/1-restructure/tiling.ts';
import type { Network } from '../passes/3-schedule/steps.ts';
import type { Mode } from '../passes/3-schedule/tables.ts';
import { CLOSE, type Layout, layOut, refined, squeezed } from './assemble.ts';
import { turnRound } from './directions.ts';
import { exactWhole, withExactOrders } from './exact-spans.ts';
import {
  chooseSpans,
  firstSchedulable,
  type SpanChoice,
  type SpanSearch,
  type Work,
  wholeSpans,
} from './spans.ts';

/** What a search is asked for; see FitRequest. */
export interface SearchRequest {
  readonly budgetBytes?: number;
  /** Left out: nothing breaks off. */
  readonly part?: Part;
  readonly onProgress?: (done: number) => void;
}

export interface Candidate {
  readonly variant: Variant;
  readonly layout: Layout;
  /** Every row has an address of its own, found in a hurry: better ones are sought for the winner only. */
  readonly rough?: boolean;
  /** The network whose tables say what the layout's firings do; left out: the variant's. */
  readonly fired?: Network;
  /** Products computed twice. */
  readonly extraMacs: number;
  /** Firings of streamed spans: calls that layer by layer does not make. */
  readonly cost: number;
}

export interface Variant {
  readonly graph: Graph;
  readonly network: Network;
  /** Steps at the start that are run whole, whatever the rest does. */
  readonly gathered?: number;
  /** Regions cut into strips, and what that costs; `network` has them cut. */
  readonly tiles?: Tiling;
  readonly extraMacs?: number;
}

/** Limits on live bytes that are tried when addresses take more than a budget. */
const LIMITS_TRIED = 6;

/** Every operator whole, one after another. */
export function layerByLayer(variant: Variant): Candidate {
  return candidate(variant, wholeSpans(variant.network));
}

/** The plan of spans that were found elsewhere. */
export function plannedCandidate(variant: Variant, spans: readonly SpanChoice[]): Candidate {
  const together = turned(candidate(variant, spans, 'quick'), peakOf(spans));
  const apart = setApart(together);
  const found = [polished(together), ...(apart ? [apart.rough ? polished(apart) : apart] : [])];
  return found.reduce((a, b) => (b.layout.arenaBytes < a.layout.arenaBytes ? b : a));
}

function candidate(
  variant: Variant,
  spans: readonly SpanChoice[],
  effort: 'quick' | 'full' = 'full',
): Candidate {
  const layout = layOut(variant.network, spans, { effort });
  return { variant, layout, extraMacs: variant.extraMacs ?? 0, cost: costOf(spans) };
}

function costOf(spans: readonly SpanChoice[]): number {
  return spans.reduce((n, s) => n + (s.mode === 'whole' ? 0 : s.firings), 0);
}

/** Variants whose search by rows did best go on to the search by pixels. */
const FINALISTS = 2;

/** Effort that the searches may take together, in steps of the simulation: a few seconds each. */
const ROW_WORK = 12_000_000;
const PIXEL_WORK = 40_000_000;
const SINGLES_WORK = 10_000_000;

/**
 * Streamed plans: the cheapest within the budget where one is given and can be met, else the smallest. An input
 * that arrives run by run may as well be gathered first: both are searched.
 */
export function streamedCandidates(
  variants: readonly Variant[],
  request: SearchRequest,
  ceilingBytes: number,
): Candidate[] {
  const found = searchFrom(variants, request, ceilingBytes);
  const gathered = variants.map((v) => ({ ...v, gathered: leadingSources(v.network) }));
  if (gathered.every((v) => v.gathered === firstSchedulable(v.network))) return found;
  return [...found, ...searchFrom(gathered, request, ceilingBytes)];
}

/** Inputs that arrive before anything else happens. */
function leadingSources(network: Network): number {
  const first = network.steps.findIndex((s) => s.kind !== 'source');
  return first < 0 ? network.steps.length : first;
}

/** The best spans of a variant; inputs that are gathered stand before them. */
function spansOf(
  variant: Variant,
  search: SpanSearch,
  { part = toTheEnd }: SearchRequest,
): readonly SpanChoice[] | undefined {
  return part(() => searchSpans(variant, search));
}

function searchSpans(variant: Variant, search: SpanSearch): SpanChoice[] | undefined {
  const { network, gathered } = variant;
  if (gathered === undefined) return chooseSpans(network, search);
  const spans = chooseSpans(network, { ...search, first: gathered });
  return spans && [...wholeSpans(network, gathered), ...spans];
}

function searchFrom(variants: readonly Variant[], request: SearchRequest, ceilingBytes: number): Candidate[] {
  const { budgetBytes: budget, onProgress, part = toTheEnd } = request;
  const work: Work = { left: PIXEL_WORK };
  const open = variants.filter((v) => v.network.steps.length > firstSchedulable(v.network));
  if (budget !== undefined) {
    const budgetWork: Work = { left: ROW_WORK };
    const few = open.every((v) => rowsOf(v.network) <= MOST_SINGLE_ROWS);
    const tries: Mode[][] = few
      ? [['rows'], ['rows', 'singles'], ['rows', 'pixels', 'singles']]
      : [['rows'], ['rows', 'pixels']];
    for (const modes of tries) {
      const found = open.flatMap(
        (v) => withinBudget(v, modes, budget, budgetWork, request, (d) => onProgress?.(d / 4)) ?? [],
      );
      if (found.length > 0) return found;
    }
  }
  const search = (variant: Variant, how: SpanSearch): Choice[] => {
    const spans = spansOf(variant, how, request);
    return spans ? [{ variant, spans, peak: peakOf(spans) }] : [];
  };
  const objective = 'memory';
  const rowWork: Work = { left: ROW_WORK };
  const byRows = open.flatMap((variant, i) =>
    search(variant, {
      modes: ['rows'],
      objective,
      budgetBytes: ceilingBytes,
      work: shareOf(rowWork, open.length - i),
      onProgress: (d) => onProgress?.(0.25 + (0.25 * (i + d)) / open.length),
    }),
  );
  byRows.sort((a, b) => a.peak - b.peak);
  // Where rows alone stay above the ceiling, pixels or rows placed singly may not.
  const finalists =
    byRows.length > 0
      ? byRows.slice(0, FINALISTS)
      : open.slice(0, FINALISTS).map((variant) => ({ variant, peak: ceilingBytes }));
  const byPixels = finalists.flatMap(({ variant, peak }, i) =>
    search(variant, {
      modes: ['rows', 'pixels'],
      objective,
      // What rows reach bounds what pixels must beat.
      budgetBytes: Math.min(peak, finalists[0].peak),
      work: shareOf(work, finalists.length - i + 0.5),
      onProgress: (d) => onProgress?.(0.5 + (0.4 * (i + d)) / finalists.length),
    }),
  );
  byPixels.sort((a, b) => a.peak - b.peak);
  const singlesWork: Work = { left: SINGLES_WORK };
  const bySingles = finalists.flatMap(({ variant, peak }, i) => {
    if (rowsOf(variant.network) > MOST_SINGLE_ROWS) return [];
    return search(variant, {
      modes: ['rows', 'pixels', 'singles'],
      objective,
      budgetBytes: peak,
      work: shareOf(singlesWork, finalists.length - i),
    });
  });
  const choices = [...bySingles, ...byPixels, ...byRows];
  const reachedPeak = Math.min(...choices.map((c) => c.peak));
  for (const { variant } of finalists) {
    if (variant.gathered !== undefined) continue;
    const span = part(() => exactWhole(variant.network, reachedPeak));
    if (span) choices.push({ variant, spans: [span], peak: span.peakBytes });
  }
  for (const { variant, spans } of bySingles) {
    const exact = part(() => withExactOrders(variant.network, spans)) ?? spans;
    if (exact !== spans) choices.push({ variant, spans: exact, peak: peakOf(exact) });
  }
  // Cheaper plans under nearly the same peak often pack better.
  for (const { variant, peak } of byPixels.slice(0, 1)) {
    for (const slack of [1, 1.02]) {
      const budgetBytes = Math.floor(peak * slack);
      choices.push(...search(variant, { modes: ['rows', 'pixels'], objective: 'cost', budgetBytes, work }));
    }
  }
  return layOutPromising(choices, request);
}

interface Choice {
  readonly variant: Variant;
  readonly spans: readonly SpanChoice[];
  readonly peak: number;
}

/** Addresses may take less than a span's own count, where an output chases its input or lies on it. */
const WORTH_LAYING_OUT = 1.15;

/** Layouts from the lowest peak up, until the peak alone is above what is reached. */
function layOutPromising(choices: readonly Choice[], { part = toTheEnd }: SearchRequest): Candidate[] {
  const found: { made: Candidate; peak: number }[] = [];
  let reached = Number.POSITIVE_INFINITY;
  for (const { variant, spans, peak } of [...choices].sort((a, b) => a.peak - b.peak)) {
    if (peak > reached * WORTH_LAYING_OUT) break;
    // Broken off, the search still hands out the spans that promise most.
    const made =
      part(() => candidate(variant, spans, 'quick')) ??
      (found.length === 0 ? candidate(variant, spans, 'quick') : undefined);
    if (!made) break;
    reached = Math.min(reached, made.layout.arenaBytes);
    found.push({ made, peak });
  }
  found.sort((a, b) => a.made.layout.arenaBytes - b.made.layout.arenaBytes);
  const { arenaBytes } = found[0]?.made.layout ?? { arenaBytes: 0 };
  const best = found
    .slice(0, TURNED)
    .filter(({ made }) => made.layout.arenaBytes <= arenaBytes * WORTH_TURNING)
    // What is broken off stays as it was before.
    .flatMap(({ made, peak }) => part(() => turned(made, peak)) ?? []);
  best.sort((a, b) => a.layout.arenaBytes - b.layout.arenaBytes);
  const better = best
    .slice(0, REFINED)
    .filter(({ layout }) => layout.arenaBytes <= best[0].layout.arenaBytes * WORTH_REFINING)
    .map((made) => part(() => polished(made)) ?? made);
  reached = Math.min(reached, ...better.map((c) => c.layout.arenaBytes));
  const apart = best
    .filter(({ layout }) => layout.lowerBoundBytes * CLOSE < reached)
    .slice(0, SET_APART)
    .flatMap((made) => part(() => setApart(made)) ?? []);
  return [...better, ...apart, ...found.map(({ made }) => made)];
}

/** Layouts whose operators are turned round: those nearest to the best. */
const TURNED = 3;
const WORTH_TURNING = 1.06;
/** Of these, layouts that get better addresses. */
const REFINED = 3;
const WORTH_REFINING = 1.06;
/** Those whose rows are set apart. */
const SET_APART = 3;

/** Rows beyond which none is placed by itself: their addresses would take too long to find. */
const MOST_SINGLE_ROWS = 10_000;

function rowsOf(network: Network): number {
  return network.steps.reduce((rows, _, s) => rows + network.table(s, 'rows').count, 0);
}

function turned(found: Candidate, peak: number): Candidate {
  return { ...found, layout: turnRound(found.variant.network, found.layout, peak) };
}

/** The candidate with every row apart: tensors between spans may leave gaps that rows of theirs would not. */
function setApart(found: Candidate): Candidate | undefined {
  const { network } = found.variant;
  const { spans } = found.layout;
  const ringed = new Set(spans.flatMap((s) => [...s.rings.keys()]));
  const rows = network.roots.reduce((n, r, i) => (ringed.has(i) ? n : n + r.elements / r.rowElements), 0);
  if (rows > MOST_ROWS_APART) return undefined;
  const layout = layOut(network, spans, { effort: 'quick', everyRowApart: true });
  const rough = { ...found, layout, rough: true };
  return layout.timeline.lifetimes.length <= FEW_BUFFERS ? polished(rough) : rough;
}

/** Rows that are set apart at most: many that live side by side take seconds. */
const MOST_ROWS_APART = 5000;

/** Good addresses for so many buffers are found at once. */
const FEW_BUFFERS = 1000;

/** The candidate at better addresses. */
export function polished({ rough, ...found }: Candidate): Candidate {
  return { ...found, layout: refined(found.variant.network, found.layout) };
}

/** A candidate at better addresses, where sweeps over time find any. */
export function sweptCandidate({ rough, ...found }: Candidate): Candidate | undefined {
  const layout = squeezed(found.variant.network, found.layout);
  return layout && { ...found, layout };
}

/** An equal part of an allowance for one of several searches, taken off it. */
function shareOf(work: Work, among: number): Work {
  const left = work.left / among;
  work.left -= left;
  return { left };
}

/**
 * The cheapest plan of a variant that fits. Where its addresses exceed the budget the limit on live bytes is lowered by as much;
 * where nothing stays within that, it is raised again, half way to the lowest that was too high.
 */
function withinBudget(
  variant: Variant,
  modes: readonly Mode[],
  budget: number,
  work: Work,
  request: SearchRequest,
  onProgress: (done: number) => void,
): Candidate | undefined {
  const { part = toTheEnd } = request;
  let limit = budget;
  let [tooLow, tooHigh] = [0, budget + 1];
  for (let k = 0; k < LIMITS_TRIED && tooLow + 1 < tooHigh; k++) {
    const search: SpanSearch = { modes, objective: 'cost', budgetBytes: limit, work, onProgress };
    const spans = spansOf(variant, search, request);
    if (spans) {
      const made = part(() => candidate(variant, spans)) ?? candidate(variant, spans, 'quick');
      if (made.layout.arenaBytes <= budget) return made;
      // Down to its own live bytes the answer would be the same.
      tooHigh = peakOf(spans);
      limit = Math.min(tooHigh - 1, limit - Math.max(16, made.layout.arenaBytes - budget));
    } else if (k === 0) return undefined;
    else tooLow = limit;
    if (limit <= tooLow) limit = Math.floor((tooLow + tooHigh) / 2);
  }
  return undefined;
}

function peakOf(spans: readonly SpanChoice[]): number {
  return Math.max(...spans.map((s) => s.peakBytes));
}
