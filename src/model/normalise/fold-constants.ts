/** Operators whose inputs are all constant become constants, computed on first use. */
import { GraphEdit } from '../../graph/edit.ts';
import { ABSENT, type Graph } from '../../graph/graph.ts';

export function foldConstants(graph: Graph): Graph {
  const edit = new GraphEdit(graph);
  for (const op of edit.operators()) {
    if (!edit.alive(op) || op.inputs.length === 0) continue;
    if (op.outputs.some((t) => edit.isOutput(t))) continue;
    if (op.inputs.every((t) => t === ABSENT || edit.tensor(t).constant)) edit.fold(op);
  }
  return edit.finish();
}
