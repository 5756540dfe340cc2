/** Emitted kernels on the operator tests of ONNX and TFLite: bit for bit what the reference executor computes. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TidemarkError } from '../../src/errors.ts';
import { allocate, elementCount, type Graph, type TypedArray } from '../../src/graph/graph.ts';
import { VECTOR16 } from '../../src/kernels/machine.ts';
import { readTflite } from '../../src/model/tflite/read.ts';
import { randomValues, seeded } from '../../src/ops/testing/operator-case.ts';
import { toGraphLayout } from '../../src/run/reference.ts';
import { compareEmitted, type EmittedResult, interpreted } from './emitted.ts';
import { type Case, readCase, readCases, testFolder } from './onnx/cases.ts';
import { haveModels, MISSING, readJson, readModelFile } from './tflite/reference-data.ts';

const emitted = interpreted(VECTOR16);

/** Elements of all tensors up to which the interpreter is quick enough for a test. */
const MOST_ELEMENTS = 4000;

function onnxCase(test: Case): EmittedResult {
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

test.skipIf(!existsSync(testFolder()))(
  `ONNX operator tests run emitted${existsSync(testFolder()) ? '' : ' (skipped: the public models are not there)'}`,
  () => {
    const results = readCases().map((c) => ({ name: c.dir, ...onnxCase(c) }));
    expect(results.filter((r) => r.verdict === 'differs')).toEqual([]);
    expect(results.filter((r) => r.verdict === 'equal').length).toBeGreaterThan(900);
  },
  240_000,
);

const entries: { file: string }[] = haveModels ? readJson('tflite-op-tests/index.json') : [];

describe.skipIf(!haveModels)(`TFLite operator tests${haveModels ? '' : ` (skipped: ${MISSING})`}`, () => {
  test('run emitted', () => {
    let equal = 0;
    for (const { file } of entries) {
      const graph = readTflite(readModelFile('tflite-op-tests', file), { name: file, file });
      const elements = graph.tensors.reduce((n, t) => n + elementCount(t.shape), 0);
      if (elements > MOST_ELEMENTS) continue;
      const random = seeded(11);
      const inputsOf = (g: Graph): TypedArray[] =>
        g.inputs.map(({ tensor }) => {
          const t = g.tensors[tensor];
          const values = randomValues(random, t, elementCount(t.shape));
          // Whole numbers may be indices: small ones, from 0 on.
          return t.dtype === 'i32' ? Int32Array.from(values, (v) => Math.abs(v) % 3) : values;
        });
      const { verdict, note } = compareEmitted(graph, inputsOf, emitted);
      expect(verdict, `${file}: ${note}`).not.toBe('differs');
      if (verdict === 'equal') equal++;
    }
    expect(equal).toBeGreaterThan(80);
  }, 240_000);
});
