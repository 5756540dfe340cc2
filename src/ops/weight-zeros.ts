/** Zero points of weights, one for each output channel. */
import type { Tensor } from '../graph/graph.ts';

export function weightZeros(weights: Tensor, channels: number): Int32Array {
  const zeros = new Int32Array(channels);
  const given = weights.quant?.zeroPoint;
  if (given) for (let c = 0; c < channels; c++) zeros[c] = given[given.length > 1 ? c : 0];
  return zeros;
}
