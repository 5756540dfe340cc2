/**
 * A span of a partition as a network of its own: what crosses its edge comes in and goes out row by row, and inside
 * rows stream through rings. The plan is the one type every plan has, so that checker and executors take it.
 */
import { TidemarkError } from '../../errors.ts';
import { assemblePlan } from '../../fit/assemble.ts';
import { prune } from '../../graph/builder.ts';
import { ABSENT, type Graph, type Operator, type Port, producers } from '../../graph/graph.ts';
import { checkPlan } from '../../plan/check.ts';
import type { Plan } from '../../plan/plan.ts';
import { type Network, networkOf } from '../3-schedule/steps.ts';
import { scheduleSpan } from '../3-schedule/stream.ts';
import { type LayerNet, layersOfNetwork } from './layers.ts';
import { replayClosure } from './replay.ts';
import { rangeOf } from './traffic.ts';

export interface SpanGraph {
  readonly graph: Graph;
  /** Maps that come in, by input of the graph. */
  readonly inputs: readonly number[];
  /** Maps that go out, by output of the graph. */
  readonly outputs: readonly number[];
}

/** The layers of a set, with the views they read through, as a graph. */
export function spanGraph(net: LayerNet, set: readonly number[]): SpanGraph {
  const { graph, layers, maps } = net;
  const mapOf = new Map(maps.map((m) => [m.tensor, m.index]));
  const inside = new Set(set);
  const writer = producers(graph);
  const operators = new Set<Operator>();
  const inputs: number[] = [];
  const want = (tensor: number): void => {
    if (tensor === ABSENT || graph.tensors[tensor].constant) return;
    const map = mapOf.get(tensor);
    if (map !== undefined) {
      if (!inside.has(maps[map].writer) && !inputs.includes(map)) inputs.push(map);
      return;
    }
    // A view: an address inside what its own inputs are.
    const view = writer[tensor];
    if (!view || operators.has(view)) return;
    operators.add(view);
    for (const t of view.inputs) want(t);
  };
  for (const i of set) {
    const op = graph.operators[layers[i].operator];
    operators.add(op);
    for (const t of op.inputs) want(t);
  }
  const outputs = set.flatMap((i) =>
    layers[i].writes.filter((m) => maps[m].leaves || maps[m].readers.some((r) => !inside.has(r))),
  );
  const port = (m: number): Port => {
    const { name, shape, dtype } = graph.tensors[maps[m].tensor];
    return { tensor: maps[m].tensor, name, shape, dtype };
  };
  const sub = prune({
    name: `${graph.name}/${layers[set[0]].name}..${layers[set[set.length - 1]].name}`,
    dialect: graph.dialect,
    tensors: graph.tensors,
    operators: graph.operators.filter((op) => operators.has(op)),
    inputs: inputs.map(port),
    outputs: outputs.map(port),
  });
  return { graph: sub, inputs, outputs };
}

/** How the rows of a streamed plan follow one another. */
export type RowOrder = 'replay' | 'demand' | 'eager';

/**
 * A proven plan that streams a whole graph by rows: its arena is the closure and the rows on their way out. The
 * order is the one that the closure's replay takes, or one of the row schedule's two; left out, what takes least.
 */
export function streamPlan(graph: Graph, order?: RowOrder): Plan {
  const network = networkOf(graph, { input: 'streamed', output: 'streamed' });
  const all = { first: 0, last: network.steps.length - 1, mode: 'rows' } as const;
  const plans = (['replay', 'demand', 'eager'] as const).flatMap((which) => {
    if (order && which !== order) return [];
    const given = which === 'replay' ? { order: replayOrder(network) } : { firing: which };
    const span = scheduleSpan(network, all, { record: true, ...given });
    return span ? [assemblePlan(graph, network, [span]).plan] : [];
  });
  plans.sort((a, b) => a.arenaBytes - b.arenaBytes);
  const proven = plans.find((plan) => checkPlan(graph, plan).ok);
  if (!proven) throw new TidemarkError('internal', `${graph.name}: no plan of the span passed the checker`);
  return proven;
}

/** Steps in the order of the closure's replay; rows leave as soon as they are there. */
function replayOrder(network: Network): number[] {
  const { graph, steps } = network;
  const net = layersOfNetwork(network);
  const source = new Map<number, number>();
  steps.forEach(({ kind, index }, s) => {
    if (kind === 'source')
      source.set(
        net.maps.findIndex((m) => m.writer < 0 && m.tensor === graph.inputs[index].tensor),
        s,
      );
  });
  const sinks = steps.flatMap(({ kind }, s) => (kind === 'sink' ? [s] : []));
  const fired = steps.map(() => 0);
  const order: number[] = [];
  const pixels = (s: number) => (fired[s] > 0 ? network.table(s, 'rows').written[fired[s] - 1] : 0);
  const fire = (s: number) => {
    order.push(s);
    fired[s]++;
  };
  const leave = () => {
    for (const s of sinks) {
      const { reads, count } = network.table(s, 'rows');
      const there = () => reads[0].waits.every((w) => pixels(w.step) >= w.pixels[fired[s]]);
      while (fired[s] < count && there()) fire(s);
    }
  };
  for (const event of replayClosure(net, rangeOf(0, net.layers.length - 1)).sequence) {
    fire(event < 0 ? source.get(-1 - event)! : net.layers[event].step);
    leave();
  }
  // Inputs that leave as they are, and those that nobody reads.
  for (const [map, s] of source)
    while (net.maps[map].leaves && fired[s] < network.table(s, 'rows').count) {
      fire(s);
      leave();
    }
  return order;
}
