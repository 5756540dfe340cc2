/** Ways to write a network down as steps that are worth planning each: its order, and what becomes of its concats. */
import type { Graph } from '../../graph/graph.ts';
import type { CopyChoice } from '../../graph/storage.ts';
import type { Policy } from '../../plan/plan.ts';
import { type Network, networkOf } from './steps.ts';

/** Every part of every concat, so that a concat is live only from when it is made. */
export function copiedConcats(graph: Graph): CopyChoice[] {
  return graph.operators.flatMap((op) =>
    op.kind === 'Concat' ? op.inputs.map((_, input) => ({ operator: op.id, input })) : [],
  );
}

/** The file's order and the best one where it differs, with concats written in place, then with all of them copied. */
export function networkVariants(graph: Graph, policy: Policy): Network[] {
  const copies = copiedConcats(graph);
  const choices = copies.length > 0 ? [[], copies] : [[]];
  return choices.flatMap((c) => {
    const best = networkOf(graph, policy, c, 'best');
    return best ? [networkOf(graph, policy, c), best] : [networkOf(graph, policy, c)];
  });
}
