import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { type Attributes, elementCount, type Graph, perTensor, type Tensor } from '../../graph/graph.ts';
import { quantiser } from '../../ops/stored.ts';
import { calibrate } from '../../zoo/calibrate.ts';
import { quantiseGraph } from '../../zoo/quantise.ts';
import { seedOf, uniformValues } from '../../zoo/seed.ts';
import { compareWithRuntime } from './testing/compare.ts';
import { writeOnnx } from './write.ts';

const F32 = { dtype: 'f32' } as const;

/** Kind, attributes, shapes of inputs (a leading 'c' makes a constant), all in memory order. */
interface Case {
  readonly kind: string;
  readonly attrs?: Attributes;
  readonly shapes: readonly (readonly (number | 'c')[])[];
  /** Also as int8: steps by which it may differ (ONNX Runtime computes it in float). */
  readonly int8?: number;
}

const P = [1, 5, 4, 6];
const unary = (kind: string, attrs: Attributes = {}, int8?: number): Case => ({
  kind,
  attrs,
  shapes: [P],
  int8,
});
const pair = (kind: string, a: Case['shapes'][0], b: Case['shapes'][0], int8?: number): Case => ({
  kind,
  shapes: [a, b],
  int8,
});
const window = { stride: [2, 1], dilation: [1, 2], pads: [1, 2, 0, 1] };
const resize = (mode: string, coordinates: string, nearest = 'floor', size = [9, 7]) =>
  unary('Resize', {
    size,
    scales: [size[0] / 5, size[1] / 4],
    mode,
    coordinates,
    nearest,
    cubicA: -0.75,
    excludeOutside: false,
    antialias: false,
  });

