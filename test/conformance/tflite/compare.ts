/** Compares a model's run with its reference outputs: whole outputs, and tensor by tensor by hash. */
import { elementCount, type Graph, type TypedArray } from '../../../src/graph/graph.ts';
import { parseTflite } from '../../../src/model/tflite/file.ts';
import { readTflite } from '../../../src/model/tflite/read.ts';
import {
  decode,
  encode,
  fnv1a64,
  readJson,
  readModelFile,
  seededInput,
  shortType,
} from './reference-data.ts';
import { runLayers } from './run-layers.ts';

export interface Verdict {
  readonly name: string;
  readonly reference: string;
  /** 'equal' bit for bit, 'close' within 1e-4 of the range, 'differs', or 'refused'. */
  readonly verdict: 'equal' | 'close' | 'differs' | 'refused';
  /** Largest difference over the range of the reference output. */
  readonly error: number;
  /** First tensor that differs from the reference, or the reason of a refusal. */
  readonly note: string;
  readonly seconds: number;
  /** Some operator computes on integers: then the result must be equal bit for bit. */
  readonly quantised: boolean;
}

export const RELATIVE_TOLERANCE = 1e-4;

/** Largest absolute difference of two lists, over the range of the second. */
export function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [low, high, worst] = [Infinity, -Infinity, 0];
  for (let i = 0; i < expected.length; i++) {
    low = Math.min(low, expected[i]);
    high = Math.max(high, expected[i]);
    if (got[i] === expected[i] || (Number.isNaN(got[i]) && Number.isNaN(expected[i]))) continue;
    const difference = Math.abs(got[i] - expected[i]);
    worst = Math.max(worst, Number.isNaN(difference) ? Infinity : difference);
  }
  const range = Math.max(high - low, Math.abs(high), Math.abs(low)) || 1;
  return worst / range;
}

export function strided(values: TypedArray, stride: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => values[i * stride]);
}

export function seededInputs(graph: Graph): TypedArray[] {
  return graph.inputs.map((port, i) => seededInput(port.dtype, elementCount(port.shape), i + 1));
}

/** Whether any operator computes on integers. */
export function isQuantised(graph: Graph): boolean {
  return graph.operators.some((op) => op.outputs.some((t) => graph.tensors[t].quant !== undefined));
}

/**
 * The first tensor, in the file's order, whose bytes differ from the reference's hash. Tensors are found by name;
 * those that no longer exist (fused, folded) are passed over.
 */
export function firstDifference(
  file: string,
  graph: Graph,
  hashes: readonly [number, number, number, string][],
): string {
  const model = parseTflite(readModelFile('tflite', file));
  const expected = new Map(
    hashes.map(([op, tensor, bytes, hash]) => [model.tensors[tensor].name, { op, tensor, bytes, hash }]),
  );
  const types = new Map(model.tensors.map((t) => [t.name, t.type]));
  let first = '';
  let seen = 0;
  runLayers(graph, seededInputs(graph), (tensor, values) => {
    const reference = expected.get(tensor.name);
    if (!reference) return;
    seen++;
    if (first) return;
    const bytes = encode(values, types.get(tensor.name)!);
    if (fnv1a64(bytes) !== reference.hash) {
      first = `operator ${reference.op} (${model.nodes[reference.op].builtin}) tensor ${reference.tensor} ${tensor.name}`;
    }
  });
  return first || `${seen} of ${hashes.length} tensors equal`;
}

/** Runs a graph on values in the file's order of axes, and gives such. */
export type Run = (graph: Graph, inputs: readonly TypedArray[]) => readonly TypedArray[];

/**
 * One model on the seeded input against the reference kernels' outputs (tflm/) where there are any, else LiteRT's.
 * `prepare` may rewrite the graph first. Left out: it runs operator by operator.
 */
export function compareModel(
  file: string,
  prepare: (graph: Graph) => Graph = (graph) => graph,
  run: Run = runLayers,
): Verdict {
  const started = performance.now();
  let graph: Graph | undefined;
  const done = (v: Omit<Verdict, 'name' | 'seconds' | 'quantised'>): Verdict => ({
    name: file,
    seconds: (performance.now() - started) / 1000,
    quantised: graph ? isQuantised(graph) : false,
    ...v,
  });
  const tflm = readJson('tflm/index.json')[file];
  const golden = readJson('goldens/goldens.json')[file];
  const exact = Boolean(tflm?.outputs?.length);
  const reference = exact ? 'reference kernels' : 'LiteRT';
  let outputs: readonly TypedArray[];
  try {
    graph = prepare(readTflite(readModelFile('tflite', file), { name: file, file }));
    outputs = run(graph, seededInputs(graph));
  } catch (error) {
    return done({ reference, verdict: 'refused', error: Infinity, note: (error as Error).message });
  }
  const expected = exact ? tflm.outputs : golden.outputs;
  let equal = true;
  let error = 0;
  for (const [i, want] of expected.entries()) {
    const at = graph.outputs.findIndex((p) => p.name === want.name);
    const values = outputs[at < 0 ? i : at];
    const bytes = exact ? readModelFile('tflm', want.file) : readModelFile('goldens', want.file);
    const target = decode(bytes, shortType(want.dtype));
    const got = strided(values, want.stride ?? 1, want.count ?? target.length);
    error = Math.max(error, relativeError(got, target));
    equal &&= got.every((v, j) => Object.is(v, target[j]) || v === target[j]);
    if (exact && want.fnv) equal &&= fnv1a64(encode(values, shortType(want.dtype))) === want.fnv;
  }
  const verdict = equal ? 'equal' : error <= RELATIVE_TOLERANCE ? 'close' : 'differs';
  const note = equal || !tflm?.tensors ? '' : firstDifference(file, graph, tflm.tensors);
  return done({ reference, verdict, error, note });
}
