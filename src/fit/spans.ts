/**
 * Where to cut a network into spans, and how to run each: dynamic programming over cut points. Between spans
 * tensors are whole; inside one, rows stream through rings.
 */

import type { Network } from '../passes/3-schedule/steps.ts';
import { type FiringOrder, type SpanSchedule, scheduleSpan } from '../passes/3-schedule/stream.ts';
import type { Mode } from '../passes/3-schedule/tables.ts';

export type SpanChoice = SpanSchedule;

export interface SpanSearch {
  /** Modes a span of several steps may use; a single step may always be whole. */
  readonly modes: readonly Mode[];
  /** What is sought: the least peak, or the least cost. */
  readonly objective: 'memory' | 'cost';
  /** Step to begin with; left out: the first that is not there from the start. */
  readonly first?: number;
  /** Step to end before; left out: the end. */
  readonly end?: number;
  /** No span's peak may exceed this. */
  readonly budgetBytes?: number;
  /** Effort that streamed spans may still take; what is left is written back. */
  readonly work?: Work;
  /** Cut points considered at most; those with the fewest live bytes are kept. */
  readonly maxCuts?: number;
  /** Called with the share of cut points settled; may throw to stop. */
  readonly onProgress?: (done: number) => void;
}

/** An allowance counted in steps of the simulation, so that a search is bounded and yet the same on every machine. */
export interface Work {
  left: number;
}

const DEFAULT_MAX_CUTS = 96;

/** First step that a span may begin with: inputs that are there from the start come before. */
export function firstSchedulable(network: Network): number {
  if (network.policy.input === 'streamed') return 0;
  return network.graph.inputs.length;
}

/** Layer by layer: every step before `end` a span of its own, whole. */
export function wholeSpans(network: Network, end = network.steps.length): SpanChoice[] {
  const spans: SpanChoice[] = [];
  for (let s = firstSchedulable(network); s < end; s++) {
    spans.push(scheduleSpan(network, { first: s, last: s, mode: 'whole' }, { record: true })!);
  }
  return spans;
}

/** Networks longer than this are searched stretch by stretch, so that time grows with their length only. */
const LONGEST_STRETCH = 640;

/** The best spans, in order; undefined when no choice meets the budget. */
export function chooseSpans(network: Network, search: SpanSearch): SpanChoice[] | undefined {
  const end = search.end ?? network.steps.length;
  const start = search.first ?? firstSchedulable(network);
  if (end - start <= LONGEST_STRETCH) return chooseWithin(network, { ...search, first: start, end });
  const ends = stretches(network, start, end);
  const spans: SpanChoice[] = [];
  for (const [i, to] of ends.entries()) {
    const share = search.work && { left: search.work.left / (ends.length - i) };
    const before = share?.left ?? 0;
    const found = chooseWithin(network, {
      ...search,
      first: i === 0 ? start : ends[i - 1],
      end: to,
      work: share,
      onProgress: (done) => search.onProgress?.((i + done) / ends.length),
    });
    if (search.work) search.work.left -= before - share!.left;
    if (!found) return undefined;
    spans.push(...found);
  }
  return spans;
}

/** Ends of stretches of half that length, each where the fewest bytes are live near by. */
function stretches({ crossing }: Network, start: number, end: number): number[] {
  const ends: number[] = [];
  for (let from = start; end - from > LONGEST_STRETCH; from = ends[ends.length - 1]) {
    let best = from + LONGEST_STRETCH / 4;
    for (let s = best; s <= from + LONGEST_STRETCH / 2; s++) if (crossing[s] < crossing[best]) best = s;
    ends.push(best);
  }
  return [...ends, end];
}

function chooseWithin(
  network: Network,
  search: SpanSearch & { first: number; end: number },
): SpanChoice[] | undefined {
  const { first: start, end } = search;
  const { crossing } = network;
  const cuts = cutPoints(network, crossing, start, search);
  const budget = search.budgetBytes ?? Number.POSITIVE_INFINITY;
  const least = search.objective === 'memory';
  const best: { value: number; cost: number; from: number; span?: SpanChoice }[] = cuts.map(() => ({
    value: Number.POSITIVE_INFINITY,
    cost: Number.POSITIVE_INFINITY,
    from: -1,
  }));
  best[0] = { value: 0, cost: 0, from: -1 };
  const allowance = search.work?.left ?? 0;
  for (let j = 1; j < cuts.length; j++) {
    search.onProgress?.(j / cuts.length);
    // Half of the allowance is kept for the cut points to come, in equal parts: the first must not take it all.
    const kept = ((allowance / 2) * (cuts.length - 1 - j)) / cuts.length;
    const work = search.work && { left: search.work.left - kept };
    const to = best[j];
    // A longer span has the rings of every span inside it, so what bounds those bounds it.
    const atLeast = search.modes.map(() => 0);
    for (let i = j - 1; i >= 0; i--) {
      const from = best[i];
      if (from.from < 0 && i > 0) continue;
      const first = cuts[i];
      const last = cuts[j] - 1;
      const limit = () => Math.min(budget, least ? to.value : Number.POSITIVE_INFINITY);
      if (Math.max(from.value, crossing[first], crossing[cuts[j]]) > limit()) continue;
      if (!least && from.cost >= to.cost) continue;
      const offer = (mode: Mode) => {
        const { span } = knownSpan(network, first, last, mode, limit(), work);
        if (!span || span.peakBytes > limit()) return;
        const value = Math.max(from.value, span.peakBytes);
        const cost = from.cost + spanCost(span, first, last);
        const better = least ? value < to.value || (value === to.value && cost < to.cost) : cost < to.cost;
        if (value <= budget && better) Object.assign(to, { value, cost, from: i, span });
      };
      if (i === j - 1) offer('whole');
      const ends = Math.max(crossing[first], crossing[cuts[j]]);
      search.modes.forEach((mode, m) => {
        atLeast[m] = Math.max(atLeast[m], ringFloor(network, first, last, mode));
        if (atLeast[m] + ends <= limit()) offer(mode);
      });
      if (first !== last && atLeast.every((bytes) => bytes > limit())) break;
    }
    if (search.work) search.work.left = work!.left + kept;
  }
  if (best[cuts.length - 1].from < 0) return end === start ? [] : undefined;
  const spans: SpanChoice[] = [];
  for (let j = cuts.length - 1; j > 0; j = best[j].from) spans.push(best[j].span!);
  return spans.reverse();
}

