/** Every operator, by kind. Adding one is adding its file and its line here. */
import { TidemarkError } from '../errors.ts';
import type { Graph, Operator } from '../graph/graph.ts';
import { ABSENT } from '../graph/graph.ts';
import { definitions } from './definitions.ts';
import type { OpContext, OperatorDef } from './operator.ts';

const byKind = new Map<string, OperatorDef>(definitions.map((def) => [def.kind, def]));

/** The definition of an operator kind. Throws `operator-unsupported` for a kind that is not listed. */
export function definitionOf(kind: string): OperatorDef {
  const def = byKind.get(kind);
  if (!def) throw new TidemarkError('operator-unsupported', `no operator of kind ${kind}`);
  return def;
}

/** All kinds, sorted: what a message lists as supported. */
export function supportedKinds(): string[] {
  return [...byKind.keys()].sort();
}

/** An operator with its tensors. */
export function contextOf(graph: Graph, op: Operator): OpContext {
  return {
    op,
    inputs: op.inputs.map((id) => (id === ABSENT ? undefined : graph.tensors[id])),
    outputs: op.outputs.map((id) => graph.tensors[id]),
    dialect: graph.dialect,
  };
}
