/** Real pictures and sounds through a model, compared with what the TFLite reference kernels gave for them. */
import type { Graph, TypedArray } from '../../../src/graph/graph.ts';
import { readTflite } from '../../../src/model/tflite/read.ts';
import { isQuantised, RELATIVE_TOLERANCE, type Run, relativeError, type Verdict } from './compare.ts';
import { decode, encode, fnv1a64, readJson, readModelFile, shortType } from './reference-data.ts';
import { runLayers } from './run-layers.ts';

/** How a stored real input becomes the input tensor (tflm/real/index.json). */
const MAPS: Record<string, (stored: Uint8Array) => TypedArray> = {
  'u8-128': (s) => Int8Array.from(s, (v) => v - 128),
  'raw u8': (s) => s,
  'as stored': (s) => new Int8Array(s),
  'u8 bytes reinterpreted as int8': (s) => new Int8Array(s),
  'float32(u8)': (s) => Float32Array.from(s),
  'float32(u8)/255': (s) => Float32Array.from(s, (v) => v / 255),
  'float32(u8)/127.5-1': (s) => Float32Array.from(s, (v) => Math.fround(Math.fround(v / 127.5) - 1)),
};

/** One real input against the reference kernels' outputs. Left out: it runs operator by operator. */
export function compareReal(key: string, graphs: Map<string, Graph>, run: Run = runLayers): Verdict {
  const started = performance.now();
  const entry = readJson('tflm/real/index.json')[key];
  const graph =
    graphs.get(entry.model) ??
    readTflite(readModelFile('tflite', entry.model), { name: key, file: entry.model });
  graphs.set(entry.model, graph);
  const done = (v: Pick<Verdict, 'verdict' | 'error' | 'note'>): Verdict => ({
    name: key,
    reference: 'reference kernels',
    seconds: (performance.now() - started) / 1000,
    quantised: isQuantised(graph),
    ...v,
  });
  const map = MAPS[entry.map];
  if (!map) return done({ verdict: 'refused', error: Infinity, note: `unknown map ${entry.map}` });
  const input = map(readModelFile('tflm/real', entry.stored));
  const hash = fnv1a64(encode(input, shortType(entry.input_dtype)));
  if (hash !== entry.input_fnv1a64)
    return done({ verdict: 'differs', error: Infinity, note: `the input's hash is ${hash}` });
  const outputs = run(graph, [input]);
  let error = 0;
  let equal = true;
  for (const [i, want] of entry.outputs.entries()) {
    const at = graph.outputs.findIndex((p) => p.name === want.name);
    const target = decode(readModelFile('tflm/real', want.file), shortType(want.dtype));
    const got = outputs[at < 0 ? i : at];
    error = Math.max(error, relativeError(got, target));
    equal &&= got.length === target.length && got.every((v, j) => v === target[j]);
  }
  return done({
    verdict: equal ? 'equal' : error <= RELATIVE_TOLERANCE ? 'close' : 'differs',
    error,
    note: '',
  });
}
