import { expect, test } from 'vitest';
import { GraphBuilder } from '../graph/builder.ts';
import { type Graph, type Tensor, tensorBytes } from '../graph/graph.ts';
import { normalise } from '../model/normalise/normalise.ts';
import type { Granularity } from '../passes/4-allocate/overlap/raster-distance.ts';
import type { Policy } from '../plan/plan.ts';
import { overlapReport } from '../report/overlap.ts';
import { executePlan } from '../run/execute.ts';
import { runReference, toGraphLayout } from '../run/reference.ts';
import { uniformValues } from '../zoo/seed.ts';
import { zooGraph } from '../zoo/zoo.ts';
import { fitGraph } from './fit.ts';
import { overlapGraph } from './overlapped.ts';

const RAM: Policy = { input: 'reuse', output: 'whole' };
const GRANULARITIES: readonly Granularity[] = ['pixel', 'row', 'element'];

function zoo(name: string, size?: number): Graph {
  return normalise(zooGraph(name, { dtype: 'int8', ...(size ? { size: [size, size] as const } : {}) }));
}

test.each([
  // Method 1's chains, exactly (docs/overlap.md).
  ['vgg16', undefined, 6_422_528, 3_225_664],
  ['tinyyolov2', 416, 3_461_120, 2_770_134],
  ['dncnn-17', 40, 204_800, 105_024],
  // Networks with branches: what stays alive is packed with the rest.
  ['squeezenet1.1', undefined, 982_144, 789_833],
  ['mobilenetv2-0.35-144', undefined, 311_040, 248_832],
  ['mobilenetv1-0.25-96', undefined, 55_296, 36_864],
  ['ds-cnn', undefined, 16_000, 8_384],
  ['resnet8', undefined, 49_152, 33_296],
] as const)('%s', (name, size, pingpong, overlapped) => {
  const graph = zoo(name, size);
  const granularity = 'pixel';
  const found = overlapGraph(graph, { policy: RAM, granularity });
  const report = overlapReport(graph, found, { granularity });
  expect(report.pingpongBytes).toBe(pingpong);
  expect(report.overlapBytes).toBe(overlapped);
  // Proven to be the least for its order of work, scratch included; which is a pixel for the layer that decides.
  expect(report.optimal).toBe(true);
  expect(report.arenaBytes - report.overlapBytes).toBeLessThanOrEqual(64);
});

test.each(['ds-cnn', 'resnet8', 'mobilenetv1-0.25-96', 'dncnn-17', 'fsrcnn'])(
  '%s runs bit-equal, input and output in the arena',
  (name) => {
    const small = name === 'dncnn-17' || name === 'fsrcnn';
    const graph = zoo(name, small ? 8 : undefined);
    const input = graph.tensors[graph.inputs[0].tensor];
    const values = Int8Array.from(uniformValues(3, tensorBytes(input), 127));
    const expected = runReference(graph, [values])[0].values;
    const layerwise = fitGraph(graph, { policy: RAM, method: 'layerwise' }).plan.arenaBytes;
    for (const granularity of GRANULARITIES) {
      const { plan } = overlapGraph(graph, { policy: RAM, granularity });
      expect(plan.arenaBytes).toBeLessThanOrEqual(layerwise);
      expect(executePlan(graph, plan, [toGraphLayout(graph.inputs[0], values)]).outputs[0]).toEqual(expected);
    }
  },
);

/** One operator over a picture of 8 x 6 pixels of 4 channels, as floats. */
function single(make: (b: GraphBuilder, x: Tensor) => Tensor): Graph {
  const b = new GraphBuilder('single', 'onnx');
  const x = b.input({ name: 'x', shape: [1, 8, 6, 4], dtype: 'f32' }, { dtype: 'f32' });
  const y = make(b, x);
  b.output(y, { name: 'y', shape: y.shape, dtype: 'f32' });
  return b.build();
}

const IN = 8 * 6 * 4 * 4;

/** Bytes by which the arena exceeds the larger of input and output; runs it as well. */
function beyond(graph: Graph, granularity: Granularity): number {
  const { plan } = overlapGraph(graph, { policy: RAM, granularity });
  const values = uniformValues(5, IN / 4, 1);
  expect(executePlan(graph, plan, [values]).outputs[0]).toEqual(runReference(graph, [values])[0].values);
  return plan.arenaBytes - Math.max(IN, tensorBytes(graph.tensors[graph.outputs[0].tensor]));
}

test('a pad takes its output and a pixel, a slice its input: they are addresses but for the moment they are made', () => {
  const pad = single((b, x) =>
    b.op('Pad', [x], { before: [0, 1, 2, 0], after: [0, 2, 1, 0], mode: 'constant', value: 0 }),
  );
  expect(beyond(pad, 'pixel')).toBeLessThanOrEqual(16);
  const rows = single((b, x) =>
    b.op('Slice', [x], { starts: [0, 2, 0, 0], steps: [1, 1, 1, 1], sizes: [1, 5, 6, 4] }),
  );
  expect(beyond(rows, 'pixel')).toBeLessThanOrEqual(16);
});

test('a depthwise convolution lies over its own input but for a row and two pixels', () => {
  const depthwise = single((b, x) => {
    const w = b.constant('w', [4, 3, 3, 1], uniformValues(7, 36, 1));
    return b.op('Conv', [x, w], { stride: [1, 1], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 4 });
  });
  // A row and a pixel of distance, a pixel of scratch.
  expect(beyond(depthwise, 'pixel')).toBe((6 + 2) * 16);
  expect(beyond(depthwise, 'element')).toBe((6 + 2) * 16);
  const strided = single((b, x) => {
    const w = b.constant('w', [4, 3, 3, 1], uniformValues(7, 36, 1));
    return b.op('Conv', [x, w], { stride: [2, 2], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 4 });
  });
  expect(beyond(strided, 'pixel')).toBeLessThanOrEqual(2 * 16);
});

test('what is written over in place lies at distance 0, and needs no scratch', () => {
  const relu = single((b, x) => b.op('Sigmoid', [b.op('Neg', [x], {})], {}));
  expect(beyond(relu, 'pixel')).toBe(0);
});
