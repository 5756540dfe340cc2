import { describe, expect, it } from 'vitest';
import {
  bytesTensor,
  floats,
  int64s,
  seeded,
  type TinyModel,
  tinyCnn,
  tinyModel,
} from '../../../test/onnx/tiny-model.ts';
import type { Graph } from '../../graph/graph.ts';
import { readOnnx } from './read.ts';

const read = (model: TinyModel): Graph => readOnnx(tinyModel(model), { name: 'tiny', file: 'tiny.onnx' });
const kinds = (graph: Graph) => graph.operators.map((op) => op.kind);

describe('channels', () => {
  it('come last: the ports carry the permutation', () => {
    const graph = read(tinyCnn());
    expect(kinds(graph)).toEqual(['Conv', 'Clip']);
    expect(graph.inputs[0]).toMatchObject({
      name: 'x',
      shape: [1, 3, 8, 8],
      dtype: 'f32',
      perm: [0, 2, 3, 1],
    });
    expect(graph.tensors[graph.inputs[0].tensor].shape).toEqual([1, 8, 8, 3]);
    expect(graph.outputs[0]).toMatchObject({ name: 'y', shape: [1, 4, 8, 8], perm: [0, 2, 3, 1] });
  });

  it('need no transposes around a network that is channels last outside', () => {
    const { weights, nodes } = tinyCnn();
    const graph = read({
      inputs: { image: [1, 8, 8, 3] },
      outputs: ['picture'],
      weights,
      nodes: [
        { op: 'Transpose', in: ['image'], out: ['x'], attrs: { perm: [0, 3, 1, 2] } },
        ...nodes,
        { op: 'Transpose', in: ['y'], out: ['picture'], attrs: { perm: [0, 2, 3, 1] } },
      ],
    });
    expect(kinds(graph)).toEqual(['Conv', 'Clip']);
    expect(graph.inputs[0].perm).toBeUndefined();
    expect(graph.outputs[0].perm).toBeUndefined();
  });

  it('of a flattened picture reorder the weights, not the picture', () => {
    const { inputs, weights, nodes } = tinyCnn();
    const graph = read({
      inputs,
      outputs: ['z'],
      weights: [...weights!, floats('f', [10, 256], seeded(2560))],
      nodes: [
        ...nodes,
        { op: 'Flatten', in: ['y'], out: ['flat'] },
        { op: 'Gemm', in: ['flat', 'f'], out: ['z'], attrs: { transB: 1 } },
      ],
    });
    expect(kinds(graph)).toEqual(['Conv', 'Clip', 'FullyConnected']);
    const fc = graph.operators[2];
    const permuted = graph.tensors[fc.inputs[1]].constant!.load();
    const original = Float32Array.from(seeded(2560));
    // Column (h, w, c) of the new weights is column (c, h, w) of the old ones.
    expect(permuted[(3 * 8 + 5) * 4 + 2]).toBe(original[(2 * 8 + 3) * 8 + 5]);
  });
});

describe('movements of channels-first files', () => {
  const reshapes = (middle: number[], perm: number[], end: number[], x = [1, 8, 4, 4]): TinyModel => ({
    inputs: { x },
    outputs: ['y'],
    weights: [int64s('m', middle), int64s('e', end), floats('w', [8, 1, 1, 1], seeded(8))],
    nodes: [
      { op: 'Conv', in: ['x', 'w'], out: ['c'], attrs: { group: 8 } },
      { op: 'Reshape', in: ['c', 'm'], out: ['a'] },
      { op: 'Transpose', in: ['a'], out: ['b'], attrs: { perm } },
      { op: 'Reshape', in: ['b', 'e'], out: ['r'] },
      { op: 'Relu', in: ['r'], out: ['y'] },
    ],
  });

  it('are recognised as ChannelShuffle, with the picture in one piece or with its rows joined', () => {
    expect(kinds(read(reshapes([1, 2, 4, 4, 4], [0, 2, 1, 3, 4], [1, 8, 4, 4])))).toContain('ChannelShuffle');
    const joined = read(reshapes([1, 2, 4, 16], [0, 2, 1, 3], [1, 8, 4, 4]));
    expect(joined.operators.find((op) => op.kind === 'ChannelShuffle')?.attrs).toEqual({ groups: 2 });
    expect(kinds(joined)).not.toContain('Transpose');
  });

  it.each([
    ['CRD', [1, 2, 2, 2, 4, 4], [0, 1, 4, 2, 5, 3]],
    ['DCR', [1, 2, 2, 2, 4, 4], [0, 3, 4, 1, 5, 2]],
  ])('are recognised as DepthToSpace %s', (order, middle, perm) => {
    const graph = read(reshapes(middle, perm, [1, 2, 8, 8]));
    expect(graph.operators.find((op) => op.kind === 'DepthToSpace')?.attrs).toEqual({ block: 2, order });
    expect(kinds(graph)).not.toContain('Transpose');
  });

  it('of detection heads are views', () => {
    const graph = read(reshapes([1, 8, 16], [0, 2, 1], [1, 32, 4]));
    expect(kinds(graph)).not.toContain('Transpose');
  });
});

