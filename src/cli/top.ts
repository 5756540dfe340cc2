/** The largest scores of a vector: what a classifier says. */
import type { Quantisation } from '../graph/graph.ts';
import type { FileArray } from '../run/input/file-array.ts';

export interface TopEntry {
  readonly index: number;
  /** The score as a real number: quantised ones are dequantised. */
  readonly value: number;
}

/** Up to five indices with the largest values, largest first; the lower index first where equal. */
export function topOf(array: FileArray, quant: Quantisation | undefined, count = 5): readonly TopEntry[] {
  const order = Array.from({ length: array.values.length }, (_, i) => i);
  order.sort((a, b) => array.values[b] - array.values[a] || a - b);
  const real = (v: number) => (quant ? (v - quant.zeroPoint[0]) * quant.scale[0] : v);
  return order.slice(0, count).map((index) => ({ index, value: real(array.values[index]) }));
}
