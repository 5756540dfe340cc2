/** MLPerf Tiny's figure for anomaly detection: how far what the autoencoder gives back is from what it was given. */
import type { Graph } from '../../../src/graph/graph.ts';
import { quantiseReal } from '../../../src/run/input/port-values.ts';
import { runReference } from '../../../src/run/reference.ts';

/** Mean squared error, of numbers in dB, between a vector and the network's quantised answer to it. */
export function anomalyScore(graph: Graph, given: Float32Array, answer: ArrayLike<number>): number {
  const { scale, zeroPoint } = graph.tensors[graph.outputs[0].tensor].quant!;
  return (
    given.reduce((sum, x, i) => sum + (x - (answer[i] - zeroPoint[0]) * scale[0]) ** 2, 0) / given.length
  );
}

/** Its mean over vectors, as the layer-by-layer reference answers them. */
export function meanScore(graph: Graph, all: readonly Float32Array[]): number {
  const input = graph.tensors[graph.inputs[0].tensor];
  const scores = all.map((given) => {
    const [answer] = runReference(graph, [Int8Array.from(quantiseReal(given, input))]);
    return anomalyScore(graph, given, answer.values);
  });
  return scores.reduce((sum, s) => sum + s, 0) / scores.length;
}
