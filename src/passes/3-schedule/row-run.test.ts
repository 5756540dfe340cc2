import { expect, test } from 'vitest';
import { fitGraph } from '../../fit/fit.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { type Graph, type TypedArray, tensorBytes } from '../../graph/graph.ts';
import { checkPlan } from '../../plan/check.ts';
import { executePlan } from '../../run/execute.ts';
import { runReference } from '../../run/reference.ts';
import { rowRun } from './row-run.ts';

const SMALL = [1, 6, 5, 7];

/** A small map made large, and the best channel of each of its pixels. */
function segmentation(): Graph {
  const g = new GraphBuilder('segmentation', 'onnx');
  const x = g.input({ name: 'x', dtype: 'f32', shape: SMALL }, { dtype: 'f32' });
  const attrs = { size: [24, 20], mode: 'linear', coordinates: 'half_pixel' };
  const large = g.op('Resize', [x], { ...attrs });
  const best = g.op('ArgMax', [large], { axis: 3, keepDims: false, selectLast: false });
  g.output(best, { name: 'best', dtype: 'i64', shape: best.shape });
  return g.build();
}

test('an output of one long row fires as far as a row of its input gives', () => {
  const graph = segmentation();
  const best = graph.operators.find((op) => op.kind === 'ArgMax')!;
  // Its last dimension was the map's columns: one pixel of it is a row of the map.
  expect(graph.tensors[best.outputs[0]].shape).toEqual([1, 24, 20]);
  expect(rowRun(graph, best)).toBe(1);
});

test('so the map between is never whole', () => {
  const graph = segmentation();
  const { plan } = fitGraph(graph, { policy: { input: 'reuse', output: 'whole' } });
  const [large, best] = graph.operators.map((op) => tensorBytes(graph.tensors[op.outputs[0]]));
  expect(plan.arenaBytes).toBeLessThan(best + large / 2);
  expect(checkPlan(graph, plan).problem).toBeUndefined();
  const values: TypedArray = Float32Array.from({ length: 210 }, (_, i) => Math.sin(i * i));
  expect(executePlan(graph, plan, [values]).outputs[0]).toEqual(runReference(graph, [values])[0].values);
});
