/** One-operator files with results worked out by hand, for operators that no public vector covers. */
import type { Builder } from 'flatbuffers';
import { describe, expect, test } from 'vitest';
import { runReference } from '../../../run/reference.ts';
import { readTflite } from '../read.ts';
import { floats, ints, type TestTensor, tfliteFile } from '../testing/model-file.ts';
import { importedBuiltins, importerOf } from './importers.ts';

type Options = (b: Builder) => void;
type Extra = Omit<TestTensor, 'name'>;

interface Case {
  readonly name: string;
  readonly code: number;
  readonly x: readonly number[];
  readonly shape?: readonly number[];
  /** Inputs after x. */
  readonly more?: readonly Extra[];
  /** Place of x among the inputs. */
  readonly place?: number;
  readonly options?: Options;
  readonly type?: 'f32' | 'i32' | 'bool';
  /** One list an output. */
  readonly expected: readonly (readonly number[])[];
  readonly outputShape?: readonly number[];
  readonly outputType?: 'f32' | 'i32' | 'i64' | 'bool';
}

const axis = (...values: number[]): Extra => ({ shape: [values.length], type: 'i32', data: ints(...values) });
const scalar = (value: number): Extra => ({ shape: [], type: 'i32', data: ints(value) });
const real = (shape: number[], ...values: number[]): Extra => ({ shape, data: floats(...values) });
const keepDims: Options = (b) => b.addFieldInt8(0, 1, 0);

