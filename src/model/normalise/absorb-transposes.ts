/**
 * Transposes at the rim of the graph move into the perm of its ports; Reshapes there vanish, because a port
 * without perm agrees with its tensor up to a reshape.
 */
import { GraphEdit } from '../../graph/edit.ts';
import type { Graph, Port } from '../../graph/graph.ts';
import { sameType } from '../../ops/stored.ts';
import { compose, isIdentity, type Perm, sameList, scatter } from './permutation.ts';

export function absorbTransposes(graph: Graph): Graph {
  const edit = new GraphEdit(graph);
  for (const port of graph.inputs) {
    const reader = edit.soleReader(port.tensor);
    const perm = portPerm(edit, port);
    const view = reader?.kind === 'Reshape' && !port.perm;
    if (!reader || reader.epilogue?.length || !(view || (reader.kind === 'Transpose' && perm))) continue;
    const y = edit.output(reader);
    // One tensor cannot be both a port in and a port out.
    if (edit.isOutput(y.id) || !sameType(edit.tensor(port.tensor), y)) continue;
    const input = edit.newTensor(port.name, y.shape, y);
    edit.redirect(y.id, input);
    if (view) edit.rebindPort(port, input, undefined);
    else rebind(edit, port, input, compose(perm!, reader.attrs.perm as Perm));
  }
  for (const port of graph.outputs) {
    const op = edit.producer(port.tensor);
    const perm = portPerm(edit, port);
    const view = op?.kind === 'Reshape' && !port.perm;
    if (!op || op.epilogue?.length || !(view || (op.kind === 'Transpose' && perm))) continue;
    const x = edit.input(op, 0)!;
    if (x.constant || edit.isOutput(x.id) || edit.inputPort(x.id) || !sameType(x, edit.output(op))) continue;
    if (edit.outputPorts(port.tensor).length > 1) continue;
    // Worth it when the operator goes: nobody else reads its output.
    if (edit.readers(port.tensor).length > 0) continue;
    if (view) edit.rebindPort(port, x.id, undefined);
    else rebind(edit, port, x.id, scatter(op.attrs.perm as Perm, perm!));
  }
  return edit.finish();
}

function rebind(edit: GraphEdit, port: Port, tensor: number, perm: Perm): void {
  const plain = isIdentity(perm) && sameList(port.shape, edit.tensor(tensor).shape);
  edit.rebindPort(port, tensor, plain ? undefined : perm);
}

/** A port's permutation; undefined where its shape and the tensor's agree only up to a reshape. */
function portPerm(edit: GraphEdit, port: Port): Perm | undefined {
  if (port.perm) return port.perm;
  const { shape } = edit.tensor(port.tensor);
  return sameList(shape, port.shape) ? shape.map((_, i) => i) : undefined;
}
