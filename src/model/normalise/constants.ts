/** Reading constant operands: single numbers and one number a channel. */
import type { GraphEdit } from '../../graph/edit.ts';
import {
  ABSENT,
  channelsOf,
  elementCount,
  type Tensor,
  type TensorId,
  type TypedArray,
} from '../../graph/graph.ts';

/** The value of a float32 constant of one element; undefined for anything else. */
export function scalarOf(edit: GraphEdit, id: TensorId): number | undefined {
  if (id === ABSENT) return undefined;
  const t = edit.tensor(id);
  if (!t.constant || t.dtype !== 'f32' || elementCount(t.shape) !== 1) return undefined;
  return t.constant.load()[0];
}

/** Longer lists than this stay tensors: attributes are for the parameters of channels. */
const MOST_CHANNELS = 8192;

/** True when a constant operand gives each channel of `shape` one number, or all of them one. */
export function isPerChannel(t: Tensor, shape: readonly number[]): boolean {
  if (!t.constant || t.dtype !== 'f32' || t.quant || t.shape.length > shape.length) return false;
  const count = elementCount(t.shape);
  if (count > MOST_CHANNELS) return false;
  return count === 1 || (count === channelsOf(shape) && channelsOf(t.shape) === count);
}

/** The per-channel numbers of such a constant: one entry, or one a channel. */
export function channelValues(t: Tensor): TypedArray {
  return t.constant!.load();
}

/** True when two scalars agree to float32 accuracy as written in files. */
export function near(a: number | undefined, b: number): boolean {
  return a !== undefined && Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));
}
