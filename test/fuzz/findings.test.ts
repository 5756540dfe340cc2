/** What fuzzing has found, each as the smallest file that shows it. All go the whole way: read, planned, run, compared. */
import * as runtime from 'onnxruntime-node';
import { describe, expect, it, test } from 'vitest';
import { TidemarkError } from '../../src/errors.ts';
import { fitGraph } from '../../src/fit/fit.ts';
import { CODE, floats, ints, type TestModel, tfliteFile } from '../../src/model/tflite/testing/model-file.ts';
import { checkPlan } from '../../src/plan/check.ts';
import { parsePlan } from '../../src/plan/read.ts';
import { expandSchedule } from '../../src/plan/schedule.ts';
import {
  bytesTensor,
  int64s,
  floats as reals,
  type TinyModel,
  tinyCnn,
  tinyModel,
} from '../onnx/tiny-model.ts';
import { randomGraph } from '../random/random-graph.ts';
import { subjectOf } from '../random/random-plans.ts';
import { judgeModel } from './judge.ts';

const onnx = (model: TinyModel | Uint8Array, seed = 1) =>
  judgeModel(model instanceof Uint8Array ? model : tinyModel(model), 'found.onnx', { seed, runtime });
const tflite = (model: TestModel, seed = 1) => judgeModel(tfliteFile(model), 'found.tflite', { seed });
const picture = { x: [1, 2, 5, 4] };

describe('ONNX', () => {
  test('no bytes at all', async () => {
    expect(await onnx(new Uint8Array())).toMatchObject({ code: 'file-format' });
  });

  test('an output of the graph without a name', async () => {
    const verdict = await onnx({ ...tinyCnn(), outputs: [''] });
    expect(verdict).toMatchObject({ code: 'graph-invalid', message: expect.stringContaining('has no name') });
  });

  test('windows over a constant', async () => {
    const verdict = await onnx({
      inputs: { x: [1, 2, 2, 2] },
      outputs: ['y'],
      weights: [
        reals(
          'w',
          [1, 2, 3, 3],
          Array.from({ length: 18 }, (_, i) => i),
        ),
      ],
      nodes: [
        { op: 'MaxPool', in: ['w'], out: ['p'], attrs: { kernel_shape: [2, 2] } },
        { op: 'Add', in: ['x', 'p'], out: ['y'] },
      ],
    });
    expect(verdict.outcome).toBe('ran');
  });

  test('indices that are no whole numbers', async () => {
    const verdict = await onnx({
      inputs: { x: [5, 4] },
      outputs: ['y'],
      nodes: [{ op: 'Gather', in: ['x', 'x'], out: ['y'] }],
    });
    expect(verdict).toMatchObject({ code: 'operator-invalid', message: expect.stringContaining('indices') });
  });

  test('whole numbers to a power beyond 31 bits', async () => {
    const verdict = await onnx({
      inputs: { x: [1, 4] },
      elemType: 6,
      outputs: ['y'],
      outputType: 6,
      weights: [reals('p', [4], [40, 31, -2, 2.5])],
      nodes: [{ op: 'Pow', in: ['x', 'p'], out: ['y'] }],
    });
    expect(verdict.outcome).toBe('ran');
  });

  test('a Pad of old without pads', async () => {
    const verdict = await onnx({
      inputs: picture,
      outputs: ['y'],
      opset: 10,
      nodes: [{ op: 'Pad', in: ['x'], out: ['y'] }],
    });
    expect(verdict.message).toContain('pads are missing: 8 numbers');
  });

  test('lists and names of thousands end in one short line', async () => {
    const [conv, relu] = tinyCnn().nodes;
    const long = { ...conv, attrs: { strides: Array.from({ length: 5000 }, (_, i) => i) } };
    const verdicts = [
      await onnx({ ...tinyCnn(), nodes: [long, relu] }),
      await onnx({ ...tinyCnn(), outputs: ['x'.repeat(60_000)] }),
    ];
    for (const { outcome, message } of verdicts) {
      expect(outcome).toBe('refused');
      expect(message!.length).toBeLessThanOrEqual(1000);
    }
  });

  test('any count_include_pad but 0 counts the padding', async () => {
    const attrs = { kernel_shape: [2, 2], pads: [1, 1, 0, 0], count_include_pad: 12 };
    const nodes = [{ op: 'AveragePool', in: ['x'], out: ['y'], attrs }];
    expect(await onnx({ inputs: picture, outputs: ['y'], nodes })).toMatchObject({ runtime: 'equal' });
  });

  test('a Squeeze of an empty list of axes drops all of size 1', async () => {
    const weights = [int64s('axes', [])];
    const nodes = [{ op: 'Squeeze', in: ['x', 'axes'], out: ['y'] }];
    const verdict = await onnx({ inputs: { x: [1, 3, 1, 4] }, outputs: ['y'], weights, nodes });
    expect(verdict).toMatchObject({ outcome: 'ran', runtime: 'equal' });
  });

  test('8-bit integers without a scale wrap, in every backend', async () => {
    for (const op of ['Add', 'Sub', 'Mul']) {
      for (const elemType of [2, 3]) {
        const inputs = { x: [3, 4, 5], y: [3, 4, 5] };
        const model = { inputs, outputs: ['z'], elemType, outputType: elemType, opset: 14 };
        for (let seed = 1; seed <= 6; seed++) {
          const verdict = await onnx({ ...model, nodes: [{ op, in: ['x', 'y'], out: ['z'] }] }, seed);
          expect(verdict).toMatchObject({ outcome: 'ran' });
        }
      }
    }
  });

  test('zero keeps its sign through Erf and a Clip behind another function', async () => {
    for (const ops of [['Erf'], ['HardSwish', 'Relu'], ['Floor', 'Erf'], ['HardSwish', 'Clip']]) {
      const nodes = ops.map((op, i) => ({ op, in: [`v${i}`], out: [`v${i + 1}`] }));
      const model = { inputs: { v0: [1, 6, 8, 8] }, outputs: [`v${ops.length}`], opset: 14, nodes };
      for (let seed = 1; seed <= 4; seed++)
        expect(await onnx(model, seed), ops.join()).toMatchObject({ outcome: 'ran', runtime: 'equal' });
    }
  });

  test('a bias far finer than what weights and input come to stays real', async () => {
    const zero = bytesTensor('zero', [], [0], 3);
    const scales = [reals('sx', [], [0.02]), reals('sw', [], [1e6]), reals('sy', [], [0.03])];
    const w = bytesTensor('w', [1, 1, 1, 1], [0], 3);
    const quantise = (from: string, scale: string, to: string) => [
      { op: 'QuantizeLinear', in: [from, scale, 'zero'], out: [`${to}q`] },
      { op: 'DequantizeLinear', in: [`${to}q`, scale, 'zero'], out: [to] },
    ];
    const verdict = await onnx({
      inputs: { x: [1, 1, 2, 2] },
      outputs: ['y'],
      weights: [zero, ...scales, w, reals('b', [1], [0.5])],
      nodes: [
        ...quantise('x', 'sx', 'xd'),
        { op: 'DequantizeLinear', in: ['w', 'sw', 'zero'], out: ['wd'] },
        { op: 'Conv', in: ['xd', 'wd', 'b'], out: ['c'] },
        ...quantise('c', 'sy', 'y'),
      ],
    });
    expect(verdict).toMatchObject({ outcome: 'ran', runtime: 'equal' });
  });
});

