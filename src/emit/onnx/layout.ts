/**
 * Where dimensions lie in the file. Pictures, `[N, H, W, C]` in memory, are `[N, C, H, W]` there, since that is
 * what ONNX's windows want; all other tensors are as in memory. `last` is memory order, `first` is the file's.
 */

import { dtypeOf } from '../../graph/builder.ts';
import { allocate, type TypedArray } from '../../graph/graph.ts';

export type Layout = 'first' | 'last';

const TO_FIRST = [0, 3, 1, 2];
const TO_LAST = [0, 2, 3, 1];

/** The layout that a tensor of this rank really has. */
export function effective(rank: number, layout: Layout): Layout {
  return rank === 4 ? layout : 'last';
}

/** Memory axis by file axis. */
export function axesOf(rank: number, layout: Layout): readonly number[] {
  return rank === 4 && layout === 'first' ? TO_FIRST : Array.from({ length: rank }, (_, i) => i);
}

/** File axis of a memory axis. */
export function fileAxis(axis: number, rank: number, layout: Layout): number {
  return rank === 4 && layout === 'first' ? TO_LAST[axis] : axis;
}

/** A list with one entry a dimension, put in file order. */
export function inFileOrder<T>(list: readonly T[], layout: Layout): T[] {
  return axesOf(list.length, layout).map((axis) => list[axis]);
}

/** The perm of the Transpose node that leads from one layout to the other. */
export function permTo(layout: Layout): readonly number[] {
  return layout === 'first' ? TO_FIRST : TO_LAST;
}

/** True when values lie in the same order either way. */
export function sameOrder(shape: readonly number[]): boolean {
  return shape.length !== 4 || shape[3] === 1 || shape[1] * shape[2] === 1;
}

/** Values in memory order rearranged so that dimension p of the result is dimension perm[p] of the source. */
export function rearranged(
  values: TypedArray,
  shape: readonly number[],
  perm: readonly number[],
): TypedArray {
  if (perm.every((axis, p) => axis === p)) return values;
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const out = allocate(dtypeOf(values), values.length);
  const sizes = perm.map((axis) => shape[axis]);
  const steps = perm.map((axis) => strides[axis]);
  const last = perm.length - 1;
  const counter: number[] = perm.map(() => 0);
  let from = 0;
  for (let o = 0; o < values.length; ) {
    for (let i = 0; i < sizes[last]; i++) out[o++] = values[from + i * steps[last]];
    for (let p = last - 1; p >= 0; p--) {
      from += steps[p];
      if (++counter[p] < sizes[p]) break;
      from -= steps[p] * sizes[p];
      counter[p] = 0;
    }
  }
  return out;
}
