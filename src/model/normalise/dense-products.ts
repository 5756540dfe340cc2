/** A matrix product with constant weights (behind a Dequantize perhaps) is a dense layer. */
import { GraphEdit } from '../../graph/edit.ts';
import { ABSENT, type Graph, type Operator, type Tensor, type TensorId } from '../../graph/graph.ts';

export function denseProducts(graph: Graph): Graph {
  const edit = new GraphEdit(graph);
  for (const op of edit.operators()) {
    if (!edit.alive(op) || op.kind !== 'MatMul') continue;
    const a = edit.input(op, 0)!;
    const b = edit.input(op, 1)!;
    const rank = edit.output(op).shape.length;
    if (
      a.constant ||
      op.attrs.transposeA ||
      b.shape.length !== 2 ||
      a.shape.length < 2 ||
      a.shape.length !== rank
    )
      continue;
    const weights = rows(edit, op, b);
    if (weights === undefined) continue;
    const rest = op.inputs.slice(2);
    edit.replace(op, {
      kind: 'FullyConnected',
      inputs: [a.id, weights, ...rest.filter((t) => t !== ABSENT)],
      attrs: { flatten: false },
    });
  }
  return edit.finish();
}

/** The right factor as `[N, K]`. */
function rows(edit: GraphEdit, op: Operator, b: Tensor): TensorId | undefined {
  const turn = !op.attrs.transposeB;
  const above = edit.producer(b.id);
  const stored = above?.kind === 'Dequantize' ? edit.input(above, 0)! : undefined;
  const values = stored ?? b;
  if (!values.constant) return undefined;
  const quant = values.quant;
  if (!stored && (quant?.scale.length ?? 1) > 1 && quant!.axis !== (turn ? 1 : 0)) return undefined;
  if (!turn) return b.id;
  const turned = edit.add('Transpose', [values.id], { perm: [1, 0] });
  if (!stored) return turned;
  const id = edit.newTensor(b.name, [b.shape[1], b.shape[0]], { dtype: 'f32' });
  edit.insert({ ...above!, inputs: [turned], outputs: [id] });
  return id;
}
