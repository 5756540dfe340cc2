/** Which input elements each output element of a reduction comes from. */
import { channelsOf } from '../graph/graph.ts';
import { elementStrides } from './move.ts';
import type { PixelRange } from './operator.ts';

/** The shape without the reduced axes, or with 1 in their place. */
export function reducedShape(shape: readonly number[], axes: readonly number[], keepDims: boolean): number[] {
  const kept = shape.map((d, k) => (axes.includes(k) ? 1 : d));
  return keepDims ? kept : kept.filter((_, k) => !axes.includes(k));
}

export interface Reduction {
  /** First input element of an output element. */
  starts(output: number): number;
  /** From there to each of its elements, ascending. */
  readonly offsets: readonly number[];
  /** The output element an input element goes to. */
  target(input: number): number;
}

export function reductionOf(shape: readonly number[], axes: readonly number[]): Reduction {
  const strides = elementStrides(shape);
  const kept = reducedShape(shape, axes, true);
  const outer = elementStrides(kept);
  let offsets = [0];
  for (let k = 0; k < shape.length; k++) {
    if (!axes.includes(k)) continue;
    offsets = offsets.flatMap((o) => Array.from({ length: shape[k] }, (_, i) => o + i * strides[k]));
  }
  return {
    offsets,
    starts(output) {
      let e = 0;
      for (let k = 0; k < kept.length; k++) e += (Math.floor(output / outer[k]) % kept[k]) * strides[k];
      return e;
    },
    target(input) {
      let e = 0;
      for (let k = 0; k < kept.length; k++) {
        if (kept[k] > 1) e += (Math.floor(input / strides[k]) % shape[k]) * outer[k];
      }
      return e;
    },
  };
}

/**
 * Input pixels of output pixels [lo, hi). First elements ascend with the output, and every output element spans
 * the same distance, so the hull runs from the first one's first element to the last one's last.
 */
export function reductionReads(
  shape: readonly number[],
  axes: readonly number[],
  output: readonly number[],
  lo: number,
  hi: number,
): PixelRange {
  if (hi <= lo || shape.includes(0)) return { lo: 0, hi: 0 };
  const strides = elementStrides(shape);
  const outer = elementStrides(reducedShape(shape, axes, true));
  const span = axes.reduce((sum, k) => sum + (shape[k] - 1) * strides[k], 0);
  const start = (e: number) => {
    let sum = 0;
    for (let k = 0; k < shape.length; k++) {
      if (!axes.includes(k)) sum += (Math.floor(e / outer[k]) % shape[k]) * strides[k];
    }
    return sum;
  };
  const from = channelsOf(shape);
  const to = channelsOf(output);
  return { lo: Math.floor(start(lo * to) / from), hi: Math.floor((start(hi * to - 1) + span) / from) + 1 };
}
