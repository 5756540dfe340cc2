/** Orders of work: the whole network in one span, each row in its turn, and searches that end early or have enough. */
import { assemblePlan } from '../../src/fit/assemble.ts';
import { fitGraph } from '../../src/fit/fit.ts';
import { firstSchedulable } from '../../src/fit/spans.ts';
import type { Part } from '../../src/part.ts';
import { networkOf } from '../../src/passes/3-schedule/steps.ts';
import type { Mode } from '../../src/passes/3-schedule/tables.ts';
import type { Network } from './networks.ts';
import { policyInTurn, single, slowOn, type Technique } from './way.ts';

const FIRING = ['demand', 'deepest', 'eager'] as const;

/** The three firing orders take turns. */
const oneSpan = (mode: Mode) => (network: Network) => {
  const { graph, turn, dtype } = network;
  const steps = networkOf(graph, policyInTurn(network));
  const first = firstSchedulable(steps);
  const last = steps.steps.length - 1;
  const firing = FIRING[(turn + (dtype === 'int8' ? 1 : 0)) % FIRING.length];
  const span = { first, last, mode, firing, peakBytes: 0, firings: 0, rings: new Map() };
  return single(graph, assemblePlan(graph, steps, [span], { effort: 'quick' }).plan);
};

/** Parts of a search that are run before it is broken off: layer by layer, and a little more. */
const PARTS = 3;

function brokenOff(): Part {
  let left = PARTS;
  return (run) => (left-- > 0 ? run() : undefined);
}

const slow = slowOn('densenet121', 'inceptionv3', 'googlenet', 'resnet101', 'resnet152');

export const orders: readonly Technique[] = [
  { name: 'one span of rows', way: oneSpan('rows') },
  { name: 'one span of pixels', way: oneSpan('pixels') },
  { name: 'one span of rows placed singly', way: oneSpan('singles') },
  {
    name: 'fit, broken off',
    way: (network) =>
      single(
        network.graph,
        fitGraph(network.graph, { policy: policyInTurn(network), part: brokenOff() }).plan,
      ),
  },
  {
    name: 'fit within a budget',
    skips: slow,
    way: (network) => {
      const { graph } = network;
      const policy = policyInTurn(network);
      const { arenaBytes } = fitGraph(graph, { policy, method: 'layerwise' }).plan;
      const budgetBytes = Math.ceil(0.9 * arenaBytes);
      return single(graph, fitGraph(graph, { policy, budgetBytes }).plan);
    },
  },
];
