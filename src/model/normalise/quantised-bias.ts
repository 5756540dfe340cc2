/** The int32 bias of an integer convolution or dense layer, in units of input scale times weight scale. */
import type { GraphEdit } from '../../graph/edit.ts';
import { ABSENT, elementCount, type Operator, type Tensor, type TensorId } from '../../graph/graph.ts';
import { dequantiser, roundHalfEven } from '../../ops/stored.ts';

/**
 * The bias of `op` for stored input x and weights w; ABSENT where it has none, undefined where it cannot be
 * stored so. A bias stored with another scale, or in float32, moves by at most half a unit of the sum; where that is
 * more than half a step of the output `to`, it cannot. Nor can one whose sums may be beyond int32.
 */
export function quantisedBias(
  edit: GraphEdit,
  op: Operator,
  x: Tensor,
  w: Tensor,
  to: Tensor,
): TensorId | undefined {
  const bias = edit.input(op, 2);
  if (!bias) return ABSENT;
  const sx = Math.fround(x.quant!.scale[0]);
  const scale = w.quant!.scale.map((s) => sx * Math.fround(s));
  const stored = storedBias(edit, bias);
  const room = 2 ** 31 - (elementCount(w.shape) / Math.max(1, elementCount(bias.shape))) * 255 * 255;
  if (stored?.constant && stored.dtype === 'i32' && fits(stored, scale))
    return Array.from(stored.constant.load()).every((v) => leavesRoom(v, room)) ? stored.id : undefined;
  const real = bias.constant
    ? () => bias.constant!.load()
    : stored?.constant
      ? () => decoded(stored)
      : undefined;
  if (!real || (bias.constant && bias.dtype !== 'f32')) return undefined;
  if (scale.some((unit) => unit > to.quant!.scale[0])) return undefined;
  const values = Array.from(real(), (v, c) => roundHalfEven(v / scale[scale.length > 1 ? c : 0]));
  if (!values.every((v) => leavesRoom(v, room))) return undefined;
  const quant = { scale, zeroPoint: scale.map(() => 0), axis: 0 };
  return edit.constant(bias.name, bias.shape, { dtype: 'i32', quant }, () => Int32Array.from(values));
}

/** Whether int32 holds the sum: what products of 8-bit numbers leave of its range, or as much as half where they take more. */
function leavesRoom(bias: number, room: number): boolean {
  return Math.abs(bias) < Math.max(2 ** 30, room);
}

function storedBias(edit: GraphEdit, bias: Tensor): Tensor | undefined {
  const op = edit.producer(bias.id);
  return op?.kind === 'Dequantize' && !op.epilogue?.length ? edit.input(op, 0) : undefined;
}

/** Whether the file's scale is the product of the others, as exporters write it. */
function fits(bias: Tensor, scale: readonly number[]): boolean {
  const quant = bias.quant;
  if (!quant || quant.zeroPoint.some((z) => z !== 0)) return false;
  const longest = Math.max(quant.scale.length, scale.length);
  const at = (list: readonly number[], c: number) => list[list.length > 1 ? c : 0];
  for (let c = 0; c < longest; c++) {
    const want = at(scale, c);
    if (Math.abs(at(quant.scale, c) - want) > 1e-5 * want) return false;
  }
  return true;
}

function decoded(t: Tensor): Float32Array {
  const decode = dequantiser(t);
  return Float32Array.from(t.constant!.load(), (q, c) => decode(q, c));
}
