/** The public models of both formats as the planner meets them: normalised, with seeded inputs and reference outputs. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { allocate, elementCount, type Graph, type TypedArray } from '../../src/graph/graph.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { parseTflite } from '../../src/model/tflite/file.ts';
import { readTflite } from '../../src/model/tflite/read.ts';
import type { ReferenceOutput } from '../../src/run/reference.ts';
import { readModel } from '../conformance/onnx/models.ts';
import { toleranceOf } from '../conformance/onnx/tolerances.ts';
import { isQuantised, RELATIVE_TOLERANCE, relativeError, strided } from '../conformance/tflite/compare.ts';
import {
  decode,
  encode,
  fnv1a64,
  MODELS,
  readJson,
  readModelFile,
  shortType,
} from '../conformance/tflite/reference-data.ts';
import { EXPECTED } from '../conformance/tflite/special-cases.ts';

export const FORMATS = ['onnx', 'tflite'] as const;
export type Format = (typeof FORMATS)[number];

export const haveModels = FORMATS.every((format) => existsSync(join(MODELS, format)));

export const formatOf = (file: string): Format => (file.endsWith('.onnx') ? 'onnx' : 'tflite');

export const pathOf = (file: string): string => join(MODELS, formatOf(file), file);

/** Every model file of a format. */
export function filesOf(format: Format): string[] {
  if (!haveModels) return [];
  return readdirSync(join(MODELS, format)).filter((f) => f.endsWith(`.${format}`));
}

/** Reads and normalises a model; throws the error a user would see. */
export function loadModel(file: string): Graph {
  if (formatOf(file) === 'onnx') return normalise(readModel(file));
  return normalise(readTflite(readModelFile('tflite', file), { name: file, file }));
}

/** A model with a custom operator, ended at the tensors that it would read. */
export function loadBeforeCustom(file: string): Graph {
  const bytes = readModelFile('tflite', file);
  const { nodes, tensors } = parseTflite(bytes);
  const { inputs } = nodes.find((n) => n.builtin === 'CUSTOM')!;
  const outputs = inputs.map((t) => tensors[t]).filter((t) => !t.data);
  return normalise(readTflite(bytes, { name: file, file, outputs: outputs.map((t) => t.name) }));
}

/** Names of the outputs whose bytes are not those of the reference kernels (tflm/), by hash. */
export function unlikeReferenceKernels(file: string, outputs: readonly ReferenceOutput[]): string[] {
  const { tensors } = parseTflite(readModelFile('tflite', file));
  const stored: [number, number, number, string][] = readJson('tflm/index.json')[file].tensors;
  const hashes = new Map(stored.map(([, tensor, , hash]) => [tensors[tensor].name, hash]));
  return outputs.filter((o) => fnv1a64(encode(o.values, o.dtype)) !== hashes.get(o.name)).map((o) => o.name);
}

/** Inputs in the file's order of axes, from the model set's own generator (goldens/gen.mjs). */
export async function seededInputs(file: string, graph: Graph): Promise<TypedArray[]> {
  const { gen } = await import(join(MODELS, 'goldens/gen.mjs'));
  const mode = readJson('goldens/goldens.json')[file]?.input_mode ?? 'unit';
  const named: Record<string, string> = {
    f32: 'float32',
    f16: 'float16',
    u8: 'uint8',
    i8: 'int8',
    i16: 'int16',
  };
  return graph.inputs.map((port, i) => {
    const values = allocate(graph.tensors[port.tensor].dtype, elementCount(port.shape));
    const made: number[] = gen(named[port.dtype] ?? port.dtype, values.length, i + 1, mode, port.shape);
    values.set(port.dtype === 'f16' ? made.map(truncatedToHalf) : made);
    return values;
  });
}

/** As MANIFEST.md has it: the mantissa is cut off, subnormals are 0. */
function truncatedToHalf(x: number): number {
  if (x < 2 ** -14) return 0;
  const step = 2 ** (Math.floor(Math.log2(x)) - 10);
  return Math.floor(x / step) * step;
}

/** How a run compares with the outside reference. */
export interface Comparison {
  readonly reference: string;
  /** Largest difference over the range of the reference's output. */
  readonly error: number;
  readonly tolerance: number;
  readonly within: boolean;
  /** Why it may be farther off than others are, or why there is nothing to compare. */
  readonly why: string;
}

interface Stored {
  readonly name: string;
  readonly dtype: string;
  readonly file: string;
  readonly stride?: number;
  readonly count?: number;
}

/**
 * Outputs against the stored ones: ONNX Runtime's, the TFLite reference kernels' where there are any, else
 * LiteRT's. Integers of TFLite models must be equal; all else may be off by what the conformance tests allow.
 */
export function compareWithStored(
  file: string,
  graph: Graph,
  outputs: readonly ReferenceOutput[],
): Comparison {
  const format = formatOf(file);
  const kernels = format === 'tflite' ? readJson('tflm/index.json')[file] : undefined;
  const exact = Boolean(kernels?.outputs?.length);
  const stored: Stored[] = exact ? kernels.outputs : readJson('goldens/goldens.json')[file].outputs;
  let error = 0;
  for (const [i, want] of stored.entries()) {
    const named = outputs.find((o) => o.name === want.name);
    const values = (named ?? (format === 'tflite' ? outputs[i] : undefined))?.values;
    if (!values) throw new Error(`${file}: no output ${want.name}`);
    const target = decode(readModelFile(exact ? 'tflm' : 'goldens', want.file), shortType(want.dtype));
    error = Math.max(
      error,
      relativeTo(strided(values, want.stride ?? 1, want.count ?? target.length), target),
    );
  }
  const reference = exact ? 'TFLite reference kernels' : format === 'onnx' ? 'ONNX Runtime' : 'LiteRT';
  return { reference, error, ...judged(file, graph, error) };
}

/** The error over the range; scores below 1e-3 are all but nothing. */
export function relativeTo(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < expected.length; i++) {
    low = Math.min(low, expected[i]);
    high = Math.max(high, expected[i]);
  }
  const size = Math.max(high - low, Math.abs(high), Math.abs(low)) || 1;
  const range = Math.max(high - low || Math.abs(high), 1e-3);
  return (relativeError(got, expected) * size) / range;
}

/** The tolerances are the conformance tests' own. */
export function judged(
  file: string,
  graph: Graph,
  error: number,
): Pick<Comparison, 'tolerance' | 'within' | 'why'> {
  if (formatOf(file) === 'onnx') {
    const { relative, why } = toleranceOf(file);
    return { tolerance: relative, within: error <= relative, why: why ?? '' };
  }
  const exception = EXPECTED[file];
  const tolerance = exception ? (exception.bound ?? Infinity) : isQuantised(graph) ? 0 : RELATIVE_TOLERANCE;
  return { tolerance, within: error <= tolerance, why: exception?.why ?? '' };
}