describe('what is known before the run', () => {
  it('vanishes: shape arithmetic', () => {
    const graph = read({
      inputs: { x: ['n', 3, 4, 4] },
      outputs: ['y'],
      weights: [int64s('zero', [0], []), int64s('axes', [0]), int64s('rest', [-1])],
      nodes: [
        { op: 'Shape', in: ['x'], out: ['s'] },
        { op: 'Gather', in: ['s', 'zero'], out: ['n'], attrs: { axis: 0 } },
        { op: 'Unsqueeze', in: ['n', 'axes'], out: ['n1'] },
        { op: 'Concat', in: ['n1', 'rest'], out: ['target'], attrs: { axis: 0 } },
        { op: 'Reshape', in: ['x', 'target'], out: ['flat'] },
        { op: 'Relu', in: ['flat'], out: ['y'] },
      ],
    });
    expect(kinds(graph).filter((kind) => kind !== 'Reshape')).toEqual(['Clip']);
    expect(graph.outputs[0].shape).toEqual([1, 48]);
  });

  it('includes initialisers that are inputs as well', () => {
    const model = tinyCnn();
    const graph = read({ ...model, inputs: { ...model.inputs, w: [4, 3, 3, 3], b: [4] } });
    expect(graph.inputs.map((port) => port.name)).toEqual(['x']);
  });
});

describe('quantised models', () => {
  it('keep weights as stored, next to their Dequantize, scales along the output channels', () => {
    const scales = floats('ws', [4], [0.1, 0.2, 0.3, 0.4]);
    const graph = read({
      inputs: { x: [1, 3, 8, 8] },
      outputs: ['y'],
      weights: [
        bytesTensor(
          'wq',
          [4, 3, 3, 3],
          seeded(108).map((v) => v * 127),
          3,
        ),
        scales,
        bytesTensor('wz', [4], [0, 0, 0, 0], 3),
        floats('xs', [], [0.02]),
        bytesTensor('xz', [], [128], 2),
      ],
      nodes: [
        { op: 'QuantizeLinear', in: ['x', 'xs', 'xz'], out: ['xq'] },
        { op: 'DequantizeLinear', in: ['xq', 'xs', 'xz'], out: ['xd'] },
        { op: 'DequantizeLinear', in: ['wq', 'ws', 'wz'], out: ['wd'], attrs: { axis: 0 } },
        { op: 'Conv', in: ['xd', 'wd'], out: ['y'] },
      ],
    });
    expect(kinds(graph).sort()).toEqual(['Conv', 'Dequantize', 'Dequantize', 'Quantize']);
    const conv = graph.operators.find((op) => op.kind === 'Conv')!;
    const dequantize = graph.operators.find((op) => op.outputs[0] === conv.inputs[1])!;
    const stored = graph.tensors[dequantize.inputs[0]];
    expect(stored).toMatchObject({ dtype: 'i8', shape: [4, 3, 3, 3], quant: { axis: 0 } });
    expect(stored.quant!.scale.map((s) => Math.fround(s))).toEqual([0.1, 0.2, 0.3, 0.4].map(Math.fround));
  });

  it('give a quantised input the scale of its first reader', () => {
    const graph = read({
      inputs: { x: [1, 3, 8, 8] },
      elemType: 2,
      outputs: ['y'],
      weights: [floats('s', [], [0.5]), bytesTensor('z', [], [3], 2)],
      nodes: [{ op: 'DequantizeLinear', in: ['x', 's', 'z'], out: ['y'] }],
    });
    expect(graph.tensors[graph.inputs[0].tensor]).toMatchObject({
      dtype: 'u8',
      quant: { scale: [0.5], zeroPoint: [3] },
    });
    expect(kinds(graph)).toEqual(['Dequantize']);
  });
});
