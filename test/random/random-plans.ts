/** All the ways of planning one graph, with what must hold of each plan. Shared by the tests of random graphs. */
import { TidemarkError } from '../../src/errors.ts';
import { assemblePlan, layOut, writePlan } from '../../src/fit/assemble.ts';
import { fitGraph } from '../../src/fit/fit.ts';
import { chooseSpans, firstSchedulable, type SpanChoice } from '../../src/fit/spans.ts';
import type { Graph, TypedArray } from '../../src/graph/graph.ts';
import type { CopyChoice } from '../../src/graph/storage.ts';
import { pick, type Random, seeded } from '../../src/ops/testing/operator-case.ts';
import { applyTiles } from '../../src/passes/1-restructure/apply.ts';
import { evenCuts } from '../../src/passes/1-restructure/tiling.ts';
import { type Network, networkOf } from '../../src/passes/3-schedule/steps.ts';
import type { Mode } from '../../src/passes/3-schedule/tables.ts';
import { checkPlan } from '../../src/plan/check.ts';
import { type Plan, type Policy, planSchema } from '../../src/plan/plan.ts';
import { compressSchedule, expandSchedule } from '../../src/plan/schedule.ts';
import { executePlan, measureTouchedBytes } from '../../src/run/execute.ts';
import { runReference } from '../../src/run/reference.ts';
import { type RandomGraphOptions, randomGraph, randomInputs } from './random-graph.ts';

const ORDERS = ['demand', 'deepest', 'eager'] as const;
const INPUT_POLICIES = ['reuse', 'keep', 'external', 'streamed'] as const;
const OUTPUT_POLICIES = ['whole', 'streamed'] as const;

export interface NamedPlan {
  readonly name: string;
  readonly plan: Plan;
}

export interface Subject {
  readonly seed: number;
  readonly graph: Graph;
  readonly inputs: readonly TypedArray[];
  readonly expected: readonly TypedArray[];
  readonly policy: Policy;
}

/** The graph of a seed with its inputs, its layer-by-layer result, and the policy whose turn it is. */
export function subjectOf(seed: number, options?: RandomGraphOptions): Subject {
  const graph = randomGraph(seed, options);
  const inputs = randomInputs(graph, seed);
  const expected = runReference(graph, inputs).map((o) => o.values);
  const turn = Math.floor(seed / 5);
  const policy = { input: INPUT_POLICIES[turn % 4], output: OUTPUT_POLICIES[(turn >> 2) % 2] };
  return { seed, graph, inputs, expected, policy };
}

/** Fails with the seed in the message. Plain, so that thousands of graphs take no assertion library's time. */
function demand(holds: boolean, what: () => string): asserts holds {
  if (!holds) throw new Error(what());
}

/** First difference between two results, bit for bit (any NaN equals any other). */
export function difference(
  found: readonly TypedArray[],
  expected: readonly TypedArray[],
): string | undefined {
  if (found.length !== expected.length) return `${found.length} outputs instead of ${expected.length}`;
  for (let o = 0; o < found.length; o++) {
    if (found[o].length !== expected[o].length)
      return `output ${o} has ${found[o].length} elements, not ${expected[o].length}`;
    for (let e = 0; e < found[o].length; e++) {
      if (!Object.is(found[o][e], expected[o][e]))
        return `output ${o}, element ${e}: ${found[o][e]} instead of ${expected[o][e]}`;
    }
  }
  return undefined;
}

/** Plans by fit: layer by layer, the smallest, and one within a budget between the two. */
export function fitPlans({ seed, graph, policy }: Subject): NamedPlan[] {
  const layerwise = fitGraph(graph, { policy, method: 'layerwise' });
  const least = fitGraph(graph, { policy });
  const budgetBytes = Math.ceil((layerwise.plan.arenaBytes + least.plan.arenaBytes) / 2);
  const between = fitGraph(graph, { policy, budgetBytes });
  const where = `seed ${seed}, ${policy.input}/${policy.output}`;
  demand(
    least.plan.arenaBytes <= layerwise.plan.arenaBytes,
    () => `${where}: fit is larger than layer by layer`,
  );
  demand(
    between.fits && between.plan.arenaBytes <= budgetBytes,
    () => `${where}: a budget that can be met is not met`,
  );
  for (const r of [layerwise, least, between]) {
    demand(
      r.lowerBoundBytes <= r.plan.arenaBytes,
      () => `${where}: the lower bound ${r.lowerBoundBytes} is above the arena`,
    );
  }
  return [
    { name: 'layerwise', plan: layerwise.plan },
    { name: 'fit', plan: least.plan },
    { name: 'budget', plan: between.plan },
  ];
}