const CASES: Case[] = [
  { name: 'EXP', code: 47, x: [0, 1], expected: [[1, Math.E]] },
  { name: 'LOG', code: 73, x: [1, Math.E], expected: [[0, 1]] },
  { name: 'SIN', code: 66, x: [0, Math.PI / 2], expected: [[0, 1]] },
  { name: 'COS', code: 108, x: [0, Math.PI], expected: [[1, -1]] },
  { name: 'SQRT', code: 75, x: [4, 9], expected: [[2, 3]] },
  { name: 'RSQRT', code: 76, x: [4, 16], expected: [[0.5, 0.25]] },
  { name: 'CEIL', code: 104, x: [0.5, -0.5], expected: [[1, -0]] },
  { name: 'ROUND, ties to even', code: 116, x: [0.5, 1.5, -2.5], expected: [[0, 2, -2]] },
  { name: 'ELU', code: 111, x: [1, -1], expected: [[1, Math.exp(-1) - 1]] },
  { name: 'SIGN', code: 158, x: [-3, 0, 2], expected: [[-1, 0, 1]] },
  { name: 'RELU_0_TO_1', code: 152, x: [-1, 0.5, 2], expected: [[0, 0.5, 1]] },
  {
    name: 'LEAKY_RELU',
    code: 98,
    x: [-2, 2],
    options: (b) => b.addFieldFloat32(0, 0.25, 0),
    expected: [[-0.5, 2]],
  },
  { name: 'POW', code: 78, x: [2, 3], more: [real([2], 3, 2)], expected: [[8, 9]] },
  { name: 'SQUARED_DIFFERENCE', code: 99, x: [1, 5], more: [real([2], 3, 2)], expected: [[4, 9]] },
  { name: 'FLOOR_DIV', code: 90, x: [7, -7], more: [real([1], 2)], expected: [[3, -4]] },
  {
    name: 'FLOOR_MOD',
    code: 95,
    x: [7, -7, 7, -7],
    more: [real([4], 3, 3, -3, -3)],
    expected: [[1, 2, -2, -1]],
  },
  {
    name: 'SUB with RELU6',
    code: 41,
    x: [9, 1],
    more: [real([2], 1, 2)],
    options: (b) => b.addFieldInt8(0, 3, 0),
    expected: [[6, 0]],
  },
  {
    name: 'ADD with TANH',
    code: 0,
    x: [0, 1],
    more: [real([2], 0, 1)],
    options: (b) => b.addFieldInt8(0, 4, 0),
    expected: [[0, Math.tanh(2)]],
  },
  { name: 'ADD_N', code: 106, x: [1, 2], more: [real([2], 3, 4), real([2], 5, 6)], expected: [[9, 12]] },
  { name: 'LESS', code: 58, x: [1, 2], more: [real([1], 2)], expected: [[1, 0]], outputType: 'bool' },
  {
    name: 'GREATER_EQUAL',
    code: 62,
    x: [1, 2],
    more: [real([1], 2)],
    expected: [[0, 1]],
    outputType: 'bool',
  },
  { name: 'NOT_EQUAL', code: 72, x: [1, 2], more: [real([1], 2)], expected: [[1, 0]], outputType: 'bool' },
  {
    name: 'LOGICAL_OR',
    code: 84,
    x: [1, 0, 0],
    type: 'bool',
    more: [{ shape: [3], type: 'bool', data: Uint8Array.of(0, 0, 1) }],
    expected: [[1, 0, 1]],
    outputType: 'bool',
  },
  { name: 'LOGICAL_NOT', code: 87, x: [1, 0], type: 'bool', expected: [[0, 1]], outputType: 'bool' },
  {
    name: 'SELECT along the first dimension',
    code: 64,
    x: [1, 2, 3, 4],
    shape: [2, 2],
    place: 1,
    more: [{ shape: [2], type: 'bool', data: Uint8Array.of(0, 1) }, real([2, 2], 5, 6, 7, 8)],
    expected: [[5, 6, 3, 4]],
    outputShape: [2, 2],
  },
  {
    name: 'REDUCE_MAX',
    code: 82,
    x: [1, 5, 3, 2],
    shape: [2, 2],
    more: [axis(-1)],
    expected: [[5, 3]],
    outputShape: [2],
  },
  {
    name: 'REDUCE_MIN',
    code: 89,
    x: [1, 5, 3, 2],
    shape: [2, 2],
    more: [axis(0)],
    options: keepDims,
    expected: [[1, 2]],
    outputShape: [1, 2],
  },
  {
    name: 'REDUCE_PROD',
    code: 81,
    x: [1, 5, 3, 2],
    shape: [2, 2],
    more: [axis(0, 1)],
    expected: [[30]],
    outputShape: [],
  },
  {
    name: 'SUM',
    code: 74,
    x: [1, 5, 3, 2],
    shape: [2, 2],
    more: [axis(1)],
    expected: [[6, 5]],
    outputShape: [2],
  },
  {
    name: 'REDUCE_ANY',
    code: 91,
    x: [0, 0, 1, 0],
    shape: [2, 2],
    type: 'bool',
    more: [axis(1)],
    expected: [[0, 1]],
    outputType: 'bool',
    outputShape: [2],
  },
  {
    name: 'ARG_MIN',
    code: 79,
    x: [4, 1, 1, 0, 2, 3],
    shape: [2, 3],
    more: [scalar(-1)],
    expected: [[1, 0]],
    outputType: 'i64',
    outputShape: [2],
  },
  {
    name: 'L2_NORMALIZATION',
    code: 11,
    x: [3, 4],
    shape: [1, 2],
    expected: [[0.6, 0.8]],
    outputShape: [1, 2],
  },
  {
    // 1 / (1 + 2 * (1 + 4)) ^ 1 and so on: the sum runs over neighbours within the radius.
    name: 'LOCAL_RESPONSE_NORMALIZATION',
    code: 13,
    x: [1, 2, 3],
    shape: [1, 1, 1, 3],
    options: (b) => {
      b.addFieldInt32(0, 1, 0);
      b.addFieldFloat32(1, 1, 0);
      b.addFieldFloat32(2, 2, 0);
      b.addFieldFloat32(3, 1, 0);
    },
    expected: [[1 / 11, 2 / 29, 3 / 27]],
    outputShape: [1, 1, 1, 3],
  },
  { name: 'EXPAND_DIMS', code: 70, x: [1, 2], more: [scalar(-1)], expected: [[1, 2]], outputShape: [2, 1] },
  { name: 'SQUEEZE', code: 43, x: [1, 2], shape: [1, 2, 1], expected: [[1, 2]], outputShape: [2] },
  {
    name: 'REVERSE_V2',
    code: 105,
    x: [1, 2, 3, 4],
    shape: [2, 2],
    more: [axis(1)],
    expected: [[2, 1, 4, 3]],
    outputShape: [2, 2],
  },
  {
    name: 'SPLIT_V',
    code: 102,
    x: [1, 2, 3, 4, 5],
    more: [axis(2, -1), scalar(0)],
    options: (b) => b.addFieldInt32(0, 2, 0),
    expected: [
      [1, 2],
      [3, 4, 5],
    ],
    outputShape: [2],
  },
  {
    name: 'UNPACK',
    code: 88,
    x: [1, 2, 3, 4],
    shape: [2, 2],
    options: (b) => {
      b.addFieldInt32(0, 2, 0);
      b.addFieldInt32(1, 1, 0);
    },
    expected: [
      [1, 3],
      [2, 4],
    ],
    outputShape: [2],
  },
  {
    name: 'GATHER_ND',
    code: 107,
    x: [1, 2, 3, 4],
    shape: [2, 2],
    more: [{ shape: [2, 2], type: 'i32', data: ints(1, 0, 0, 1) }],
    expected: [[3, 2]],
    outputShape: [2],
  },
  {
    name: 'BROADCAST_TO',
    code: 130,
    x: [1, 2],
    shape: [2, 1],
    more: [axis(2, 2)],
    expected: [[1, 1, 2, 2]],
    outputShape: [2, 2],
  },
  {
    name: 'MIRROR_PAD, edge not repeated',
    code: 100,
    x: [1, 2, 3],
    more: [{ shape: [1, 2], type: 'i32', data: ints(2, 1) }],
    expected: [[3, 2, 1, 2, 3, 2]],
    outputShape: [6],
  },
  {
    name: 'PADV2',
    code: 60,
    x: [1],
    more: [{ shape: [1, 2], type: 'i32', data: ints(1, 1) }, real([], -7)],
    expected: [[-7, 1, -7]],
    outputShape: [3],
  },
  {
    name: 'BATCH_MATMUL',
    code: 126,
    x: [1, 2, 3, 4],
    shape: [2, 2],
    more: [real([2, 2], 5, 6, 7, 8)],
    options: (b) => b.addFieldInt8(1, 1, 0),
    expected: [[17, 23, 39, 53]],
    outputShape: [2, 2],
  },
  { name: 'CAST', code: 53, x: [1.9, -1.9], expected: [[1, -1]], outputType: 'i32' },
];

