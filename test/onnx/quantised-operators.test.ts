/** Quantised operators against ONNX Runtime on random bytes: equal, or a step apart where that is said. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { readOnnx } from '../../src/model/onnx/read.ts';
import type { TensorInit } from '../../src/model/onnx/schema.ts';
import { runReference } from '../../src/run/reference.ts';
import { bytesTensor, floats, seeded, type TinyNode, tinyModel } from './tiny-model.ts';

const bytes = (count: number, seed: number) => seeded(count, seed).map((u) => Math.floor((u + 1) * 128));
const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const U8 = 2;
const I8 = 3;

interface Case {
  readonly name: string;
  readonly node: Omit<TinyNode, 'out'>;
  readonly inputs: Record<string, number[]>;
  readonly weights: TensorInit[];
  /** Element type of inputs and output. */
  readonly type: 2 | 3;
  /** Largest difference in stored steps. */
  readonly steps: number;
}

const scale = (name: string, value: number) => floats(name, [], [value]);
const zero = (name: string, value: number, type: 2 | 3 = U8) => bytesTensor(name, [], [value], type);
const int32s = (name: string, values: number[]): TensorInit => ({
  name,
  dims: [BigInt(values.length)],
  dataType: 6,
  rawData: new Uint8Array(Int32Array.from(values).buffer),
});

/** ONNX Runtime folds scales and zero points into float32 factors first: near a tie it lands a step away. */
const NEAR_TIES = 1;

const ms = 'com.microsoft';
const x = { x: [1, 6, 7, 5] };
const xy = { x: [1, 6, 7, 5], z: [1, 6, 7, 5] };
const oneInput = (type: 2 | 3, ys = 0.01) => [
  scale('xs', 0.02),
  zero('xz', type === U8 ? 120 : -3, type),
  scale('ys', ys),
  zero('yz', 7, type),
];
const twoInputs = (type: 2 | 3) => [...oneInput(type, 0.03), scale('zs', 0.013), zero('zz', 11, type)];
const binaryInputs = ['x', 'xs', 'xz', 'z', 'zs', 'zz', 'ys', 'yz'];
const unaryInputs = ['x', 'xs', 'xz', 'ys', 'yz'];

