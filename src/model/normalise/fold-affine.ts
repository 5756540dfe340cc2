/**
 * Per-channel scales and shifts move into the weights and the bias of the convolution or dense layer beside
 * them. Where there is none they become ChannelAffine, which can be an epilogue.
 *
 * The folded constants are computed in double and rounded once, so results move by float32 rounding alone.
 */
import { GraphEdit } from '../../graph/edit.ts';
import { channelsOf, type Graph, type Operator, type Tensor } from '../../graph/graph.ts';
import { channelValues, isPerChannel } from './constants.ts';

/** y[c] = x[c] * scale[c] + shift[c]; one entry stands for all channels. */
interface Affine {
  readonly scale: readonly number[];
  readonly shift: readonly number[];
  /** Whether a ChannelAffine gives the very float32 values that the operator gives. */
  readonly exact: boolean;
  readonly x: Tensor;
}

const PRODUCTS = new Set(['Conv', 'ConvTranspose', 'FullyConnected']);

export function foldAffine(graph: Graph): Graph {
  const edit = new GraphEdit(graph);
  for (const op of edit.operators()) {
    if (!edit.alive(op) || op.epilogue?.length) continue;
    const affine = affineOf(edit, op);
    if (!affine || foldIntoProducer(edit, op, affine) || foldIntoReader(edit, op, affine)) continue;
    if (op.kind === 'ChannelAffine' || !affine.exact) continue;
    // x + 0 is an affine step too; a scale alone has shift 0, so the order (multiply, then add) holds.
    const { scale, shift } = affine;
    edit.replace(op, { kind: 'ChannelAffine', inputs: [affine.x.id], attrs: { scale, shift } });
  }
  return edit.finish();
}

function affineOf(edit: GraphEdit, op: Operator): Affine | undefined {
  const y = edit.output(op);
  if (y.dtype !== 'f32') return undefined;
  if (op.kind === 'ChannelAffine') {
    const { scale, shift } = op.attrs as { scale: readonly number[]; shift: readonly number[] };
    return { scale, shift, exact: true, x: edit.input(op, 0)! };
  }
  if (op.kind !== 'Add' && op.kind !== 'Sub' && op.kind !== 'Mul' && op.kind !== 'Div') return undefined;
  const a = edit.input(op, 0)!;
  const b = edit.input(op, 1)!;
  const [x, c] = a.constant ? [b, a] : [a, b];
  if (x.constant || x.dtype !== 'f32' || x.quant || !isPerChannel(c, y.shape) || !sameShape(x.shape, y.shape))
    return undefined;
  if (op.kind === 'Div' && c === a) return undefined;
  const values = Array.from(channelValues(c));
  if (!values.every(Number.isFinite)) return undefined;
  switch (op.kind) {
    case 'Add':
      return { scale: [1], shift: values, exact: true, x };
    case 'Sub':
      return c === a
        ? { scale: [-1], shift: values, exact: true, x }
        : { scale: [1], shift: values.map((v) => -v), exact: true, x };
    case 'Mul':
      return { scale: values, shift: [0], exact: true, x };
    default:
      if (values.some((v) => v === 0)) return undefined;
      return { scale: values.map((v) => 1 / v), shift: [0], exact: values.every(isPowerOfTwo), x };
  }
}

/** conv(x) * s + b: the weights of each output channel times s, the bias times s plus b. */
function foldIntoProducer(edit: GraphEdit, op: Operator, affine: Affine): boolean {
  const product = edit.producer(affine.x.id);
  if (!product || !foldable(edit, product, affine.scale) || edit.soleReader(affine.x.id) !== op) return false;
  const w = edit.input(product, 1)!;
  const b = edit.input(product, 2);
  const { scale, shift } = affine;
  const cout = w.shape[0];
  const at = (list: readonly number[], c: number) => list[list.length === 1 ? 0 : c];
  const inputs = [product.inputs[0], product.inputs[1]];
  if (scale.some((s) => s !== 1)) {
    inputs[1] = edit.constant(w.name, w.shape, w, () => {
      const from = w.constant!.load();
      const span = from.length / cout;
      return Float32Array.from(from, (v, i) => v * at(scale, Math.floor(i / span)));
    });
  }
  inputs[2] = edit.constant(b?.name ?? `${product.name}/bias`, [cout], { dtype: 'f32' }, () => {
    const from = b?.constant?.load();
    return Float32Array.from({ length: cout }, (_, c) => (from ? from[c] * at(scale, c) : 0) + at(shift, c));
  });
  edit.replace(product, { inputs, outputs: [op.outputs[0]] });
  edit.remove(op);
  return true;
}

/**
 * conv(x * s + b): the weights of each input channel times s, and their sum times b to the bias. A window in
 * the padding sees 0 and not b, so a shift asks for a convolution without padding.
 */
function foldIntoReader(edit: GraphEdit, op: Operator, affine: Affine): boolean {
  const y = edit.output(op);
  const product = edit.soleReader(y.id);
  if (
    !product ||
    product.kind === 'ConvTranspose' ||
    !PRODUCTS.has(product.kind) ||
    product.inputs[0] !== y.id
  )
    return false;
  const w = edit.input(product, 1)!;
  const b = edit.input(product, 2);
  if (!w.constant || w.dtype !== 'f32' || (b && !b.constant)) return false;
  const { scale, shift } = affine;
  const shifts = shift.some((v) => v !== 0);
  const pads = (product.attrs.pads ?? []) as readonly number[];
  if (shifts && pads.some((p) => p !== 0)) return false;
  const cin = channelsOf(y.shape);
  const cout = w.shape[0];
  const groups = (product.attrs.groups as number | undefined) ?? 1;
  const perGroup = cin / groups;
  /** Input channel that weight i of an output channel meets. */
  const channel = (co: number, i: number) => Math.floor((co * groups) / cout) * perGroup + (i % perGroup);
  const at = (list: readonly number[], c: number) => list[list.length === 1 ? 0 : c];
  const inputs = [affine.x.id, product.inputs[1], ...(b ? [product.inputs[2]] : [])];
  if (scale.some((s) => s !== 1)) {
    inputs[1] = edit.constant(w.name, w.shape, w, () => {
      const from = w.constant!.load();
      const span = from.length / cout;
      return Float32Array.from(from, (v, i) => v * at(scale, channel(Math.floor(i / span), i % span)));
    });
  }
  if (shifts) {
    inputs[2] = edit.constant(b?.name ?? `${product.name}/bias`, [cout], { dtype: 'f32' }, () => {
      const from = w.constant!.load();
      const span = from.length / cout;
      const bias = b?.constant?.load();
      return Float32Array.from({ length: cout }, (_, co) => {
        let sum = bias ? bias[co] : 0;
        for (let i = 0; i < span; i++) sum += from[co * span + i] * at(shift, channel(co, i));
        return sum;
      });
    });
  }
  edit.replace(product, { inputs });
  return true;
}

/** A shift alone leaves the weights as they are, so these may be anything. */
function foldable(edit: GraphEdit, op: Operator, scale: readonly number[]): boolean {
  if (!PRODUCTS.has(op.kind) || op.epilogue?.length) return false;
  const w = edit.input(op, 1)!;
  const b = edit.input(op, 2);
  const known = w.constant !== undefined || scale.every((s) => s === 1);
  return known && w.dtype === 'f32' && (!b || b.constant !== undefined);
}

function isPowerOfTwo(v: number): boolean {
  const e = Math.log2(Math.abs(v));
  return Number.isInteger(e) && Math.abs(e) < 100;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}