describe('TFLite', () => {
  const chain = (shapes: number[][], codes: number[], more: Partial<TestModel> = {}): TestModel => ({
    tensors: shapes.map((shape, i) => ({ name: `t${i}`, shape })),
    nodes: codes.map((code, i) => ({ code, inputs: [i], outputs: [i + 1] })),
    inputs: [0],
    outputs: [codes.length],
    ...more,
  });

  test('tensors without elements are planned, run and emitted', async () => {
    const empty = [1, 5, 0, 4];
    for (let seed = 1; seed <= 12; seed++)
      expect(await tflite(chain([empty, empty, empty], [14, 98]), seed)).toMatchObject({ outcome: 'ran' });
  });

  test('a picture without rows made larger', async () => {
    const tensors = [
      { name: 'x', shape: [1, 0, 3, 2] },
      { name: 'size', shape: [2], type: 'i32', data: ints(4, 6) } as const,
      { name: 'y', shape: [1, 4, 6, 2] },
    ];
    const nodes = [{ code: 23, inputs: [0, 1], outputs: [2] }];
    const verdict = await tflite({ tensors, nodes, inputs: [0], outputs: [2] });
    expect(verdict).toMatchObject({ code: 'shape-mismatch', message: expect.stringContaining('[1,0,3,2]') });
  });

  test('the mean of no integers', async () => {
    const scale = { type: 'i8', scale: [0.1], zeroPoint: [0] } as const;
    const model = chain([], [], {
      tensors: [
        { name: 'x', shape: [1, 0, 3, 2], ...scale },
        { name: 'axes', shape: [1], type: 'i32', data: ints(1) },
        { name: 'y', shape: [1, 3, 2], ...scale },
      ],
      nodes: [{ code: 40, inputs: [0, 1], outputs: [2] }],
      outputs: [2],
    });
    expect(await tflite(model)).toMatchObject({ code: 'shape-mismatch' });
  });

  test('zero points beyond their type, and others than 0 along an axis', async () => {
    const shape = [1, 2, 2, 2];
    const with_ = (change: object) =>
      tflite({
        ...chain([shape, shape], [14]),
        tensors: [0, 1].map((i) => ({
          name: `t${i}`,
          shape,
          type: 'i8',
          scale: [0.1],
          zeroPoint: [0],
          ...change,
        })),
      });
    expect((await with_({ zeroPoint: [2 ** 31 - 1] })).message).toContain('expected -128 to 127');
    const axis = { scale: [0.1, 0.1], zeroPoint: [0, -1], dimension: 3 };
    expect((await with_(axis)).message).toContain('zero point of -1 in channel 1');
  });

  test('a DEQUANTIZE that writes integers', async () => {
    const stored = { shape: [1, 2, 2, 1], type: 'i8', scale: [0.1], zeroPoint: [0] } as const;
    const tensors = ['x', 'y'].map((name) => ({ name, ...stored }));
    const verdict = await tflite({
      ...chain([], []),
      tensors,
      nodes: [{ code: 6, inputs: [0], outputs: [1] }],
      outputs: [1],
    });
    expect(verdict).toMatchObject({ code: 'type-unsupported' });
  });

  test('an axis that is no whole number', async () => {
    const tensors = [
      { name: 'axis', shape: [], data: floats(0.5) },
      { name: 'x', shape: [1, 2, 4, 2] },
      { name: 'y', shape: [1, 2, 4, 2] },
    ];
    const nodes = [{ code: 49, inputs: [0, 1], outputs: [2] }];
    const verdict = await tflite({ tensors, nodes, inputs: [1], outputs: [2] });
    expect(verdict).toMatchObject({ code: 'operator-invalid', message: expect.stringContaining('axis 0.5') });
  });

  test('a SHAPE that is declared to be real', async () => {
    const verdict = await tflite(chain([[1, 5, 5, 2], [4]], [CODE.SHAPE]));
    expect(verdict).toMatchObject({ code: 'type-unsupported', message: expect.stringContaining('not f32') });
  });

  test('constants made of constants come to gigabytes', async () => {
    const verdict = await tflite({
      tensors: [
        { name: 'shape', shape: [3], type: 'i32', data: ints(1 << 13, 1 << 13, 4) },
        { name: 'value', shape: [], data: floats(1) },
        { name: 'y', shape: [1] },
      ],
      nodes: [{ code: CODE.FILL, inputs: [0, 1], outputs: [2] }],
      inputs: [],
      outputs: [2],
    });
    expect(verdict).toMatchObject({
      code: 'file-too-large',
      message: expect.stringContaining('madeElements'),
    });
  });
});

