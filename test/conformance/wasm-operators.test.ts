/**
 * The operator tests of both formats as WebAssembly: each model's plan gives the layer-by-layer result bit for bit.
 */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { planGraph } from '../../src/compile.ts';
import { TidemarkError } from '../../src/errors.ts';
import type { Graph, TypedArray } from '../../src/graph/graph.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { readTflite } from '../../src/model/tflite/read.ts';
import { fromGraphLayout, runReference, toGraphLayout } from '../../src/run/reference.ts';
import { emitPlan, WasmModel } from '../../src/run/wasm-backend.ts';
import { difference } from '../random/random-plans.ts';
import { readCase, readCases, testFolder } from './onnx/cases.ts';
import { seededInputs } from './tflite/compare.ts';
import { haveModels, MISSING, readJson, readModelFile } from './tflite/reference-data.ts';

/** 'equal', a difference, or why the model is refused as WebAssembly; undefined where it is refused altogether. */
function outcome(read: () => { graph: Graph; values: readonly TypedArray[] }): string | undefined {
  let graph: Graph;
  let expected: readonly TypedArray[];
  let values: readonly TypedArray[];
  try {
    const given = read();
    values = given.values;
    graph = normalise(given.graph);
    expected = runReference(graph, values).map((o) => o.values);
  } catch (error) {
    if (error instanceof TidemarkError) return undefined;
    throw error;
  }
  try {
    const { plan } = planGraph(graph, { policy: { input: 'reuse', output: 'whole' }, method: 'layerwise' });
    const emitted = emitPlan(graph, plan);
    const model = new WasmModel(new WebAssembly.Module(emitted.wasm), emitted);
    const inputs = graph.inputs.map((port, i) => {
      const stored = graph.tensors[port.tensor].dtype;
      return toGraphLayout(port, asStored(values[i], stored));
    });
    const { outputs } = model.run(inputs, { paint: 0xa5 });
    const got = outputs.map((o, i) => fromGraphLayout(graph.outputs[i], o));
    return difference(got, expected) ?? 'equal';
  } catch (error) {
    if (error instanceof TidemarkError) return `refused: ${error.message}`;
    return `raw ${error}`;
  }
}

function asStored(values: TypedArray, dtype: string): TypedArray {
  const types = { f32: Float32Array, i32: Int32Array, i16: Int16Array, i8: Int8Array } as const;
  return new (types[dtype as keyof typeof types] ?? Uint8Array)(values as ArrayLike<number> as never);
}

function summary(outcomes: readonly (readonly [string, string | undefined])[]) {
  const run = outcomes.filter(([, o]) => o !== undefined);
  return {
    equal: run.filter(([, o]) => o === 'equal').length,
    refused: run.filter(([, o]) => o!.startsWith('refused')),
    wrong: run.filter(([, o]) => o !== 'equal' && !o!.startsWith('refused')),
  };
}

const haveCases = existsSync(testFolder());

describe.skipIf(!haveCases)(`ONNX operators${haveCases ? '' : ` (skipped: no ${testFolder()})`}`, () => {
  test('equal bit for bit', () => {
    const { equal, refused, wrong } = summary(readCases().map((c) => [c.dir, outcome(() => readCase(c))]));
    expect(wrong).toEqual([]);
    expect(refused).toEqual([]);
    expect(equal).toBeGreaterThan(900);
  });
});

describe.skipIf(!haveModels)(`TFLite operators${haveModels ? '' : ` (skipped: ${MISSING})`}`, () => {
  test('equal bit for bit', () => {
    const entries: { file: string }[] = haveModels ? readJson('tflite-op-tests/index.json') : [];
    const { equal, refused, wrong } = summary(
      entries.map(({ file }) => [
        file,
        outcome(() => {
          const graph = readTflite(readModelFile('tflite-op-tests', file), { name: file, file });
          return { graph, values: seededInputs(graph) };
        }),
      ]),
    );
    expect(wrong).toEqual([]);
    expect(refused).toEqual([]);
    expect(equal).toBeGreaterThan(160);
  });
});
