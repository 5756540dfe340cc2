/**
 * A Slice that takes back one part of a Concat is that part. A Slice behind Transpose and Reshape moves in front
 * of the Reshape, where it meets the Transpose and lets it go (channel shuffles written as Reshape, Transpose and
 * two picks).
 */
import { GraphEdit } from '../../graph/edit.ts';
import { elementCount, type Graph, type Operator, type Tensor } from '../../graph/graph.ts';
import { sameType } from '../../ops/stored.ts';

interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly size: number;
}

export function simplifySlices(graph: Graph): Graph {
  const edit = new GraphEdit(graph);
  for (const op of edit.operators()) {
    if (!edit.alive(op) || op.kind !== 'Slice' || op.epilogue?.length) continue;
    const x = edit.input(op, 0)!;
    const above = edit.producer(x.id);
    const cut = onlyCut(op, x);
    if (!above || above.epilogue?.length || !cut || !sameType(x, edit.output(op))) continue;
    if (above.kind === 'Concat') takePart(edit, op, above, cut);
    else if (above.kind === 'Reshape' && edit.producer(above.inputs[0])?.kind === 'Transpose')
      raise(edit, op, above, cut);
  }
  return edit.finish();
}

/** The one axis that a Slice shortens. */
function onlyCut(op: Operator, x: Tensor): Cut | undefined {
  const { starts, steps, sizes } = op.attrs as { [name: string]: readonly number[] };
  const axes = sizes.flatMap((n, i) => (n === x.shape[i] && steps[i] === 1 ? [] : [i]));
  if (axes.length !== 1) return undefined;
  const [axis] = axes;
  return { axis, start: starts[axis], step: steps[axis], size: sizes[axis] };
}

function takePart(edit: GraphEdit, op: Operator, concat: Operator, cut: Cut): void {
  if (concat.attrs.axis !== cut.axis || cut.step !== 1) return;
  const y = edit.output(op);
  let at = 0;
  for (const id of concat.inputs) {
    const part = edit.tensor(id);
    const length = part.shape[cut.axis];
    if (at === cut.start && length === cut.size && sameType(part, y)) {
      if (edit.isOutput(y.id) && (part.constant || edit.isOutput(id) || edit.inputPort(id))) return;
      edit.redirect(y.id, id);
      return;
    }
    at += length;
  }
}

function raise(edit: GraphEdit, op: Operator, view: Operator, cut: Cut): void {
  const from = edit.input(view, 0)!;
  const to = edit.output(view);
  const y = edit.output(op);
  if (!sameType(from, to)) return;
  const inner = elementCount(to.shape.slice(cut.axis + 1));
  const axis = from.shape.findIndex(
    (d, i) => d === to.shape[cut.axis] && elementCount(from.shape.slice(i + 1)) === inner,
  );
  if (axis < 0) return;
  const sizes = from.shape.map((d, i) => (i === axis ? cut.size : d));
  const starts = sizes.map((_, i) => (i === axis ? cut.start : 0));
  const steps = sizes.map((_, i) => (i === axis ? cut.step : 1));
  const sliced = edit.add('Slice', [from.id], { starts, steps, sizes }, { like: op });
  edit.redirect(y.id, edit.add('Reshape', [sliced], { shape: y.shape }, { like: view }));
}
