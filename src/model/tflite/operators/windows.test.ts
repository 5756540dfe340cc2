import { describe, expect, test } from 'vitest';
import type { Graph, TypedArray } from '../../../graph/graph.ts';
import { runReference } from '../../../run/reference.ts';
import { readTflite } from '../read.ts';
import { floats, ints, type TestNode, type TestTensor, tfliteFile } from '../testing/model-file.ts';
import { explicitPads } from './windows.ts';

const TRANSPOSE_CONV = 67;
const DEPTHWISE_CONV_2D = 4;
const RESIZE_NEAREST_NEIGHBOR = 97;

function graphOf(tensors: TestTensor[], node: TestNode): Graph {
  const file = { tensors, nodes: [node], inputs: [0], outputs: [node.outputs[0]] };
  return readTflite(tfliteFile(file), { name: 'test', file: 'test.tflite' });
}

function run(graph: Graph, x: TypedArray): number[] {
  return Array.from(runReference(graph, [x])[0].values);
}

test('SAME padding gives the odd pixel to the end', () => {
  expect(explicitPads('same', [5, 6], [3, 3], [2, 2], [1, 1])).toEqual([1, 0, 1, 1]);
  expect(explicitPads('same', [7, 7], [3, 3], [1, 1], [2, 3])).toEqual([2, 3, 2, 3]);
  expect(explicitPads('same', [4, 4], [1, 1], [3, 3], [1, 1])).toEqual([0, 0, 0, 0]);
  expect(explicitPads('valid', [5, 5], [3, 3], [1, 1], [1, 1])).toEqual([0, 0, 0, 0]);
});

describe('a transposed convolution', () => {
  const model = (padding: number, size: number[]) =>
    graphOf(
      [
        { name: 'x', shape: [1, 1, 3, 1] },
        { name: 'size', shape: [4], type: 'i32', data: ints(1, ...size, 1) },
        { name: 'w', shape: [1, 1, 3, 1], data: floats(1, 10, 100) },
        { name: 'y', shape: [1, ...size, 1] },
      ],
      {
        code: TRANSPOSE_CONV,
        inputs: [1, 2, 0],
        outputs: [3],
        options: (b) => {
          b.addFieldInt8(0, padding, 9);
          b.addFieldInt32(1, 2, 0);
          b.addFieldInt32(2, 1, 0);
        },
      },
    );

  // Each input adds its multiple of the weights, two columns further on; SAME cuts the padding off.
  test('VALID keeps all columns', () => {
    expect(run(model(1, [1, 7]), Float32Array.of(1, 2, 3))).toEqual([1, 10, 102, 20, 203, 30, 300]);
  });

  test('SAME makes twice the columns, without the one that the padding hides', () => {
    expect(run(model(0, [1, 6]), Float32Array.of(1, 2, 3))).toEqual([1, 10, 102, 20, 203, 30]);
  });

  test('VALID may ask for columns that no input reaches', () => {
    expect(run(model(1, [1, 8]), Float32Array.of(1, 2, 3))).toEqual([1, 10, 102, 20, 203, 30, 300, 0]);
  });
});

test('depthwise weights change their layout, with a multiplier', () => {
  const graph = graphOf(
    [
      { name: 'x', shape: [1, 1, 2, 2] },
      { name: 'w', shape: [1, 1, 2, 4], data: floats(1, 2, 3, 4, 10, 20, 30, 40) },
      { name: 'y', shape: [1, 1, 1, 4] },
    ],
    {
      code: DEPTHWISE_CONV_2D,
      inputs: [0, 1],
      outputs: [2],
      options: (b) => {
        b.addFieldInt8(0, 1, 0);
        b.addFieldInt32(1, 1, 0);
        b.addFieldInt32(2, 1, 0);
        b.addFieldInt32(3, 2, 0);
      },
    },
  );
  expect(graph.operators[0].attrs).toMatchObject({ groups: 2 });
  expect(run(graph, Float32Array.of(1, 2, 3, 4))).toEqual([31, 62, 126, 168]);
});

test('nearest resizing knows its three coordinate rules', () => {
  const resize = (align: number, half: number) =>
    graphOf(
      [
        { name: 'x', shape: [1, 1, 5, 1] },
        { name: 'size', shape: [2], type: 'i32', data: ints(1, 3) },
        { name: 'y', shape: [1, 1, 3, 1] },
      ],
      {
        code: RESIZE_NEAREST_NEIGHBOR,
        inputs: [0, 1],
        outputs: [2],
        options: (b) => {
          b.addFieldInt8(0, align, 0);
          b.addFieldInt8(1, half, 0);
        },
      },
    );
  const x = Float32Array.of(0, 1, 2, 3, 4);
  expect(run(resize(0, 0), x)).toEqual([0, 1, 3]);
  expect(run(resize(1, 0), x)).toEqual([0, 2, 4]);
  expect(run(resize(0, 1), x)).toEqual([0, 2, 4]);
});

test('weights of eight bits on real activations are dequantised', () => {
  const graph = graphOf(
    [
      { name: 'x', shape: [1, 1, 1, 1] },
      { name: 'w', shape: [2, 1, 1, 1], type: 'i8', data: Uint8Array.of(3, 254), scale: [0.5, 2] },
      { name: 'y', shape: [1, 1, 1, 2] },
    ],
    {
      code: 3,
      inputs: [0, 1],
      outputs: [2],
      options: (b) => {
        b.addFieldInt32(1, 1, 0);
        b.addFieldInt32(2, 1, 0);
      },
    },
  );
  expect(run(graph, Float32Array.of(2))).toEqual([3, -8]);
});
