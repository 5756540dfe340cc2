/**
 * Recognises activations that files spell out with simpler operators: Silu, HardSwish, Gelu and Mish as
 * products, Clip as Max and Min, chains of Clips, and PRelu with a constant slope. Float32 products only; the
 * rest holds for every type.
 */
import { GraphEdit } from '../../graph/edit.ts';
import type { Graph, Operator, TensorId } from '../../graph/graph.ts';
import { sameType } from '../../ops/stored.ts';
import { channelValues, isPerChannel, near, scalarOf } from './constants.ts';

export function fuseActivations(graph: Graph): Graph {
  const edit = new GraphEdit(graph);
  for (const op of edit.operators()) {
    if (!edit.alive(op) || op.epilogue?.length) continue;
    if (op.kind === 'Mul' || op.kind === 'Div') fuseProduct(edit, op);
    else if (op.kind === 'Max' || op.kind === 'Min') fuseBound(edit, op);
    else if (op.kind === 'Clip') mergeClips(edit, op);
    else if (op.kind === 'PRelu') fusePRelu(edit, op);
  }
  return edit.finish();
}

/** A tree of multiplications: its factor times the product of its tensors. */
interface Product {
  factor: number;
  readonly tensors: TensorId[];
}

function fuseProduct(edit: GraphEdit, root: Operator): void {
  if (edit.output(root).dtype !== 'f32' || !isFactor(edit, root)) return;
  const product: Product = { factor: 1, tensors: [] };
  collect(edit, root, product);
  if (product.tensors.length !== 2) return;
  for (const [x, g] of [product.tensors, [...product.tensors].reverse()]) {
    const found = gated(edit, x, g, product.factor);
    if (found) {
      edit.replace(root, { kind: found.kind, inputs: [x], attrs: found.attrs });
      return;
    }
  }
}

/** A multiplication, or a division by a number. */
function isFactor(edit: GraphEdit, op: Operator): boolean {
  if (op.epilogue?.length) return false;
  return op.kind === 'Mul' || (op.kind === 'Div' && scalarOf(edit, op.inputs[1]) !== undefined);
}

function collect(edit: GraphEdit, op: Operator, into: Product): void {
  op.inputs.forEach((id, i) => {
    const scalar = scalarOf(edit, id);
    const inner = edit.producer(id);
    if (scalar !== undefined) into.factor *= op.kind === 'Div' && i === 1 ? 1 / scalar : scalar;
    else if (inner && isFactor(edit, inner) && edit.soleReader(id) === op) collect(edit, inner, into);
    else into.tensors.push(id);
  });
}

/** The activation factor * x * g, where g is a gate computed from x. */
function gated(
  edit: GraphEdit,
  x: TensorId,
  g: TensorId,
  factor: number,
): Pick<Operator, 'kind' | 'attrs'> | undefined {
  const gate = edit.producer(g);
  if (!gate || gate.epilogue?.length) return undefined;
  const from = gate.inputs[0];
  if (gate.kind === 'Sigmoid' && from === x && factor === 1) return { kind: 'Silu', attrs: {} };
  if (gate.kind === 'HardSigmoid' && from === x && factor === 1) {
    if (near(gate.attrs.alpha as number, 1 / 6) && near(gate.attrs.beta as number, 0.5))
      return { kind: 'HardSwish', attrs: {} };
  }
  if (gate.kind === 'Clip' && gate.attrs.min === 0 && gate.attrs.max === 6 && near(factor, 1 / 6)) {
    if (shifted(edit, from, x, 3)) return { kind: 'HardSwish', attrs: {} };
  }
  if (gate.kind === 'Tanh' && factor === 1) {
    const inner = edit.producer(from);
    if (inner?.kind === 'Softplus' && !inner.epilogue?.length && inner.inputs[0] === x)
      return { kind: 'Mish', attrs: {} };
  }
  if (near(factor, 0.5)) {
    const erf = unshifted(edit, g, 1);
    const inner = erf === undefined ? undefined : edit.producer(erf);
    if (
      inner?.kind === 'Erf' &&
      !inner.epilogue?.length &&
      scaledBy(edit, inner.inputs[0], x, Math.SQRT1_2)
    ) {
      return { kind: 'Gelu', attrs: { approximate: false } };
    }
  }
  return undefined;
}

