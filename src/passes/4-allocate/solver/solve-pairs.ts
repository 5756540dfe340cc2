/**
 * One bank, pairs with distances. Each connected part is packed by itself: heuristics first, then rounds of local
 * search and exact search that start from each other's best, with ever larger shares of the allowance.
 */
import { Disjunctive } from './disjunctive.ts';
import { OrderSearch } from './order-search.ts';
import { componentsOf, type PairGraph, pairGraphOf } from './pair-graph.ts';
import type { PackingLimits, PackingProblem, PackingResult } from './problem.ts';

interface Part {
  readonly members: Int32Array;
  readonly graph: PairGraph;
  readonly search: OrderSearch;
  /** Made when it is first wanted. */
  exact?: Disjunctive;
  bound: number;
  rounds: number;
}

const DEFAULT_TRIES = 1000;

/** Shares of the allowance in the first round; each further one takes this much more. */
const FIRST_TRIES = 100;
const FIRST_NODES = 400;
const GROWTH = 1.5;

export function solvePairs(problem: PackingProblem, limits: PackingLimits): PackingResult {
  const parts: Part[] = componentsOf(problem).map((members) => {
    const graph = pairGraphOf(problem, members);
    return { members, graph, search: new OrderSearch(graph), bound: pairBound(graph), rounds: 0 };
  });
  const known = problem.lowerBound ?? 0;
  const boundNow = () => parts.reduce((b, p) => Math.max(b, p.bound), known);
  if (boundNow() === Number.POSITIVE_INFINITY) {
    return { lowerBound: known, optimal: false, infeasible: true, nodes: 0 };
  }
  const heightNow = () => parts.reduce((h, p) => Math.max(h, p.search.height), 0);
  const offsetsNow = () => {
    const offsets = new Float64Array(problem.sizes.length);
    for (const { members, graph, search } of parts) {
      for (let k = 0; k < members.length; k++) offsets[members[k]] = search.offsets[k] * graph.unit;
    }
    return offsets;
  };
  let reported = Number.POSITIVE_INFINITY;
  const report = () => {
    const height = heightNow();
    if (height >= reported) return;
    reported = height;
    limits.onBetter?.({ offsets: offsetsNow(), height });
  };
  for (const { search, members } of parts) search.start(limits.orders?.map((o) => restricted(o, members)));
  report();
  let nodes = limits.nodes ?? 0;
  let tries = limits.tries ?? DEFAULT_TRIES;
  while ((nodes > 0 || tries > 0) && !limits.shouldStop?.()) {
    // No other part matters while one stands above it.
    const part = parts.reduce((a, b) => (b.search.height > a.search.height ? b : a), parts[0]);
    const stopAt = Math.max(boundNow(), limits.target ?? 0);
    if (!part || part.search.height <= stopAt) break;
    const share = GROWTH ** part.rounds++;
    const some = Math.min(tries, Math.ceil(FIRST_TRIES * share));
    part.search.improve(some, stopAt);
    tries -= some;
    report();
    const before = boundNow();
    const cap = Math.min(nodes, Math.ceil(FIRST_NODES * share));
    nodes -= lower(part, stopAt, cap, limits, report);
    if (part.bound === Number.POSITIVE_INFINITY) break;
    if (boundNow() > before) limits.onBound?.(boundNow());
  }
  const height = heightNow();
  const used = (limits.nodes ?? 0) - nodes;
  const lowerBound = boundNow();
  if (height === Number.POSITIVE_INFINITY) {
    const infeasible = lowerBound === Number.POSITIVE_INFINITY;
    return { lowerBound: infeasible ? known : lowerBound, optimal: false, infeasible, nodes: used };
  }
  return {
    answer: { offsets: offsetsNow(), height },
    lowerBound: Math.min(lowerBound, height),
    optimal: lowerBound >= height,
    infeasible: false,
    nodes: used,
  };
}

/** An order of all buffers as one of some, by their place among `members`. */
function restricted(order: ArrayLike<number>, members: Int32Array): Int32Array {
  const place = new Map(Array.from(members, (i, k) => [i, k]));
  return Int32Array.from(Array.from(order).flatMap((i) => place.get(i) ?? []));
}

/** Exact search for lower answers of one part, aiming half way to the bound now and then. Returns the nodes taken. */
function lower(
  part: Part,
  stopAt: number,
  nodeLimit: number,
  limits: PackingLimits,
  report: () => void,
): number {
  const { graph, search } = part;
  if (nodeLimit <= 0) return 0;
  part.exact ??= new Disjunctive(graph);
  const exact = part.exact;
  const began = exact.nodes;
  const most = graph.sizes.reduce((sum, s) => sum + s, 0) + graph.unit * graph.count * 64;
  let far = part.rounds % 2 === 0;
  while (search.height > stopAt && exact.nodes - began < nodeLimit) {
    const finite = search.height < Number.POSITIVE_INFINITY;
    if (finite) exact.guide(search.offsets);
    const next = finite ? search.height - 1 : most;
    const aim = far && finite ? Math.floor((Math.max(part.bound, stopAt) + next) / 2) : next;
    const verdict = exact.fits(
      aim,
      Math.ceil((nodeLimit - (exact.nodes - began)) / (far ? 2 : 1)),
      limits.shouldStop,
    );
    if (verdict === 'found') {
      search.adopt(exact.offsets, heightOf(graph, exact.offsets));
      report();
    } else if (verdict === 'impossible') {
      part.bound = finite ? Math.max(part.bound, aim + 1) : Number.POSITIVE_INFINITY;
      if (aim === next) break;
    } else if (far) far = false;
    else break;
  }
  return Math.max(1, exact.nodes - began);
}

function heightOf({ sizes, unit }: PairGraph, offsets: Float64Array): number {
  return sizes.reduce((h, size, i) => Math.max(h, offsets[i] * unit + size), 0);
}

/** What a buffer alone, or a pair, needs; infinity where two fixed ones are too close. */
function pairBound({ sizes, unit, fixed, first, second, up, down }: PairGraph): number {
  let bound = sizes.reduce((b, size, i) => Math.max(b, size + Math.max(0, fixed[i]) * unit), 0);
  for (let p = 0; p < first.length; p++) {
    const a = first[p];
    const b = second[p];
    if (fixed[a] >= 0 && fixed[b] >= 0) {
      const apart = fixed[b] - fixed[a];
      if (apart < up[p] && -apart < down[p]) return Number.POSITIVE_INFINITY;
      continue;
    }
    const onTop = Math.max(sizes[a], up[p] * unit + sizes[b]);
    const beneath = Math.max(sizes[b], down[p] * unit + sizes[a]);
    bound = Math.max(bound, Math.min(onTop, beneath));
  }
  return bound;
}
