/** A network spread: over chips, each with a plan of its own, or over memory banks. */
import { fitGraph } from '../../src/fit/fit.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { type LayerNet, layersOf } from '../../src/passes/2-partition/layers.ts';
import { Partitioner } from '../../src/passes/2-partition/partition.ts';
import type { Policy } from '../../src/plan/plan.ts';
import { enteringMaps, leavingOutputs, stagesOf } from '../../src/run/pipeline/stages.ts';
import { fromGraphLayout, toGraphLayout } from '../../src/run/reference.ts';
import { policyInTurn, single, slowOn, type Technique, type Way, WHOLE } from './way.ts';

const layerwiseBytes = (graph: Graph, policy: Policy) =>
  fitGraph(graph, { policy, method: 'layerwise' }).plan.arenaBytes;

/** Spans of a partition, one after another. */
function spans(graph: Graph, net: LayerNet, sets: readonly (readonly number[])[]): Way {
  const stages = stagesOf(net, sets);
  return {
    parts: stages,
    compute: (inputs, run) => {
      const entering = inputs.map((v, i) => toGraphLayout(graph.inputs[i], v));
      const values = enteringMaps(net, entering);
      for (const stage of stages) {
        const made = run(
          stage,
          stage.inputs.map((m) => values.get(m)!),
        );
        stage.outputs.forEach((m, i) => {
          values.set(m, made[i]);
        });
      }
      return leavingOutputs(net, values).map((v, i) => fromGraphLayout(graph.outputs[i], v));
    },
  };
}

/** Chips with half of what the network takes; layers in their own order, or in any. */
function partitioned(graph: Graph, order: 'file' | 'any'): Way {
  const net = layersOf(graph);
  const capacityBytes = Math.ceil(layerwiseBytes(graph, WHOLE) / 2);
  const chips = new Partitioner(net, { capacityBytes, weights: false, inPlace: order === 'any' });
  const found = order === 'file' ? chips.best() : (chips.bestInAnyOrder() ?? chips.bestInImprovedOrder());
  return spans(
    graph,
    net,
    found.spans.map((s) => s.layers),
  );
}

/** Banks that have these shares of what the network takes layer by layer, fastest first. */
function banks(graph: Graph, policy: Policy, shares: readonly number[]): Way {
  const whole = layerwiseBytes(graph, policy);
  const request = shares.map((share, i) => ({
    name: ['fast', 'middle', 'slow'][i],
    capacityBytes: Math.ceil(whole * share),
  }));
  return single(graph, fitGraph(graph, { policy, banks: request }).plan);
}

const slowBanks = slowOn('densenet121', 'inceptionv3');

export const spread: readonly Technique[] = [
  { name: 'partition', skips: slowOn('densenet121'), way: ({ graph }) => partitioned(graph, 'file') },
  {
    name: 'partition, layers in any order',
    skips: slowOn('densenet121', 'inceptionv3', 'googlenet', 'resnet152'),
    way: ({ graph }) => partitioned(graph, 'any'),
  },
  { name: 'fit, two banks', skips: slowBanks, way: ({ graph }) => banks(graph, WHOLE, [1 / 2, 1]) },
  {
    name: 'fit, three banks',
    skips: slowOn('densenet121', 'inceptionv3', 'resnet101', 'resnet152'),
    way: (network) => banks(network.graph, policyInTurn(network), [1 / 4, 1 / 3, 1]),
  },
];
