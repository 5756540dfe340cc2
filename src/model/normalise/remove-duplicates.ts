/** Operators that compute the same from the same are computed once. */
import { GraphEdit } from '../../graph/edit.ts';
import type { Graph, Operator } from '../../graph/graph.ts';

export function removeDuplicates(graph: Graph): Graph {
  const edit = new GraphEdit(graph);
  let again = true;
  while (again) {
    again = false;
    const seen = new Map<string, Operator>();
    for (const op of edit.operators()) {
      if (!edit.alive(op)) continue;
      const key = keyOf(edit, op);
      const first = seen.get(key);
      if (!first) {
        seen.set(key, op);
        continue;
      }
      // Two graph outputs keep a tensor each.
      if (op.outputs.some((t, i) => edit.isOutput(t) && edit.isOutput(first.outputs[i]))) continue;
      for (const [i, t] of op.outputs.entries()) edit.redirect(t, first.outputs[i]);
      again = true;
    }
  }
  return edit.finish();
}

function keyOf(edit: GraphEdit, op: Operator): string {
  const types = op.outputs.map((t) => {
    const { dtype, quant, shape } = edit.tensor(t);
    return { dtype, quant, shape };
  });
  return JSON.stringify([op.kind, op.inputs, entries(op.attrs), op.epilogue, types]);
}

/** JSON has no infinities, and the order of keys must not matter. */
function entries(attrs: Operator['attrs']): unknown {
  const plain = (v: unknown): unknown =>
    typeof v === 'number' && !Number.isFinite(v) ? String(v) : Array.isArray(v) ? v.map(plain) : v;
  return Object.keys(attrs)
    .sort()
    .map((k) => [k, plain(attrs[k])]);
}
