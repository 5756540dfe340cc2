import { expect, test } from 'vitest';
import type { TypedArray } from '../../graph/graph.ts';
import { runReference } from '../../run/reference.ts';
import { readTflite } from './read.ts';
import { ints, type TestNode, type TestTensor, tfliteFile } from './testing/model-file.ts';

const [ADD, DEQUANTIZE, PADV2, ADD_N, QUANTIZE] = [0, 6, 60, 106, 114];

const scaled = (name: string, shape: readonly number[], scale: number, ...data: number[]): TestTensor => ({
  name,
  shape,
  type: 'i32',
  scale: [scale],
  zeroPoint: [0],
  ...(data.length > 0 ? { data: ints(...data) } : {}),
});

/** What the operators make of the inputs, which are the file's first tensors. */
function results(
  tensors: readonly TestTensor[],
  nodes: readonly TestNode[],
  ...values: TypedArray[]
): number[] {
  const inputs = values.map((_, i) => i);
  const bytes = tfliteFile({ tensors, nodes, inputs, outputs: nodes[nodes.length - 1].outputs });
  const [output] = runReference(readTflite(bytes, { name: 'test', file: 'test.tflite' }), values);
  return Array.from(output.values);
}

test('a third input that is no bias has no scale', () => {
  const tensors = [0.5, 0.25, 0.125, 0.5].map((scale, i) => scaled(`t${i}`, [1, 2], scale));
  const sum = { code: ADD_N, inputs: [0, 1, 2], outputs: [3] };
  const values = [
    [1, 2],
    [10, 20],
    [100, 200],
  ].map((v) => Int32Array.from(v));
  expect(results(tensors, [sum], ...values)).toEqual([111, 222]);
});

test('nor has the value that a picture is padded with', () => {
  const pads: TestTensor = { name: 'pads', shape: [2, 2], type: 'i32', data: ints(0, 0, 1, 0) };
  const tensors = [scaled('x', [1, 2], 0.5), pads, scaled('v', [1], 0.25, 7), scaled('y', [1, 3], 0.5)];
  const padded = { code: PADV2, inputs: [0, 1, 2], outputs: [3] };
  expect(results(tensors, [padded], Int32Array.of(1, 2))).toEqual([7, 1, 2]);
});

test('integers with a scale are added as they are stored, whoever takes the scale before and after', () => {
  const real = (name: string): TestTensor => ({ name, shape: [1, 2] });
  const tensors = [
    real('x'),
    scaled('b', [1, 2], 0.25),
    scaled('q', [1, 2], 0.5),
    scaled('sum', [1, 2], 0.125),
    real('y'),
  ];
  const nodes = [
    { code: QUANTIZE, inputs: [0], outputs: [2] },
    { code: ADD, inputs: [2, 1], outputs: [3] },
    { code: DEQUANTIZE, inputs: [3], outputs: [4] },
  ];
  // (10 / 0.5 + 20) * 0.125
  expect(results(tensors, nodes, Float32Array.of(10, 11), Int32Array.of(20, 30))).toEqual([5, 6.5]);
});
