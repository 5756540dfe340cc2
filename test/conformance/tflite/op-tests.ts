/** The one-operator models of the public set: each runs, and equals its vectors where upstream ships some. */
import { basename } from 'node:path';
import { elementCount, type Graph, type TypedArray } from '../../../src/graph/graph.ts';
import { readTflite } from '../../../src/model/tflite/read.ts';
import { RELATIVE_TOLERANCE, relativeError, seededInputs } from './compare.ts';
import { decode, readJson, readModelFile } from './reference-data.ts';
import { runLayers } from './run-layers.ts';

export interface OpTestResult {
  readonly file: string;
  readonly operators: readonly string[];
  readonly verdict: 'equal' | 'close' | 'runs' | 'differs' | 'refused';
  readonly note: string;
}

/** The vectors of a case: files whose name marks them as input k or output k. */
function vectorsOf(files: readonly string[], graph: Graph): { inputs: TypedArray[]; outputs: TypedArray[] } {
  const inputs: TypedArray[] = [];
  const outputs: TypedArray[] = [];
  for (const file of files) {
    const [, kind, number] = /(inp|input|out|golden)(\d*)[._][^/]*$/.exec(basename(file)) ?? [];
    const place = Number(number || 0);
    const into = kind.startsWith('in') ? inputs : outputs;
    const port = (kind.startsWith('in') ? graph.inputs : graph.outputs)[place];
    const bytes = readModelFile('tflite-op-tests', file);
    into[place] = file.endsWith('.csv') ? numbersOf(bytes) : decode(bytes, port.dtype);
  }
  return { inputs, outputs };
}

function numbersOf(csv: Uint8Array): TypedArray {
  const fields = new TextDecoder().decode(csv).split(/[\s,]+/);
  return Int16Array.from(
    fields.filter((f) => f !== ''),
    Number,
  );
}

// biome-ignore lint/suspicious/noExplicitAny: an entry of the set's index
export function runOpTest(entry: any): OpTestResult {
  const { file, ops: operators } = entry;
  const result = (verdict: OpTestResult['verdict'], note = ''): OpTestResult => ({
    file,
    operators,
    verdict,
    note,
  });
  try {
    const graph = readTflite(readModelFile('tflite-op-tests', file), { name: file, file });
    if (entry.vectors.length === 0) {
      const outputs = runLayers(graph, seededInputs(graph));
      const right = outputs.every((o, i) => o.length === elementCount(graph.outputs[i].shape));
      return right
        ? result('runs')
        : result('differs', 'an output has another number of elements than its shape');
    }
    const { inputs, outputs } = vectorsOf(entry.vectors, graph);
    const got = runLayers(graph, inputs);
    const error = Math.max(...outputs.map((want, i) => relativeError(got[i], want)));
    const exact = graph.outputs.every((p) => p.dtype !== 'f32');
    if (error === 0) return result('equal');
    if (!exact && error <= RELATIVE_TOLERANCE) return result('close');
    return result('differs', `by ${error.toExponential(1)} of the range`);
  } catch (error) {
    return result('refused', (error as Error).message);
  }
}

export function runOpTests(): OpTestResult[] {
  return readJson('tflite-op-tests/index.json').map(runOpTest);
}