const CASES: readonly Case[] = [
  unary('Clip', { min: 0, max: null }, 1),
  unary('Clip', { min: -0.5, max: 0.25 }, 1),
  unary('Clip', { min: null, max: 0.25 }, 1),
  unary('LeakyRelu', { alpha: 0.25 }, 1),
  unary('HardSigmoid', { alpha: 0.25, beta: 0.5 }, 1),
  unary('Elu', { alpha: 0.5 }, 1),
  unary('Selu', { alpha: 1.5, gamma: 1.25 }),
  unary('Celu', { alpha: 0.75 }),
  unary('ThresholdedRelu', { alpha: 0.5 }),
  unary('Gelu', { approximate: false }),
  unary('Gelu', { approximate: true }),
  unary('ChannelAffine', { scale: [1, 2, 3, -1, 0.5, 0], shift: [0, 1, -1, 2, 0.25, 0] }, 1),
  unary('ChannelAffine', { scale: [0.5], shift: [1] }, 1),
  unary('ChannelPRelu', { slope: [0.1, 0.2, 0.3, 0.4, 0.5, -0.5] }, 1),
  ...['Sigmoid', 'HardSwish', 'Silu', 'Tanh', 'Neg', 'Abs'].map((kind) => unary(kind, {}, 1)),
  ...[
    'Exp',
    'Sign',
    'Floor',
    'Ceil',
    'Round',
    'Erf',
    'Mish',
    'Softplus',
    'Softsign',
    'Sin',
    'Cos',
    'Copy',
  ].map((kind) => unary(kind)),
  pair('Add', P, P, 0),
  pair('Add', P, ['c', 6], 1),
  pair('Mul', P, [1, 1, 1, 6], 1),
  pair('Sub', P, [4, 6], 1),
  pair('Sub', ['c', 4, 6], P),
  pair('Mul', P, ['c'], 1),
  pair('Min', P, [1, 5, 1, 1]),
  pair('Max', [2, 3, 4], [4], 1),
  pair('SquaredDifference', P, ['c', 1, 1, 6]),
  pair('PRelu', P, ['c', 1, 1, 6]),
  pair('Div', P, ['c', 5, 1, 1]),
  pair('FloorDiv', P, ['c', 5, 1, 1]),
  pair('Mod', P, ['c', 1, 1, 6]),
  { kind: 'Mod', attrs: { truncated: true }, shapes: [P, ['c', 1, 1, 6]] },
  { kind: 'Conv', attrs: { ...window, groups: 2 }, shapes: [P, ['c', 4, 3, 2, 3], ['c', 4]], int8: 0 },
  { kind: 'Conv', attrs: { ...window, groups: 1 }, shapes: [P, [4, 3, 2, 6]] },
  {
    kind: 'ConvTranspose',
    attrs: { ...window, groups: 1, outputPadding: [1, 0] },
    shapes: [P, ['c', 4, 3, 2, 6], ['c', 4]],
    int8: 1,
  },
  {
    kind: 'ConvTranspose',
    attrs: { ...window, groups: 2, outputPadding: [1, 0] },
    shapes: [P, ['c', 4, 3, 2, 3]],
    int8: 1,
  },
  {
    kind: 'ConvTranspose',
    attrs: { ...window, groups: 2, outputPadding: [0, 0] },
    shapes: [P, [4, 3, 2, 3]],
  },
  unary('MaxPool', { ...window, kernel: [3, 3], ceil: false }, 0),
  unary('MaxPool', { kernel: [3, 3], stride: [2, 2], dilation: [1, 1], pads: [0, 0, 0, 0], ceil: true }, 0),
  unary(
    'AveragePool',
    { kernel: [3, 2], stride: [2, 2], dilation: [1, 1], pads: [1, 0, 1, 1], ceil: false, countPad: true },
    1,
  ),
  unary(
    'AveragePool',
    { kernel: [3, 2], stride: [1, 1], dilation: [1, 1], pads: [1, 0, 1, 1], ceil: false, countPad: false },
    1,
  ),
  resize('nearest', 'asymmetric'),
  resize('nearest', 'half_pixel', 'round_prefer_ceil'),
  resize('linear', 'half_pixel'),
  resize('linear', 'align_corners'),
  resize('cubic', 'pytorch_half_pixel', 'floor', [10, 8]),
  { kind: 'DepthToSpace', attrs: { block: 2, order: 'DCR' }, shapes: [[1, 3, 2, 8]], int8: 0 },
  { kind: 'DepthToSpace', attrs: { block: 2, order: 'CRD' }, shapes: [[1, 3, 2, 8]], int8: 0 },
  { kind: 'SpaceToDepth', attrs: { block: 2, order: 'DCR' }, shapes: [[1, 4, 6, 3]] },
  { kind: 'SpaceToDepth', attrs: { block: 2, order: 'CRD' }, shapes: [[1, 4, 6, 3]] },
  unary('ChannelShuffle', { groups: 2 }, 0),
  { kind: 'FullyConnected', attrs: { flatten: true }, shapes: [P, ['c', 3, 120], ['c', 3]], int8: 0 },
  { kind: 'FullyConnected', attrs: { flatten: true }, shapes: [P, [3, 120]] },
  { kind: 'FullyConnected', attrs: { flatten: false }, shapes: [P, ['c', 3, 6], ['c', 3]], int8: 1 },
  {
    kind: 'FullyConnected',
    attrs: { flatten: false },
    shapes: [
      [2, 6],
      ['c', 3, 6],
    ],
    int8: 0,
  },
  {
    kind: 'MatMul',
    attrs: { transposeA: false, transposeB: true },
    shapes: [
      [2, 3, 4],
      [2, 5, 4],
    ],
    int8: 1,
  },
  {
    kind: 'MatMul',
    attrs: { transposeA: true, transposeB: false },
    shapes: [
      [1, 2, 4, 3],
      ['c', 4, 5],
    ],
  },
  unary('ReduceMean', { axes: [1, 2], keepDims: true }, 0),
  unary('ReduceMean', { axes: [1, 2], keepDims: false }, 1),
  unary('ReduceMean', { axes: [3], keepDims: false }),
  unary('ReduceMax', { axes: [1], keepDims: false }),
  unary('ReduceSum', { axes: [2, 3], keepDims: true }),
  unary('ReduceL2', { axes: [3], keepDims: true }),
  unary('Softmax', { axis: 3, beta: 1 }, 1),
  unary('Softmax', { axis: 1, beta: 2 }),
  { kind: 'LogSoftmax', attrs: { axis: 1, beta: 1 }, shapes: [[3, 7]] },
  unary('LpNormalization', { axis: 3, p: 2 }),
  unary('LRN', { size: 3, alpha: 0.5, beta: 0.75, bias: 1 }),
  { kind: 'InstanceNormalization', attrs: { epsilon: 1e-5 }, shapes: [P, ['c', 6], ['c', 6]] },
  { kind: 'LayerNormalization', attrs: { axis: 3, epsilon: 1e-5 }, shapes: [P, ['c', 6], ['c', 6]] },
  unary('Reshape', { shape: [5, 24] }, 0),
  unary('Reshape', { shape: [1, 10, 2, 6] }, 0),
  { kind: 'Reshape', attrs: { shape: [1, 1, 1, 12] }, shapes: [[1, 12]] },
  { kind: 'Concat', attrs: { axis: 3 }, shapes: [P, P], int8: 0 },
  { kind: 'Concat', attrs: { axis: 1 }, shapes: [P, ['c', ...P]], int8: 0 },
  {
    kind: 'Concat',
    attrs: { axis: 0 },
    shapes: [
      [2, 3],
      [1, 3],
    ],
  },
  unary('Slice', { starts: [0, 1, 3, 2], steps: [1, 2, -1, 1], sizes: [1, 2, 4, 3] }, 0),
  unary('Pad', { before: [0, 1, 0, 2], after: [0, 2, 1, 0], mode: 'constant', value: 0.5 }, 0),
  unary('Pad', { before: [0, 1, 2, 0], after: [0, 2, 1, 0], mode: 'reflect', value: 0 }),
  unary('Pad', { before: [0, 1, 2, 0], after: [0, 2, 1, 0], mode: 'edge', value: 0 }),
  unary('Transpose', { perm: [0, 2, 3, 1] }, 0),
  unary('Transpose', { perm: [0, 3, 1, 2] }),
  { kind: 'Transpose', attrs: { perm: [1, 0, 2] }, shapes: [[2, 3, 4]] },
  unary('Tile', { repeats: [1, 2, 1, 3] }),
  { kind: 'Expand', attrs: { shape: [2, 5, 4, 6] }, shapes: [[1, 5, 1, 6]] },
];

