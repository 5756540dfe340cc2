/**
 * Real inputs of the public models, and what TFLite's reference kernels gave for them (tflm/real). Anomaly detection has
 * none there: it hears a recording from a package instead, and made-up numbers where that is not installed.
 */
import { elementCount, type Graph, type TypedArray } from '../../src/graph/graph.ts';
import { randomValues, seeded } from '../../src/ops/testing/operator-case.ts';
import type { FileArray } from '../../src/run/input/file-array.ts';
import { fromTensor, quantiseReal } from '../../src/run/input/port-values.ts';
import { readJson, readModelFile } from '../../test/conformance/tflite/reference-data.ts';
import { type Heard, hearBus, NO_BUS } from './sound/bus.ts';

/** The key of the recording, beside those of tflm/real/index.json. */
export const BUS = 'bus';

export interface RealInput {
  readonly tensors: readonly TypedArray[];
  readonly arrays: readonly FileArray[];
  /** Left out: the public models have no answer to this input. */
  readonly expected?: Int8Array;
  /** The recording that the input is a piece of. */
  readonly heard?: Heard;
  readonly what: string;
}

const MAPS: Readonly<Record<string, (stored: Uint8Array) => Int8Array>> = {
  'u8-128': (s) => Int8Array.from(s, (v) => v - 128),
  'as stored': (s) => new Int8Array(s),
  'u8 bytes reinterpreted as int8': (s) => new Int8Array(s),
};

/** `key` is the bus, or one of tflm/real/index.json. */
export function inputOf(graph: Graph, key: string): RealInput {
  const port = graph.inputs[0];
  if (key === BUS) {
    const tensor = graph.tensors[port.tensor];
    const heard = NO_BUS ? undefined : hearBus();
    const values = Int8Array.from(
      heard
        ? quantiseReal(heard.middle, tensor)
        : randomValues(seeded(5), tensor, elementCount(tensor.shape)),
    );
    return { tensors: [values], arrays: [fromTensor(port, values)], heard, what: heard ? BUS : 'made up' };
  }
  const entry = readJson('tflm/real/index.json')[key];
  const values = MAPS[entry.map](new Uint8Array(readModelFile('tflm/real', entry.stored)));
  const expected = new Int8Array(new Uint8Array(readModelFile('tflm/real', entry.outputs[0].file)));
  return { tensors: [values], arrays: [fromTensor(port, values)], expected, what: key.replace(/^.*\./, '') };
}
