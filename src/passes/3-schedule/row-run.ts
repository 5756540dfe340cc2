/**
 * Pixels that one firing by rows writes. Usually a row of the output. An output that is one long row, made from
 * rows of a map (an ArgMax over channels that drops them, a flattened map), goes by what a row of the map gives:
 * otherwise it would fire once and want all of the map.
 */
import { ABSENT, type Graph, type Operator, pixelsOf, rowPixels } from '../../graph/graph.ts';
import { contextOf, definitionOf } from '../../ops/registry.ts';

export function rowRun(graph: Graph, op: Operator): number {
  const { shape } = graph.tensors[op.outputs[0]];
  const row = Math.max(1, rowPixels(shape));
  const index = op.inputs.findIndex((t) => t !== ABSENT && !graph.tensors[t].constant);
  const { reads } = definitionOf(op.kind);
  if (index < 0 || !reads || row < pixelsOf(shape)) return row;
  const map = graph.tensors[op.inputs[index]].shape;
  const mapRow = rowPixels(map);
  if (mapRow >= pixelsOf(map)) return row;
  const context = contextOf(graph, op);
  const fits = (run: number) => {
    const { lo, hi } = reads(context, index, 0, run);
    return hi - lo <= mapRow;
  };
  // The most pixels that still read no more than a row; what they read grows with them.
  let run = 1;
  for (let step = row - 1; step > 0; step >>= 1) while (run + step <= row && fits(run + step)) run += step;
  return run;
}
