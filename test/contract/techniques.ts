/**
 * Every technique of the contract: what a user can reach from the command line, and parts of it that a search would seldom
 * take on a network this small. Those without a policy in their name take the eight in turn.
 */
import { csdfPlanOf, smallestCsdfPlan } from '../../src/fit/csdf.ts';
import { withBuffersApart } from '../../src/fit/csdf-plan.ts';
import { fitGraph } from '../../src/fit/fit.ts';
import { overlapGraph } from '../../src/fit/overlapped.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { checkPlan } from '../../src/plan/check.ts';
import type { Policy } from '../../src/plan/plan.ts';
import { orders } from './orders.ts';
import { recomputing } from './recomputing.ts';
import { spread } from './spread.ts';
import { POLICIES, policyInTurn, single, slowOn, type Technique, type Way, WHOLE } from './way.ts';

/** They are planned in 8 bits, by the same search. */
const slowInFloats = slowOn('densenet121', 'inceptionv3', 'googlenet');

const layerwise = (graph: Graph, policy: Policy) => fitGraph(graph, { policy, method: 'layerwise' }).plan;

const overlapped = (granularity: 'row' | 'element'): Technique => ({
  name: `overlap by ${granularity}s`,
  skips: slowOn('densenet121'),
  way: (network) =>
    single(network.graph, overlapGraph(network.graph, { policy: policyInTurn(network), granularity }).plan),
});

/** Layer by layer, in the input's and output's own place. */
export const plainest: Technique = {
  name: 'layer by layer',
  way: ({ graph }) => single(graph, layerwise(graph, WHOLE)),
};

export const methods: readonly Technique[] = [
  {
    name: 'overlap',
    skips: slowOn('densenet121'),
    way: ({ graph }) => single(graph, overlapGraph(graph, { policy: WHOLE, granularity: 'pixel' }).plan),
  },
  { name: 'csdf', way: ({ graph }) => single(graph, csdfPlanOf(graph, WHOLE, 'apart').plan) },
  { name: 'csdf-reuse', way: ({ graph }) => single(graph, smallestCsdfPlan(graph, WHOLE).plan) },
  overlapped('row'),
  overlapped('element'),
  {
    name: 'csdf, addresses shared',
    way: (network) => single(network.graph, csdfPlanOf(network.graph, policyInTurn(network), 'shared').plan),
  },
  {
    name: 'layer by layer, buffers apart',
    way: (network) =>
      single(network.graph, withBuffersApart(layerwise(network.graph, policyInTurn(network)))),
  },
  ...spread,
  ...orders,
];

export { recomputing };

export const fits: readonly Technique[] = POLICIES.map((policy) => ({
  name: `fit, input ${policy.input}, output ${policy.output}`,
  skips: (network) => (network.dtype === 'f32' ? slowInFloats(network) : undefined),
  way: ({ graph }) => single(graph, fitGraph(graph, { policy }).plan),
}));

export const techniques: readonly Technique[] = [plainest, ...methods, ...recomputing, ...fits];

/** What the checker says against any of the plans. */
export function problemOf({ parts }: Way): string | undefined {
  return parts.map(({ graph, plan }) => checkPlan(graph, plan).problem).find((p) => p !== undefined);
}