function run(c: Case): number[][] {
  const x: TestTensor = { name: 'x', shape: c.shape ?? [c.x.length], type: c.type ?? 'f32' };
  const more = (c.more ?? []).map((t, i) => ({ name: `in${i + 1}`, ...t }));
  const outputs = c.expected.map((list, i) => ({
    name: `y${i}`,
    shape: c.expected.length === 1 ? (c.outputShape ?? [list.length]) : [list.length],
    type: c.outputType ?? 'f32',
  }));
  const inputs = more.map((_, i) => i + 1);
  inputs.splice(c.place ?? 0, 0, 0);
  const bytes = tfliteFile({
    tensors: [x, ...more, ...outputs],
    nodes: [
      { code: c.code, inputs, outputs: outputs.map((_, i) => 1 + more.length + i), options: c.options },
    ],
    inputs: [0],
    outputs: outputs.map((_, i) => 1 + more.length + i),
  });
  const graph = readTflite(bytes, { name: 'test', file: 'test.tflite' });
  if (c.outputShape) for (const port of graph.outputs) expect(port.shape).toHaveLength(c.outputShape.length);
  const values = c.type === 'bool' ? Uint8Array.from(c.x) : Float32Array.from(c.x);
  return runReference(graph, [values]).map((o) => Array.from(o.values));
}

describe('importers', () => {
  test.each(CASES.map((c) => [c.name, c] as const))('%s', (_, c) => {
    const got = run(c);
    expect(got).toHaveLength(c.expected.length);
    for (const [i, list] of c.expected.entries()) {
      expect(got[i]).toHaveLength(list.length);
      for (const [j, want] of list.entries()) expect(got[i][j]).toBeCloseTo(want, 5);
    }
  });

  test('leave out control flow', () => {
    expect(importedBuiltins().length).toBeGreaterThan(85);
    expect(importerOf('WHILE')).toBeUndefined();
  });
});