/** Rings cannot be smaller than the largest window read from each tensor that stays inside the span. */
function ringFloor(network: Network, first: number, last: number, mode: Mode): number {
  if (mode === 'singles') return windowFloor(network, first, last);
  let bytes = 0;
  for (let s = first; s <= last; s++) {
    const { reads, workspaceBytes } = network.table(s, mode);
    bytes += workspaceBytes;
    for (const { root, window } of reads) {
      const info = network.roots[root];
      const inside = !info.kept && info.writers[0] >= first && (info.readers.at(-1) ?? s) <= last;
      // Counted once, at its first reader: a bound either way.
      if (inside && info.readers[0] === s) bytes += Math.min(window, info.elements) * info.elementBytes;
    }
  }
  return bytes;
}

/** However rows are placed, what one firing reads is there at once. */
function windowFloor(network: Network, first: number, last: number): number {
  let most = 0;
  for (let s = first; s <= last; s++) {
    const { reads, workspaceBytes } = network.table(s, 'singles');
    let bytes = workspaceBytes;
    for (const { root, window } of reads)
      if (!network.roots[root].external) bytes += window * network.roots[root].elementBytes;
    most = Math.max(most, bytes);
  }
  return most;
}

/** Running whole costs nothing extra; a streamed span costs its calls. */
function spanCost(span: SpanChoice, first: number, last: number): number {
  return span.mode === 'whole' ? 0 : span.firings + (last - first);
}

/** What is known of a span: its schedule, or that it needs more than a limit. */
interface Known {
  span?: SpanChoice;
  exceeds: number;
}

const known = new WeakMap<Network, Map<number, Known>>();

const MODE_NUMBER: Readonly<Record<Mode, number>> = {
  whole: 0,
  rows: 1,
  pixels: 2,
  singles: 3,
};

/** A span's schedule within the limit, remembered: searches with other budgets ask for the same spans again. */
function knownSpan(
  network: Network,
  first: number,
  last: number,
  mode: Mode,
  limitBytes: number,
  work?: Work,
): Known {
  let map = known.get(network);
  if (!map) known.set(network, (map = new Map()));
  const key = (first * network.steps.length + last) * 4 + MODE_NUMBER[mode];
  const before = map.get(key);
  if (before && (before.span || limitBytes <= before.exceeds)) return before;
  if (mode !== 'whole' && work && work.left <= 0) return { exceeds: 0 };
  const found = scheduleBetter(network, first, last, mode, limitBytes, work);
  map.set(key, found);
  return found;
}

/** The best of the firing orders. */
function scheduleBetter(
  network: Network,
  first: number,
  last: number,
  mode: Mode,
  limitBytes: number,
  work?: Work,
): Known {
  const onEffort = (looks: number) => {
    if (work) work.left -= looks;
  };
  const branches = mode !== 'whole' && last - first > 1 && hasBranch(network, first, last);
  const orders: readonly FiringOrder[] = branches ? ['demand', 'eager', 'deepest'] : ['demand'];
  let span: SpanChoice | undefined;
  for (const firing of orders) {
    const bound = span ? span.peakBytes - 1 : limitBytes;
    const found = scheduleSpan(network, { first, last, mode }, { limitBytes: bound, firing, onEffort });
    if (found) span = found;
  }
  return { span, exceeds: span ? 0 : limitBytes };
}

/** In a chain all orders are the same. */
function hasBranch({ touched, roots }: Network, first: number, last: number): boolean {
  for (let step = first; step <= last; step++) {
    for (const root of touched[step]) {
      let inside = 0;
      for (const s of roots[root].readers) if (s >= first && s <= last && ++inside > 1) return true;
      let written = 0;
      for (const s of roots[root].writers) if (s >= first && s <= last && ++written > 1) return true;
    }
  }
  return false;
}

/** Cuts worth considering: both ends, and the places where the fewest bytes are live. */
function cutPoints(network: Network, crossing: Float64Array, start: number, search: SpanSearch): number[] {
  const n = search.end ?? network.steps.length;
  const inner: number[] = [];
  for (let s = start + 1; s < n; s++) inner.push(s);
  const most = search.maxCuts ?? DEFAULT_MAX_CUTS;
  const kept =
    inner.length <= most ? inner : inner.sort((a, b) => crossing[a] - crossing[b] || a - b).slice(0, most);
  return [...new Set([start, ...kept, n])].sort((a, b) => a - b);
}
