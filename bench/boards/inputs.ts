/** Real inputs of the public models, and what TFLite's reference kernels gave for them (tflm/real). */
import type { Graph, TypedArray } from '../../src/graph/graph.ts';
import { randomValues, seeded } from '../../src/ops/testing/operator-case.ts';
import type { FileArray } from '../../src/run/input/file-array.ts';
import { fromTensor } from '../../src/run/input/port-values.ts';
import { readJson, readModelFile } from '../../test/conformance/tflite/reference-data.ts';

export interface RealInput {
  readonly tensors: readonly TypedArray[];
  readonly arrays: readonly FileArray[];
  /** Left out: the input is made up. */
  readonly expected?: Int8Array;
  readonly what: string;
}

const MAPS: Readonly<Record<string, (stored: Uint8Array) => Int8Array>> = {
  'u8-128': (s) => Int8Array.from(s, (v) => v - 128),
  'as stored': (s) => new Int8Array(s),
  'u8 bytes reinterpreted as int8': (s) => new Int8Array(s),
};

/** `key` is one of tflm/real/index.json; left out: numbers from a seed. */
export function inputOf(graph: Graph, key: string | undefined): RealInput {
  const port = graph.inputs[0];
  if (key === undefined) {
    const tensor = graph.tensors[port.tensor];
    const count = tensor.shape.reduce((n, d) => n * d, 1);
    const values = Int8Array.from(randomValues(seeded(5), tensor, count));
    return { tensors: [values], arrays: [fromTensor(port, values)], what: 'made up' };
  }
  const entry = readJson('tflm/real/index.json')[key];
  const values = MAPS[entry.map](new Uint8Array(readModelFile('tflm/real', entry.stored)));
  const expected = new Int8Array(new Uint8Array(readModelFile('tflm/real', entry.outputs[0].file)));
  return { tensors: [values], arrays: [fromTensor(port, values)], expected, what: key.replace(/^.*\./, '') };
}
