/** One tiny graph under one policy: what fit needs, and the least by brute force. Used by the command and by the test with a floor. */
import { fitGraph } from '../../src/fit/fit.ts';
import { firstSchedulable } from '../../src/fit/spans.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { CopyChoice } from '../../src/graph/storage.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { exactOrder } from '../../src/passes/3-schedule/exact.ts';
import { networkOf } from '../../src/passes/3-schedule/steps.ts';
import type { Policy } from '../../src/plan/plan.ts';
import { randomGraph } from '../../test/random/random-graph.ts';
import { leastLive } from './least-live.ts';
import { fitsWithin, type Verdict } from './packed.ts';
import { type RowModel, rowModelOf } from './row-model.ts';

export const POLICIES = [
  { input: 'reuse', output: 'whole' },
  { input: 'streamed', output: 'streamed' },
] as const satisfies readonly Policy[];

export interface Comparison {
  readonly seed: number;
  readonly policy: Policy;
  readonly operators: string;
  /** Bytes of fit's arena. */
  readonly arenaBytes: number;
  /** Least peak of live rows; undefined where every order of rows needs more than fit does. */
  readonly leastBytes?: number;
  /** `unknown`: more states than allowed. */
  readonly outcome: 'below' | 'equal' | 'above' | 'unknown';
  /** Of a gap: what the planner's own search for orders says is the least, and whether any order and addresses do better than fit. */
  readonly ownLeastBytes?: number;
  readonly better?: Verdict;
}

/** Parts of concats of which every choice is tried. */
const MOST_PARTS = 4;

export function tinyGraph(seed: number, float: boolean): Graph {
  return normalise(randomGraph(seed, { least: 2, greatest: 5, float }));
}

export interface Effort {
  readonly liveStates: number;
  /** 0: addresses are not searched. */
  readonly packedStates: number;
}

/** `alignment`: rows that lie singly take multiples of this; 1 where all rows are such multiples anyway. */
export function compare(
  graph: Graph,
  seed: number,
  policy: Policy,
  effort: Effort,
  alignment = 1,
): Comparison {
  const { arenaBytes } = fitGraph(graph, { policy }).plan;
  const networks = copyChoices(graph).map((copies) => networkOf(graph, policy, copies));
  const models = networks.map((n) => rowModelOf(n, alignment));
  let leastBytes: number | undefined;
  let unknown = false;
  for (const model of models) {
    const limit = leastBytes === undefined ? arenaBytes : leastBytes - 1;
    const found = leastLive(model, limit, effort.liveStates);
    if (!found.complete) unknown = true;
    else leastBytes = found.bytes ?? leastBytes;
  }
  const operators = graph.operators.map((op) => op.kind).join(', ');
  const base = { seed, policy, operators, arenaBytes, leastBytes };
  // An order below fit's arena is one, whatever the other choices would have given.
  if (leastBytes !== undefined && leastBytes < arenaBytes) {
    const own = networks.map((n) => {
      const span = { first: firstSchedulable(n), last: n.steps.length - 1, mode: 'rows' } as const;
      return exactOrder(n, { ...span, maxStates: 20_000 })?.peakBytes ?? Number.POSITIVE_INFINITY;
    });
    const better = effort.packedStates > 0 ? verdictOf(models, arenaBytes, effort.packedStates) : undefined;
    return { ...base, outcome: 'above', ownLeastBytes: Math.min(...own), better };
  }
  if (unknown) return { ...base, outcome: 'unknown' };
  return { ...base, outcome: leastBytes === undefined ? 'below' : 'equal' };
}

/** Whether any choice of copies, order and addresses takes less than that. */
function verdictOf(models: readonly RowModel[], arenaBytes: number, maxStates: number): Verdict {
  let verdict: Verdict = 'impossible';
  for (const model of models) {
    const one = fitsWithin(model, arenaBytes - 1, maxStates);
    if (one === 'possible') return one;
    if (one === 'given up') verdict = one;
  }
  return verdict;
}

/** Every choice of concat parts that are copied; none and all where there are too many. */
function copyChoices(graph: Graph): CopyChoice[][] {
  const parts = graph.operators.flatMap((op) =>
    op.kind === 'Concat' ? op.inputs.map((_, input) => ({ operator: op.id, input })) : [],
  );
  if (parts.length === 0) return [[]];
  if (parts.length > MOST_PARTS) return [[], parts];
  return Array.from({ length: 1 << parts.length }, (_, mask) => parts.filter((_, i) => (mask >> i) & 1));
}
