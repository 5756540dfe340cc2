/** A dense layer behind a flattening Reshape reads the picture itself, so that it can consume it row by row. */
import { GraphEdit } from '../../graph/edit.ts';
import { elementCount, type Graph } from '../../graph/graph.ts';
import { sameType } from '../../ops/stored.ts';

export function flattenDense(graph: Graph): Graph {
  const edit = new GraphEdit(graph);
  for (const op of edit.operators()) {
    if (!edit.alive(op) || op.kind !== 'FullyConnected' || edit.input(op, 1)?.constant === undefined)
      continue;
    const flat = edit.input(op, 0)!;
    const view = edit.producer(flat.id);
    if (view?.kind !== 'Reshape' || view.epilogue?.length) continue;
    const x = edit.input(view, 0)!;
    const y = edit.output(op);
    const k = edit.input(op, 1)!.shape[1];
    // Each batch must be one whole pixel block of the unshaped tensor, and the output [batch, N].
    const batch = elementCount(x.shape) / k;
    const fits =
      y.shape.length === 2 && y.shape[0] === batch && (op.attrs.flatten === true || flat.shape.length === 2);
    if (!fits || !sameType(x, flat) || (batch !== 1 && x.shape[0] !== batch)) continue;
    edit.replace(op, { inputs: [x.id, ...op.inputs.slice(1)], attrs: { ...op.attrs, flatten: true } });
  }
  return edit.finish();
}