/** Whether a tensor is x + amount. */
function shifted(edit: GraphEdit, id: TensorId, x: TensorId, amount: number): boolean {
  return unshifted(edit, id, amount) === x;
}

/** The tensor that, plus `amount`, is this one. */
function unshifted(edit: GraphEdit, id: TensorId, amount: number): TensorId | undefined {
  const op = edit.producer(id);
  if (op?.epilogue?.length) return undefined;
  if (op?.kind === 'Add') {
    if (near(scalarOf(edit, op.inputs[1]), amount)) return op.inputs[0];
    if (near(scalarOf(edit, op.inputs[0]), amount)) return op.inputs[1];
  }
  if (op?.kind === 'ChannelAffine' && isSingle(op, 1, amount)) return op.inputs[0];
  return undefined;
}

/** Whether a tensor is x * factor. */
function scaledBy(edit: GraphEdit, id: TensorId, x: TensorId, factor: number): boolean {
  const op = edit.producer(id);
  if (!op || op.epilogue?.length) return false;
  if (op.kind === 'Mul') {
    return op.inputs.some((t, i) => t === x && near(scalarOf(edit, op.inputs[1 - i]), factor));
  }
  if (op.kind === 'Div')
    return op.inputs[0] === x && near(1 / (scalarOf(edit, op.inputs[1]) ?? Number.NaN), factor);
  return op.kind === 'ChannelAffine' && op.inputs[0] === x && isSingle(op, factor, 0);
}

function isSingle(op: Operator, scale: number, shift: number): boolean {
  const a = op.attrs as { scale: readonly number[]; shift: readonly number[] };
  return a.scale.length === 1 && a.shift.length === 1 && near(a.scale[0], scale) && near(a.shift[0], shift);
}

/** Max or Min with one number is a Clip. */
function fuseBound(edit: GraphEdit, op: Operator): void {
  if (op.inputs.length !== 2) return;
  const y = edit.output(op);
  const at = [0, 1].find((i) => scalarOf(edit, op.inputs[1 - i]) !== undefined);
  if (at === undefined || y.dtype !== 'f32') return;
  const x = edit.tensor(op.inputs[at]);
  const bound = scalarOf(edit, op.inputs[1 - at])!;
  if (x.constant || x.shape.length !== y.shape.length || Number.isNaN(bound)) return;
  const attrs = op.kind === 'Max' ? { min: bound, max: null } : { min: null, max: bound };
  edit.replace(op, { kind: 'Clip', inputs: [x.id], attrs });
}

/** Clip of Clip: the second's bounds, drawn in by the first's. */
function mergeClips(edit: GraphEdit, op: Operator): void {
  const inner = edit.producer(op.inputs[0]);
  if (inner?.kind !== 'Clip' || inner.epilogue?.length) return;
  const [x, middle, y] = [edit.input(inner, 0)!, edit.output(inner), edit.output(op)];
  if (!sameType(x, middle) || !sameType(middle, y)) return;
  const [lo1, hi1] = boundsOf(inner);
  const [lo2, hi2] = boundsOf(op);
  const hold = (v: number) => Math.min(Math.max(v, lo2), hi2);
  const finite = (v: number) => (Number.isFinite(v) ? v : null);
  edit.replace(op, { inputs: [x.id], attrs: { min: finite(hold(lo1)), max: finite(hold(hi1)) } });
}

function boundsOf(op: Operator): [number, number] {
  return [(op.attrs.min as number | null) ?? -Infinity, (op.attrs.max as number | null) ?? Infinity];
}

function fusePRelu(edit: GraphEdit, op: Operator): void {
  const x = edit.input(op, 0)!;
  const slope = edit.input(op, 1)!;
  if (x.dtype !== 'f32' || x.constant || !isPerChannel(slope, x.shape)) return;
  edit.replace(op, {
    kind: 'ChannelPRelu',
    inputs: [x.id],
    attrs: { slope: Array.from(channelValues(slope)) },
  });
}