function graphOf({ kind, attrs = {}, shapes }: Case): Graph {
  const b = new GraphBuilder(kind, 'onnx');
  const seed = `${kind}${JSON.stringify(attrs)}${shapes}`;
  const inputs = shapes.map((raw, i): Tensor => {
    const shape = raw.filter((d) => d !== 'c');
    if (raw[0] !== 'c') return b.input(portOf(`x${i}`, shape), F32);
    return b.constant(`c${i}`, shape, uniformValues(seedOf(`${seed}${i}`), elementCount(shape), 1.5));
  });
  const y = b.op(kind, inputs, attrs, { name: 'y' });
  b.output(y, portOf('y', y.shape));
  return b.build();
}

const portOf = (name: string, shape: readonly number[]) =>
  shape.length === 4
    ? { name, shape: [shape[0], shape[3], shape[1], shape[2]], dtype: 'f32', perm: [0, 2, 3, 1] }
    : { name, shape, dtype: 'f32' };

const inputsOf = (graph: Graph) =>
  graph.inputs.map((p, i) => uniformValues(seedOf(`in${i}`), elementCount(graph.tensors[p.tensor].shape), 2));

const title = (c: Case) =>
  `${c.kind} ${JSON.stringify(c.attrs ?? {})} of ${c.shapes.map((s) => `[${s}]`).join(' ')}`;

describe('written operators', () => {
  it.each(CASES.map((c) => [title(c), c] as const))('%s', async (_title, c) => {
    const graph = graphOf(c);
    expect((await compareWithRuntime(graph, inputsOf(graph))).relative).toBeLessThan(1e-5);
  });

  const integer = CASES.filter((c) => c.int8 !== undefined);
  it.each(integer.map((c) => [title(c), c] as const))('int8 %s', async (_title, c) => {
    const float = graphOf(c);
    const graph = quantiseGraph(float, calibrate(float, inputsOf(float)));
    const stored = inputsOf(float).map((values, i) => {
      const encode = quantiser(graph.tensors[graph.inputs[i].tensor]);
      return Int8Array.from(values, (v) => encode(v));
    });
    expect((await compareWithRuntime(graph, stored)).greatest).toBeLessThanOrEqual(c.int8!);
  });

  it.each(['FloorDiv', 'Mod'])('%s of integers', async (kind) => {
    const b = new GraphBuilder(kind, 'onnx');
    const a = b.input({ name: 'a', shape: [6], dtype: 'i32' }, { dtype: 'i32' });
    const y = b.op(kind, [a, b.constant('by', [6], Int32Array.of(3, 3, -3, -3, 2, 5))], {});
    b.output(y, { name: 'y', shape: [6], dtype: 'i32' });
    expect((await compareWithRuntime(b.build(), [Int32Array.of(7, -7, 7, -7, -8, 4)])).count).toBe(0);
  });

  it('a step of an epilogue that only changes the type', async () => {
    const type = (scale: number, zero: number) => ({ dtype: 'i8', quant: perTensor(scale, zero) }) as const;
    const b = new GraphBuilder('steps', 'onnx');
    const x = b.input({ name: 'x', shape: [1, 2, 4, 4], dtype: 'i8', perm: [0, 2, 3, 1] }, type(1 / 16, 3));
    const [from, to] = [type(1 / 8, -5), type(1 / 20, 7)];
    const epilogue = [{ kind: 'Requantize', attrs: {}, from, to }];
    const y = b.op('Add', [x, x], {}, { name: 'y', given: [{ shape: x.shape, ...to }], epilogue });
    b.output(y, { name: 'y', shape: [1, 2, 4, 4], dtype: 'i8', perm: [0, 2, 3, 1] });
    const values = Int8Array.from({ length: 32 }, (_, i) => i * 7 - 100);
    expect((await compareWithRuntime(b.build(), [values])).greatest).toBeLessThanOrEqual(1);
  });

  it('an output that a file shows twice, once', () => {
    const graph = graphOf(unary('Copy'));
    const twice = { ...graph, outputs: [...graph.outputs, ...graph.outputs] };
    expect(writeOnnx(twice)).toEqual(writeOnnx(graph));
  });

  it('names the operator that it cannot write', () => {
    const graph = graphOf(
      unary('Pad', { before: [0, 1, 1, 0], after: [0, 1, 1, 0], mode: 'symmetric', value: 0 }),
    );
    expect(() => writeOnnx(graph)).toThrow('operator y (Pad): ONNX has no symmetric padding');
  });
});