function conv(type: 2 | 3, wtype: 2 | 3, perChannel: boolean): Case {
  const n = perChannel ? 4 : 1;
  const dims = perChannel ? [4] : [];
  return {
    name: `QLinearConv ${type === U8 ? 'u8' : 'i8'} x ${wtype === U8 ? 'u8' : 'i8'}${perChannel ? ' per channel' : ''}`,
    node: {
      op: 'QLinearConv',
      in: ['x', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz', 'b'],
      attrs: { pads: [1, 0, 1, 1], strides: [2, 1] },
    },
    inputs: x,
    type,
    steps: 0,
    weights: [
      ...oneInput(type, 0.9),
      bytesTensor('w', [4, 6, 3, 3], bytes(216, 5), wtype),
      floats('ws', dims, [0.01, 0.02, 0.005, 0.013].slice(0, n)),
      bytesTensor(
        'wz',
        dims,
        wtype === U8 ? [128, 128, 128, 128].slice(0, n) : [0, 0, 0, 0].slice(0, n),
        wtype,
      ),
      int32s('b', [100, -2000, 3000, 7]),
    ],
  };
}

const cases: Case[] = [
  conv(U8, U8, false),
  conv(U8, I8, true),
  conv(I8, I8, true),
  {
    name: 'QLinearMatMul u8',
    node: { op: 'QLinearMatMul', in: ['x', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz'] },
    inputs: { x: [5, 8] },
    type: U8,
    steps: 0,
    weights: [
      ...oneInput(U8, 0.2),
      bytesTensor('w', [8, 6], bytes(48, 9), U8),
      scale('ws', 0.011),
      zero('wz', 131),
    ],
  },
  {
    name: 'QGemm u8, B transposed, with a bias',
    node: {
      op: 'QGemm',
      domain: ms,
      in: ['x', 'xs', 'xz', 'w', 'ws', 'wz', 'b', 'ys', 'yz'],
      attrs: { transB: 1 },
    },
    inputs: { x: [5, 8] },
    type: U8,
    steps: 0,
    weights: [
      ...oneInput(U8, 0.2),
      bytesTensor('w', [6, 8], bytes(48, 9), U8),
      scale('ws', 0.011),
      zero('wz', 131),
      int32s('b', [1, -200, 300, 40, 5, 6]),
    ],
  },
  ...([U8, I8] as const).flatMap((type): Case[] => {
    const t = type === U8 ? 'u8' : 'i8';
    return [
      {
        name: `QLinearAdd ${t}`,
        node: { op: 'QLinearAdd', domain: ms, in: binaryInputs },
        inputs: xy,
        type,
        steps: NEAR_TIES,
        weights: twoInputs(type),
      },
      {
        name: `QLinearMul ${t}`,
        node: { op: 'QLinearMul', domain: ms, in: binaryInputs },
        inputs: xy,
        type,
        steps: NEAR_TIES,
        weights: twoInputs(type),
      },
      {
        name: `QLinearSigmoid ${t}`,
        node: { op: 'QLinearSigmoid', domain: ms, in: unaryInputs },
        inputs: x,
        type,
        steps: 0,
        weights: oneInput(type, 0.004),
      },
      {
        name: `QLinearLeakyRelu ${t}`,
        node: { op: 'QLinearLeakyRelu', domain: ms, in: unaryInputs, attrs: { alpha: { f: 0.2 } } },
        inputs: x,
        type,
        steps: 0,
        weights: oneInput(type),
      },
      {
        name: `QLinearGlobalAveragePool ${t}`,
        node: { op: 'QLinearGlobalAveragePool', domain: ms, in: unaryInputs, attrs: { channels_last: 0 } },
        inputs: x,
        type,
        steps: 0,
        weights: oneInput(type, 0.005),
      },
      {
        name: `QLinearAveragePool ${t}`,
        node: {
          op: 'QLinearAveragePool',
          domain: ms,
          in: unaryInputs,
          attrs: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 0] },
        },
        inputs: x,
        type,
        steps: 1,
        weights: oneInput(type),
      },
      {
        name: `QLinearConcat ${t}`,
        node: {
          op: 'QLinearConcat',
          domain: ms,
          in: ['ys', 'yz', 'x', 'xs', 'xz', 'z', 'zs', 'zz'],
          attrs: { axis: 1 },
        },
        inputs: xy,
        type,
        steps: 0,
        weights: twoInputs(type),
      },
    ];
  }),
];

/** Most stored steps between ours and ONNX Runtime's, and how many values differ. */
async function difference(c: Case): Promise<{ worst: number; differing: number }> {
  const file = tinyModel({
    inputs: c.inputs,
    outputs: ['y'],
    nodes: [{ ...c.node, out: ['y'] }],
    weights: c.weights,
    elemType: c.type,
    outputType: c.type,
    opset: 13,
  });
  const session = await InferenceSession.create(file, {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
  });
  const graph = readOnnx(file, { name: 'q', file: 'q.onnx' });
  const data = graph.inputs.map((port, i) =>
    (c.type === U8 ? Uint8Array : Int8Array).from(bytes(count(port.shape), 3 + i)),
  );
  const feeds = Object.fromEntries(
    graph.inputs.map((port, i) => [
      port.name,
      new Tensor(c.type === U8 ? 'uint8' : 'int8', data[i], port.shape),
    ]),
  );
  const expected = (await session.run(feeds)).y.data as Uint8Array;
  const [{ values }] = runReference(graph, data);
  let worst = 0;
  let differing = 0;
  for (let i = 0; i < expected.length; i++) {
    const d = Math.abs(values[i] - expected[i]);
    worst = Math.max(worst, d);
    if (d > 0) differing++;
  }
  expect(values.length).toBe(expected.length);
  return { worst, differing };
}

describe('quantised operators equal ONNX Runtime', () => {
  test.each(cases)('$name', async (c) => {
    const { worst, differing } = await difference(c);
    expect(worst, `${differing} values differ`).toBeLessThanOrEqual(c.steps);
  });
});
