/** What the second long run found, each as the smallest file that shows it; and its cases of own making, judged again. */
import * as runtime from 'onnxruntime-node';
import { describe, expect, it, test } from 'vitest';
import { planGraph } from '../../src/compile.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { resolveStorage } from '../../src/graph/storage.ts';
import { floats, ints, type TestModel, tfliteFile } from '../../src/model/tflite/testing/model-file.ts';
import { bestOrder } from '../../src/passes/3-schedule/order.ts';
import { runReference } from '../../src/run/reference.ts';
import { bytesTensor, int64s, floats as reals, type TinyModel, tinyModel } from '../onnx/tiny-model.ts';
import { caseOf, type Group } from './cases.ts';
import { judgeModel } from './judge.ts';

const onnx = (model: TinyModel) => judgeModel(tinyModel(model), 'found.onnx', { seed: 1, runtime });
const tflite = (model: TestModel) => judgeModel(tfliteFile(model), 'found.tflite', { seed: 1 });

describe('ONNX', () => {
  test('a global pool of what is no picture', async () => {
    for (const op of ['GlobalAveragePool', 'GlobalMaxPool']) {
      const verdict = await onnx({
        inputs: { x: [3] },
        outputs: ['y'],
        nodes: [{ op, in: ['x'], out: ['y'] }],
      });
      expect(verdict.message).toContain(`(${op}): an input of shape [3]; expected pictures`);
    }
  });

  test('products of truth values', async () => {
    const model = { inputs: { x: [3], y: [3] }, elemType: 9, outputs: ['z'], outputType: 9 };
    const verdict = await onnx({ ...model, nodes: [{ op: 'Mul', in: ['x', 'y'], out: ['z'] }] });
    expect(verdict).toMatchObject({ outcome: 'refused', code: 'type-unsupported' });
  });

  test('rows of nothing, more than can be counted', async () => {
    const verdict = await onnx({
      inputs: { x: [1, 11, 4, 3] },
      outputs: ['y'],
      weights: [int64s('r', [1, 2147483647, 2, 0])],
      nodes: [{ op: 'Tile', in: ['x', 'r'], out: ['y'] }],
    });
    expect(verdict).toMatchObject({ outcome: 'refused', code: 'shape-mismatch' });
  });

  const zero = bytesTensor('zero', [], [0], 3);
  const quantise = (from: string, scale: string, to: string) => [
    { op: 'QuantizeLinear', in: [from, scale, 'zero'], out: [`${to}q`] },
    { op: 'DequantizeLinear', in: [`${to}q`, scale, 'zero'], out: [to] },
  ];

  test('padding wider than the window, on either side', async () => {
    const w = reals(
      'w',
      [4, 6, 2, 4],
      Array.from({ length: 192 }, (_, i) => Math.sin(i + 1)),
    );
    for (const pads of [
      [1, 9, 0, 1],
      [7, 2, 5, 9],
    ]) {
      const nodes = [{ op: 'Conv', in: ['x', 'w'], out: ['y'], attrs: { pads } }];
      const verdict = await onnx({ inputs: { x: [1, 6, 9, 4] }, outputs: ['y'], weights: [w], nodes });
      expect(verdict).toMatchObject({ outcome: 'ran', runtime: 'equal' });
    }
  });

  test('weights that stand for infinities stay real', async () => {
    const verdict = await onnx({
      inputs: { x: [1, 2, 1, 2] },
      outputs: ['y'],
      weights: [
        zero,
        reals('sx', [], [0.02]),
        reals('sw', [], [3.4e38]),
        reals('sy', [], [0.03]),
        bytesTensor('w', [1, 2, 1, 1], [3, 5], 3),
      ],
      nodes: [
        ...quantise('x', 'sx', 'xd'),
        { op: 'DequantizeLinear', in: ['w', 'sw', 'zero'], out: ['wd'] },
        { op: 'Conv', in: ['xd', 'wd'], out: ['c'] },
        { op: 'QuantizeLinear', in: ['c', 'sy', 'zero'], out: ['y'] },
      ],
      outputType: 3,
    });
    expect(verdict).toMatchObject({ outcome: 'ran', runtime: 'equal' });
  });

  test('a concat of what stands for infinities', async () => {
    const verdict = await onnx({
      inputs: { x: [1, 2, 2, 2] },
      elemType: 3,
      outputs: ['y'],
      weights: [zero, reals('s', [], [3.4e38])],
      nodes: [
        { op: 'DequantizeLinear', in: ['x', 's', 'zero'], out: ['d'] },
        { op: 'Concat', in: ['d', 'd'], out: ['c'], attrs: { axis: 1 } },
        { op: 'QuantizeLinear', in: ['c', 's', 'zero'], out: ['y'] },
      ],
      outputType: 3,
    });
    expect(verdict).toMatchObject({ outcome: 'ran', runtime: 'equal' });
  });
});

