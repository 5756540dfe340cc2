import { expect, test } from 'vitest';
import { runReference } from '../../run/reference.ts';
import { readTflite } from './read.ts';
import { ints, type TestNode, type TestTensor, tfliteFile } from './testing/model-file.ts';

const PADV2 = 60;
const ADD_N = 106;

const scaled = (name: string, shape: readonly number[], scale: number, ...data: number[]): TestTensor => ({
  name,
  shape,
  type: 'i32',
  scale: [scale],
  zeroPoint: [0],
  ...(data.length > 0 ? { data: ints(...data) } : {}),
});

/** What one operator makes of its inputs, the first of which are the file's. */
function results(tensors: readonly TestTensor[], node: TestNode, ...values: number[][]): number[] {
  const inputs = values.map((_, i) => i);
  const bytes = tfliteFile({ tensors, nodes: [node], inputs, outputs: node.outputs });
  const graph = readTflite(bytes, { name: 'test', file: 'test.tflite' });
  const [output] = runReference(
    graph,
    values.map((v) => Int32Array.from(v)),
  );
  return Array.from(output.values);
}

test('a third input that is no bias has no scale', () => {
  const tensors = [0.5, 0.25, 0.125, 0.5].map((scale, i) => scaled(`t${i}`, [1, 2], scale));
  const sum = { code: ADD_N, inputs: [0, 1, 2], outputs: [3] };
  expect(results(tensors, sum, [1, 2], [10, 20], [100, 200])).toEqual([111, 222]);
});

test('nor has the value that a picture is padded with', () => {
  const pads: TestTensor = { name: 'pads', shape: [2, 2], type: 'i32', data: ints(0, 0, 1, 0) };
  const tensors = [scaled('x', [1, 2], 0.5), pads, scaled('v', [1], 0.25, 7), scaled('y', [1, 3], 0.5)];
  expect(results(tensors, { code: PADV2, inputs: [0, 1, 2], outputs: [3] }, [1, 2])).toEqual([7, 1, 2]);
});
