/**
 * A graph with its float weights drawn anew from a seed. Some public models have one value in all their weights,
 * so their outputs are constant and any mistake of a run would go unseen; with these weights it would not.
 */
import { constantOf, elementCount, type Graph } from '../../src/graph/graph.ts';
import { uniformValues } from '../../src/zoo/seed.ts';

/** Constants of at most this many values are left alone: axes, scales and the like. */
const SMALL = 8;

export function withSeededWeights(graph: Graph): Graph {
  const tensors = graph.tensors.map((t) => {
    const count = elementCount(t.shape);
    if (!t.constant || t.dtype !== 'f32' || count <= SMALL) return t;
    // Kept in size from layer to layer (He et al. 2015): the variance of a weight is 2 over the inputs summed.
    const summed = t.shape.length > 1 ? count / Math.max(...t.shape.slice(-1), t.shape[0]) : count;
    return { ...t, constant: constantOf(uniformValues(t.id + 1, count, Math.sqrt(6 / Math.max(1, summed)))) };
  });
  return { ...graph, tensors };
}