/** Plans straight from the passes, where nothing falls back to another plan: chosen cuts, and random ones. */
export function rawPlans({ seed, graph, policy }: Subject): NamedPlan[] {
  const random = seeded(seed ^ 0x3c6ef372);
  const allCopies = graph.operators.flatMap((op) =>
    op.kind === 'Concat' ? op.inputs.map((_, input) => ({ operator: op.id, input })) : [],
  );
  const someCopies = allCopies.filter(() => random() < 0.5);
  const plans: NamedPlan[] = [];
  const make = (name: string, network: Network, spans: readonly SpanChoice[] | undefined) => {
    if (spans) plans.push({ name, plan: assemblePlan(graph, network, spans, { packTries: 40 }).plan });
  };
  const network = (copies: CopyChoice[]) => {
    const best = random() < 0.3 ? networkOf(graph, policy, copies, 'best') : undefined;
    return best ?? networkOf(graph, policy, copies);
  };
  const views = network([]);
  const copied = network(random() < 0.5 ? allCopies : someCopies);
  make('rows', views, chooseSpans(views, { modes: ['rows'], objective: 'memory' }));
  make('singles', views, chooseSpans(views, { modes: ['singles'], objective: 'memory' }));
  make('pixels', copied, chooseSpans(copied, { modes: ['pixels'], objective: 'memory' }));
  for (const [name, net] of [
    ['random cuts', views],
    ['random cuts, copies', copied],
  ] as const) {
    for (const longest of [1000, pick(random, 2, 5)]) make(name, net, randomSpans(net, random, longest));
  }
  make('staged and reversed', views, overlappedSteps(views, random));
  const strips = stripPlan(graph, policy, random);
  if (strips) plans.push({ name: 'strips', plan: strips });
  return plans;
}

/** Every step by itself, in a random mode, direction and way of writing. */
function overlappedSteps(network: Network, random: Random): SpanChoice[] {
  const spans: SpanChoice[] = [];
  for (let s = firstSchedulable(network); s < network.steps.length; s++) {
    const mode = (['whole', 'rows', 'pixels'] as const)[pick(random, 0, 2)];
    const how = { mode, staged: random() < 0.5, reverse: random() < 0.5 };
    spans.push({ first: s, last: s, ...how, peakBytes: 0, firings: 0, rings: new Map() });
  }
  return spans;
}

/** A random region in strips of columns, streamed; undefined where the region drawn cannot be cut. */
function stripPlan(graph: Graph, policy: Policy, random: Random): Plan | undefined {
  if (graph.operators.length === 0) return undefined;
  const first = pick(random, 0, graph.operators.length - 1);
  const last = Math.min(graph.operators.length - 1, first + pick(random, 0, 6));
  const { shape } = graph.tensors[graph.operators[last].outputs[0]];
  if (shape.length !== 4 || shape[2] < 2) return undefined;
  const operators = graph.operators.slice(first, last + 1).map((op) => op.id);
  const columns = evenCuts(shape[2], pick(random, 2, Math.min(4, shape[2])));
  const tiles = { regions: [{ operators, rows: [0, shape[1]], columns }] };
  try {
    const network = networkOf(applyTiles(graph, tiles), policy);
    const modes: Mode[] = ['rows', 'pixels', 'singles'];
    const spans = chooseSpans(network, { modes, objective: 'memory' });
    return spans && writePlan(graph, network, layOut(network, spans, { packTries: 40 }), tiles);
  } catch (error) {
    if (error instanceof TidemarkError && error.code === 'plan-invalid') return undefined;
    throw error;
  }
}

/** Spans cut at random, each in a random mode and firing order; the whole network at once where `longest` allows. */
function randomSpans(network: Network, random: Random, longest: number): SpanChoice[] {
  const spans: SpanChoice[] = [];
  const steps = network.steps.length;
  for (let first = firstSchedulable(network); first < steps; ) {
    const last = longest >= steps ? steps - 1 : Math.min(steps - 1, first + pick(random, 0, longest - 1));
    const modes: Mode[] =
      first === last ? ['whole', 'rows', 'pixels', 'singles'] : ['rows', 'pixels', 'singles'];
    const mode = modes[pick(random, 0, modes.length - 1)];
    spans.push({
      first,
      last,
      mode,
      firing: ORDERS[Math.floor(random() * ORDERS.length)],
      peakBytes: 0,
      firings: 0,
      rings: new Map(),
    });
    first = last + 1;
  }
  return spans;
}

export interface Touched {
  /** Bytes of all arenas, and how many of them were written. */
  arenaBytes: number;
  touchedBytes: number;
  plans: number;
}

/** Everything that must hold of a plan: it is proven, it survives JSON, it runs, the result is right. */
export function verifyPlan(subject: Subject, { name, plan }: NamedPlan, totals: Touched): void {
  const { seed, graph, inputs, expected, policy } = subject;
  const where = () => `seed ${seed}, ${name}, ${policy.input}/${policy.output}`;
  const check = checkPlan(graph, plan);
  demand(check.ok, () => `${where()}: ${check.problem}`);
  const parsed = planSchema.parse(JSON.parse(JSON.stringify(plan)));
  demand(
    JSON.stringify(parsed) === JSON.stringify(plan),
    () => `${where()}: the plan is not the same after JSON`,
  );
  const sequence = expandSchedule(plan.schedule);
  const again = expandSchedule(compressSchedule(sequence));
  demand(
    String(sequence) === String(again),
    () => `${where()}: the schedule is not the same after compression`,
  );
  demand(
    sequence.length === check.firings,
    () => `${where()}: ${check.firings} of ${sequence.length} firings were checked`,
  );
  const first = executePlan(graph, parsed, inputs, { paint: 0x5a });
  const second = executePlan(graph, parsed, inputs, { paint: 0xa7 });
  for (const run of [first, second]) {
    const wrong = difference(run.outputs, expected);
    demand(wrong === undefined, () => `${where()}: ${wrong}`);
  }
  const touched = measureTouchedBytes(first, 0x5a, second, 0xa7);
  demand(touched > 0 || plan.arenaBytes === 0, () => `${where()}: no byte of the arena was touched`);
  totals.arenaBytes += plan.arenaBytes;
  totals.touchedBytes += touched;
  totals.plans++;
}
