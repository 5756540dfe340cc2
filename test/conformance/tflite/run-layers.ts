/**
 * Runs a graph layer by layer, and shows every tensor to a visitor as it is made. Values of inputs and outputs are
 * in the file's order of axes. Tensors are let go after their last use.
 */
import { ABSENT, type Graph, type Tensor, type TensorId, type TypedArray } from '../../../src/graph/graph.ts';
import { evaluate } from '../../../src/ops/evaluate.ts';
import { contextOf } from '../../../src/ops/registry.ts';
import { fromGraphLayout, toGraphLayout } from '../../../src/run/reference.ts';

export function runLayers(
  graph: Graph,
  inputs: readonly TypedArray[],
  visit?: (tensor: Tensor, values: TypedArray) => void,
): TypedArray[] {
  const values = new Map<TensorId, TypedArray>();
  const last = new Map<TensorId, number>();
  for (const op of graph.operators) for (const t of op.inputs) last.set(t, op.id);
  for (const port of graph.outputs) last.set(port.tensor, Number.POSITIVE_INFINITY);
  for (const [i, port] of graph.inputs.entries()) values.set(port.tensor, toGraphLayout(port, inputs[i]));
  const valuesIn = (t: TensorId) => values.get(t) ?? graph.tensors[t].constant?.load();
  for (const op of graph.operators) {
    const made = evaluate(
      contextOf(graph, op),
      op.inputs.map((t) => (t === ABSENT ? undefined : valuesIn(t))),
    );
    for (const [i, t] of op.outputs.entries()) {
      values.set(t, made[i]);
      visit?.(graph.tensors[t], made[i]);
    }
    for (const t of op.inputs) if (last.get(t) === op.id) values.delete(t);
  }
  return graph.outputs.map((port) => fromGraphLayout(port, valuesIn(port.tensor)!));
}