describe('plans', () => {
  const subject = subjectOf(3);
  const { plan } = fitGraph(subject.graph, { policy: subject.policy, method: 'layerwise' });

  test('loops of nothing end at once', () => {
    expect(expandSchedule([[2 ** 31, [2 ** 31, [2 ** 31]]]])).toHaveLength(0);
  });

  test('loops of loops, an arena of petabytes, and lists in lists are refused before they take memory', () => {
    const refused = [
      { ...plan, schedule: [[2 ** 31, [2 ** 31, 0]]] },
      { ...plan, arenaBytes: 2 ** 50 },
      { ...plan, schedule: [...plan.schedule, 2 ** 31] },
      { ...plan, schedule: plan.schedule.map((node) => (typeof node === 'number' ? node + 2 ** 32 : node)) },
      { ...plan, arenaBytes: 2 ** 50, banks: [{ name: 'arena', bytes: 2 ** 50 }] },
    ];
    for (const text of refused.map((p) => JSON.stringify(p)))
      expect(checkPlan(subject.graph, parsePlan(text, 'plan.json', subject.graph)).ok).toBe(false);
    const nested = JSON.stringify({ ...plan, schedule: [] }).replace(
      '"schedule":[]',
      `"schedule":[${'[1,'.repeat(1e5)}0${']'.repeat(1e5)}]`,
    );
    expect(() => parsePlan(nested, 'plan.json', subject.graph)).toThrow(/100002 deep.*nesting/);
    const missing = JSON.stringify({ ...plan, actors: undefined });
    expect(() => parsePlan(missing, 'plan.json', subject.graph)).toThrow(
      new TidemarkError('plan-invalid', 'plan.json: this is no plan of version 1: actors is missing'),
    );
  });
});

it('strips of networks that need copies before concats', () => {
  for (const seed of [4, 9]) {
    const graph = randomGraph(seed, { least: 1, greatest: 6 });
    const { plan } = fitGraph(graph, { policy: { input: 'reuse', output: 'whole' }, maxOverhead: 0.2 });
    expect(checkPlan(graph, plan).ok).toBe(true);
  }
});
