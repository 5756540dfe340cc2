import { expect, test } from 'vitest';
import { fitGraph } from '../fit/fit.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { graphMacs, planMetrics } from './metrics.ts';
import { expandSchedule } from './schedule.ts';

/** A convolution whose last row no window of the pooling reaches. */
function withRowThatNobodyReads() {
  const b = new GraphBuilder('odd', 'onnx');
  const x = b.input({ name: 'x', shape: [1, 9, 8, 4], dtype: 'f32' }, { dtype: 'f32' });
  const window = { pads: [0, 0, 0, 0], dilation: [1, 1] } as const;
  const weights = b.constant('w', [4, 1, 1, 4], new Float32Array(16).fill(1));
  const conv = b.op('Conv', [x, weights], { stride: [1, 1], groups: 1, ...window });
  const y = b.op('MaxPool', [conv], { kernel: [2, 2], stride: [2, 2], ceil: false, ...window });
  b.output(y, { name: 'y', shape: y.shape, dtype: 'f32' });
  return b.build();
}

test('firings that a plan leaves out are not counted', () => {
  const graph = withRowThatNobodyReads();
  const policy = { input: 'streamed', output: 'streamed' } as const;
  const whole = planMetrics(graph, fitGraph(graph, { policy, method: 'layerwise' }).plan);
  expect(whole.macs).toBe(graphMacs(graph));
  const { plan } = fitGraph(graph, { policy });
  const conv = plan.actors.findIndex(
    (a) => a.kind === 'operator' && graph.operators[a.index].kind === 'Conv',
  );
  const pixels = expandSchedule(plan.schedule).filter((a) => a === conv).length * plan.actors[conv].run;
  expect(pixels).toBe(64);
  const { macs, macOverhead } = planMetrics(graph, plan);
  expect(macs).toBe((graphMacs(graph) * 8) / 9);
  expect(macOverhead).toBe(0);
});