describe('TFLite', () => {
  /** A convolution of one point. */
  const conv = (type: 'i8' | 'i16', scale: number, bias: object): TestModel => ({
    tensors: [
      { name: 'x', shape: [1, 2, 2, 1], type, scale: [0.01], zeroPoint: [0] },
      { name: 'w', shape: [1, 1, 1, 1], type: 'i8', data: Uint8Array.of(3), scale: [scale], zeroPoint: [0] },
      { name: 'b', shape: [1], type: 'i32', data: ints(7), ...bias },
      { name: 'y', shape: [1, 2, 2, 1], type, scale: [0.02], zeroPoint: [0] },
    ],
    nodes: [
      {
        code: 3,
        inputs: [0, 1, 2],
        outputs: [3],
        options: (b) => {
          b.addFieldInt32(1, 1, 0);
          b.addFieldInt32(2, 1, 0);
        },
      },
    ],
    inputs: [0],
    outputs: [3],
  });

  test('scales that come to a factor beyond what the arithmetic has', async () => {
    expect((await tflite(conv('i16', 1e6, {}))).message).toContain('expected less than 2^7');
    expect((await tflite(conv('i8', 1e12, {}))).message).toContain('expected less than 2^30');
    expect((await tflite(conv('i8', 0.01, {}))).outcome).toBe('ran');
  });

  test('a bias of floats on a sum of integers', async () => {
    const verdict = await tflite(conv('i8', 0.01, { type: 'f32', data: floats(Number.NaN) }));
    expect(verdict).toMatchObject({
      code: 'type-unsupported',
      message: expect.stringContaining('bias of f32'),
    });
  });

  test('pads that are no whole numbers', async () => {
    const tensors = [
      { name: 'x', shape: [2, 3] },
      { name: 'pads', shape: [2, 2], data: floats(0, 0, 1e-45, 1e-45) },
      { name: 'y', shape: [2, 3] },
    ];
    const nodes = [{ code: 34, inputs: [0, 1], outputs: [2] }];
    const verdict = await tflite({ tensors, nodes, inputs: [0], outputs: [2] });
    expect(verdict).toMatchObject({
      code: 'operator-invalid',
      message: expect.stringContaining('whole ones'),
    });
  });
});

it('a pool of more taps than any memory has', () => {
  const attrs = (taps: number) => ({
    kernel: [taps, taps],
    stride: [taps, taps],
    dilation: [1, 1],
    pads: [taps >> 1, taps >> 1, taps >> 1, taps >> 1],
    ceil: false,
  });
  const pooled = (taps: number) => {
    const b = new GraphBuilder('pool', 'onnx');
    const x = b.input({ name: 'x', shape: [1, 5, 5, 1], dtype: 'f32' }, { dtype: 'f32' });
    const y = b.op('MaxPool', [x], attrs(taps));
    b.output(y, { name: 'y', shape: y.shape, dtype: 'f32' });
    return runReference(b.build(), [Array.from({ length: 25 }, (_, i) => i)])[0].values;
  };
  expect(pooled(2 ** 27).at(-1)).toBe(24);
  expect(() => pooled(2 ** 29)).toThrow(/reaches over 536870912 pixels/);
});

it('thousands of operators that read one tensor', () => {
  const b = new GraphBuilder('wide', 'onnx');
  const x = b.input({ name: 'x', shape: [2, 2], dtype: 'f32' }, { dtype: 'f32' });
  for (let i = 0; i < 3000; i++)
    b.output(b.op('Clip', [x], { min: i, max: null }), { name: `y${i}`, shape: [2, 2], dtype: 'f32' });
  const { graph, storage } = resolveStorage(b.build());
  const before = process.cpuUsage().user;
  bestOrder(graph, storage);
  expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(5);
});

it('hundreds of parts of a concat that read one tensor', () => {
  const b = new GraphBuilder('parts', 'onnx');
  const x = b.input({ name: 'x', shape: [1, 4, 4, 2], dtype: 'f32' }, { dtype: 'f32' });
  const parts = Array.from({ length: 300 }, (_, i) => b.op('Clip', [x], { min: i, max: null }));
  const y = b.op('Concat', parts, { axis: 3 });
  b.output(y, { name: 'y', shape: y.shape, dtype: 'f32' });
  const before = process.cpuUsage().user;
  planGraph(b.build(), { policy: { input: 'reuse', output: 'whole' } });
  // It was 57, beside other jobs; 9 since.
  expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(40);
});

describe('cases', () => {
  const found: [Group, number[]][] = [
    ['own ONNX', [11276, 12052, 12279, 15307, 18250, 18682, 21231, 23993, 10006118, 20002042, 20024316]],
    ['own TFLite', [24973, 20014490]],
  ];
  for (const [group, seeds] of found)
    for (const seed of seeds)
      test(`${group}, seed ${seed}`, async () => {
        expect(await caseOf(group, seed)!.judge({ runtime })).toHaveProperty('outcome');
      });
});
