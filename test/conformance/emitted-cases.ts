/** The operator tests of ONNX and TFLite, run some other way than by the reference executor and compared with it. */
import { TidemarkError } from '../../src/errors.ts';
import { allocate, elementCount, type Graph, type TypedArray } from '../../src/graph/graph.ts';
import { readTflite } from '../../src/model/tflite/read.ts';
import { randomValues, seeded } from '../../src/ops/testing/operator-case.ts';
import { toGraphLayout } from '../../src/run/reference.ts';
import { compareEmitted, type Emitted, type EmittedResult } from './emitted.ts';
import { type Case, readCase, readCases } from './onnx/cases.ts';
import { readJson, readModelFile } from './tflite/reference-data.ts';

export interface NamedResult extends EmittedResult {
  readonly name: string;
}

/** All of ONNX's operator tests, on their own inputs. */
export function onnxResults(emitted: Emitted): NamedResult[] {
  return readCases().map((c) => ({ name: c.dir, ...onnxResult(c, emitted) }));
}

function onnxResult(test: Case, emitted: Emitted): EmittedResult {
  let read: ReturnType<typeof readCase>;
  try {
    read = readCase(test);
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    return { verdict: 'refused', note: error.message };
  }
  const inputsOf = (graph: Graph) =>
    graph.inputs.map((port, i) => {
      const t = graph.tensors[port.tensor];
      const values = allocate(t.dtype, elementCount(t.shape));
      values.set(toGraphLayout(port, read.values[i]) as ArrayLike<number> as TypedArray);
      return values;
    });
  return compareEmitted(read.graph, inputsOf, emitted);
}

/** TFLite's one-operator models with at most so many elements in all tensors, on seeded inputs. */
export function tfliteResults(emitted: Emitted, mostElements = Number.POSITIVE_INFINITY): NamedResult[] {
  const entries: { file: string }[] = readJson('tflite-op-tests/index.json');
  return entries.flatMap(({ file }) => {
    let graph: Graph;
    try {
      graph = readTflite(readModelFile('tflite-op-tests', file), { name: file, file });
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
      return [{ name: file, verdict: 'refused', note: error.message } as const];
    }
    const elements = graph.tensors.reduce((n, t) => n + elementCount(t.shape), 0);
    if (elements > mostElements) return [];
    const random = seeded(11);
    const inputsOf = (g: Graph): TypedArray[] =>
      g.inputs.map(({ tensor }) => {
        const t = g.tensors[tensor];
        const values = randomValues(random, t, elementCount(t.shape));
        // Whole numbers may be indices: small ones, from 0 on.
        return t.dtype === 'i32' ? Int32Array.from(values, (v) => Math.abs(v) % 3) : values;
      });
    return [{ name: file, ...compareEmitted(graph, inputsOf, emitted) }];
  });
}
