/**
 * Moves Dequantize down and Quantize up past operators that only move values or pick among them, so that tensors
 * stay 8-bit and pairs meet. A Quantize right behind a Dequantize vanishes, or becomes one Requantize.
 */
import { GraphEdit } from '../../graph/edit.ts';
import type { Graph, Operator, Tensor } from '../../graph/graph.ts';
import { dequantiser, quantiser, sameType } from '../../ops/stored.ts';
import { decodesFinite } from './real-limits.ts';

const MOVES = new Set([
  'Reshape',
  'Transpose',
  'Slice',
  'DepthToSpace',
  'SpaceToDepth',
  'ChannelShuffle',
  'Tile',
  'Expand',
  'Gather',
  'Copy',
  'MaxPool',
]);

export function moveQuantisation(graph: Graph): Graph {
  const edit = new GraphEdit(graph);
  let again = true;
  while (again) {
    again = false;
    for (const op of edit.operators()) {
      if (!edit.alive(op) || op.epilogue?.length) continue;
      const done =
        op.kind === 'Quantize'
          ? meet(edit, op) || rise(edit, op) || riseThroughConcat(edit, op)
          : sink(edit, op) || sinkThroughConcat(edit, op);
      again ||= done;
    }
  }
  return edit.finish();
}

/** Quantize(Dequantize(q)): q, or q under another quantisation. */
function meet(edit: GraphEdit, op: Operator): boolean {
  const above = dequantize(edit, edit.input(op, 0)!);
  if (!above) return false;
  const q = edit.input(above, 0)!;
  const y = edit.output(op);
  if (!isWhole(q) || !isWhole(y)) return false;
  if (
    sameType(q, y) &&
    !(edit.isOutput(y.id) && (edit.inputPort(q.id) || edit.isOutput(q.id) || q.constant))
  ) {
    edit.redirect(y.id, q.id);
  } else if (edit.dialect === 'onnx') {
    edit.replace(op, { kind: 'Requantize', inputs: [q.id], attrs: {} });
  } else {
    // TFLite's Requantize works in fixed point; this pair goes through real numbers.
    edit.replace(op, { kind: 'ChannelAffine', inputs: [q.id], attrs: { scale: [1], shift: [0] } });
  }
  return true;
}

/** move(Dequantize(q)) -> Dequantize(move(q)). */
function sink(edit: GraphEdit, op: Operator): boolean {
  const x = edit.input(op, 0);
  const above = x && dequantize(edit, x);
  if (!above) return false;
  const q = edit.input(above, 0)!;
  if (q.constant || !isWhole(q) || !moves(op, q)) return false;
  const y = edit.output(op);
  const type = { shape: y.shape, dtype: q.dtype, quant: q.quant };
  const moved = edit.add(op.kind, [q.id, ...op.inputs.slice(1)], op.attrs, { like: op, given: type });
  edit.replace(op, { kind: 'Dequantize', inputs: [moved], attrs: {} });
  return true;
}

/** Quantize(move(x)) -> move(Quantize(x)), where nobody else wants the float values. */
function rise(edit: GraphEdit, op: Operator): boolean {
  const y = edit.output(op);
  const move = edit.producer(op.inputs[0]);
  if (
    !move ||
    move.epilogue?.length ||
    !isWhole(y) ||
    edit.soleReader(op.inputs[0]) !== op ||
    !moves(move, y)
  )
    return false;
  const x = edit.input(move, 0)!;
  if (x.dtype !== 'f32' || x.constant || edit.soleReader(x.id) !== move) return false;
  const type = { dtype: y.dtype, quant: y.quant };
  const stored = edit.add('Quantize', [x.id], {}, { like: op, given: { ...type, shape: x.shape } });
  const moved = edit.add(move.kind, [stored, ...move.inputs.slice(1)], move.attrs, {
    like: move,
    given: { ...type, shape: y.shape },
  });
  edit.redirect(y.id, moved);
  return true;
}

/** Quantize(Concat(parts)) -> Concat(Quantize(part) for each). */
function riseThroughConcat(edit: GraphEdit, op: Operator): boolean {
  const y = edit.output(op);
  const concat = edit.producer(op.inputs[0]);
  if (
    concat?.kind !== 'Concat' ||
    concat.epilogue?.length ||
    !isWhole(y) ||
    edit.soleReader(op.inputs[0]) !== op
  )
    return false;
  const parts = concat.inputs.map((id) => edit.tensor(id));
  if (
    !parts.every(
      (t) => t.dtype === 'f32' && (dequantize(edit, t) || t.constant || edit.soleReader(t.id) === concat),
    )
  )
    return false;
  const type = { dtype: y.dtype, quant: y.quant };
  const stored = parts.map((t) =>
    edit.add('Quantize', [t.id], {}, { like: op, given: { ...type, shape: t.shape } }),
  );
  edit.redirect(
    y.id,
    edit.add('Concat', stored, concat.attrs, { like: concat, given: { ...type, shape: y.shape } }),
  );
  return true;
}

/** Concat(Dequantize(q) for each) -> Dequantize(Concat(q...)) where all mean the same by the same. */
function sinkThroughConcat(edit: GraphEdit, op: Operator): boolean {
  if (op.kind !== 'Concat') return false;
  const parts = op.inputs.map((id) => {
    const above = dequantize(edit, edit.tensor(id));
    return above && edit.input(above, 0)!;
  });
  const [first] = parts;
  if (!first || !isWhole(first) || !parts.every((q) => q && sameType(q, first))) return false;
  const given = { shape: edit.output(op).shape, dtype: first.dtype, quant: first.quant };
  const joined = edit.add(
    'Concat',
    parts.map((q) => q!.id),
    op.attrs,
    { like: op, given },
  );
  edit.replace(op, { kind: 'Dequantize', inputs: [joined], attrs: {} });
  return true;
}

function dequantize(edit: GraphEdit, t: Tensor): Operator | undefined {
  const op = edit.producer(t.id);
  return op?.kind === 'Dequantize' && !op.epilogue?.length ? op : undefined;
}

/** Quantised as a whole, so that quantising a decoded value gives it back. */
function isWhole(t: Tensor): boolean {
  return t.quant?.scale.length === 1 && decodesFinite(t);
}

/** Whether an operator gives on values of type `q` what it gives on the numbers that they stand for. */
function moves(op: Operator, q: Tensor): boolean {
  if (op.outputs.length !== 1) return false;
  if (MOVES.has(op.kind)) return true;
  if (op.kind === 'Resize') return op.attrs.mode === 'nearest';
  if (op.kind !== 'Pad') return false;
  const value = Math.fround(op.attrs.value as number);
  return op.attrs.mode !== 'constant' || dequantiser(q)(quantiser(q)(value, 0), 0) === value;
}
