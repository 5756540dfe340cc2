/**
 * Runs the ONNX project's own operator tests (model.onnx, input_k.pb, output_k.pb) through the reader and the
 * reference kernels, and sums up by operator. Inputs that the graph needs before the run (axes, shapes, scales)
 * are bound as constants.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TidemarkError } from '../../../src/errors.ts';
import type { Graph, TypedArray } from '../../../src/graph/graph.ts';
import { type BoundInput, readOnnx } from '../../../src/model/onnx/read.ts';
import { decodeModel, decodeTensor } from '../../../src/model/onnx/schema.ts';
import { tensorData } from '../../../src/model/onnx/tensor-data.ts';
import { runReference } from '../../../src/run/reference.ts';
import { MODELS } from '../../public-models-folder.ts';

export interface Case {
  readonly dir: string;
  readonly ops: readonly string[];
  readonly opset: number;
  readonly ort: string;
}

export interface Outcome {
  readonly case: Case;
  /** Undefined when the case passes. */
  readonly failure?: string;
}

export function testFolder(): string {
  return join(MODELS, 'onnx-node-tests');
}

export function readCases(): Case[] {
  return JSON.parse(readFileSync(join(testFolder(), 'index.json'), 'utf8'));
}

export function runCase(test: Case): Outcome {
  try {
    const failure = compare(join(testFolder(), test.dir));
    return { case: test, failure };
  } catch (error) {
    const failure = error instanceof TidemarkError ? `${error.code}: ${error.message}` : `raw ${error}`;
    return { case: test, failure: failure.replace(/^(\S+: )model: /, '$1') };
  }
}

function tensorFile(path: string): BoundInput {
  const { shape, type, constant } = tensorData(decodeTensor(new Uint8Array(readFileSync(path))));
  return { shape, dtype: type.name, values: constant.load() };
}

/** The vectors of a case, as far as there are files. */
function vectors(folder: string, kind: 'input' | 'output'): BoundInput[] {
  const list: BoundInput[] = [];
  for (let k = 0; existsSync(join(folder, `${kind}_${k}.pb`)); k++)
    list.push(tensorFile(join(folder, `${kind}_${k}.pb`)));
  return list;
}

function compare(folder: string): string | undefined {
  const bytes = new Uint8Array(readFileSync(join(folder, 'model.onnx')));
  const data = join(folder, 'test_data_set_0');
  const inputs = new Map<string, BoundInput>();
  const given = vectors(data, 'input');
  const model = decodeModel(bytes);
  for (const [k, info] of model.graph!.input.entries()) if (given[k]) inputs.set(info.name, given[k]);
  const graph = importCase(bytes, inputs);
  const results = runReference(
    graph,
    graph.inputs.map((port) => inputs.get(port.name)!.values),
  );
  for (const [k, expected] of vectors(data, 'output').entries()) {
    const got = results[k];
    if (`${got.shape}` !== `${expected.shape}`) return `shape [${got.shape}], expected [${expected.shape}]`;
    if (got.dtype !== expected.dtype) return `type ${got.dtype}, expected ${expected.dtype}`;
    const difference = firstDifference(got.values, expected.values, expected.dtype);
    if (difference) return difference;
  }
  return undefined;
}

/** The graph of a case with the values of its inputs, in the file's order of axes. */
export function readCase(test: Case): { readonly graph: Graph; readonly values: readonly TypedArray[] } {
  const folder = join(testFolder(), test.dir);
  const bytes = new Uint8Array(readFileSync(join(folder, 'model.onnx')));
  const given = vectors(join(folder, 'test_data_set_0'), 'input');
  const inputs = new Map<string, BoundInput>();
  for (const [k, info] of decodeModel(bytes).graph!.input.entries())
    if (given[k]) inputs.set(info.name, given[k]);
  const graph = importCase(bytes, inputs);
  return { graph, values: graph.inputs.map((port) => inputs.get(port.name)!.values as TypedArray) };
}

/** As few inputs as possible are bound: none, then integers and small ones, then all but the first. */
function importCase(bytes: Uint8Array, inputs: ReadonlyMap<string, BoundInput>): Graph {
  const names = [...inputs.keys()];
  const parameter = (name: string) =>
    inputs.get(name)!.dtype === 'i64' || inputs.get(name)!.values.length <= 1;
  const empty = (name: string) => inputs.get(name)!.values.length === 0;
  const choices = [names.filter(empty), names.slice(1).filter(parameter), names.slice(1), names];
  let reason: unknown;
  for (const bound of choices) {
    const constants = Object.fromEntries(bound.map((name) => [name, inputs.get(name)!]));
    const shapes = Object.fromEntries(
      names.filter((n) => !bound.includes(n)).map((n) => [n, inputs.get(n)!.shape]),
    );
    try {
      return readOnnx(bytes, { name: 'model', file: 'model', constants, shapes });
    } catch (error) {
      reason ??= error;
      const bindingHelps = error instanceof TidemarkError && /only known at run time/.test(error.message);
      if (!bindingHelps) throw error;
    }
  }
  throw reason;
}

/** ONNX's own tolerances (relative 1e-3, absolute 1e-7, widened to 1e-5 near zero); integers exactly. */
function firstDifference(got: TypedArray, expected: TypedArray, dtype: string): string | undefined {
  const float = dtype.startsWith('f') || dtype.startsWith('bf');
  for (let i = 0; i < expected.length; i++) {
    const a = got[i];
    const e = expected[i];
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) continue;
    if (float && Math.abs(a - e) <= 1e-5 + 1e-3 * Math.abs(e)) continue;
    return `element ${i} is ${a}, expected ${e}`;
  }
  return undefined;
}
