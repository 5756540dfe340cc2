/**
 * Integer TFLite models as WebAssembly and as C, bit for bit what the TFLite reference kernels gave (models/tflm), on
 * seeded inputs and on real pictures and sounds. The smaller files here; all of them in bench/conformance/goldens.test.ts.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PLAIN } from '../../src/kernels/machine.ts';
import type { Backend } from '../../src/run/backend.ts';
import { compileC, findCompiler } from '../../src/run/c-backend.ts';
import { wasmBackend } from '../../src/run/wasm-backend.ts';
import { compareModel } from './tflite/compare.ts';
import { compareReal } from './tflite/compare-real.ts';
import { emittedRun } from './tflite/emitted-run.ts';
import { haveModels, MISSING, MODELS, readJson } from './tflite/reference-data.ts';

const MOST_BYTES = 350_000;
/** Each is compiled: one of a kind. */
const AS_C = ['kws_dscnn', 'vww_96', 'person_detect', 'resnet8_cifar', 'ad_toycar'].map(
  (n) => `${n}_int8.tflite`,
);

const cBackend: Backend = {
  name: 'c',
  prepare: (graph, plan) => compileC(graph, plan, { machine: PLAIN, flags: ['-O1'] }),
};

const index: Record<string, { ok: boolean; outputs?: readonly unknown[] }> = haveModels
  ? readJson('tflm/index.json')
  : {};
const files = Object.keys(index).filter(
  (f) =>
    f.includes('_int8') &&
    (index[f].outputs?.length ?? 0) > 0 &&
    statSync(join(MODELS, 'tflite', f)).size <= MOST_BYTES,
);
const real: Record<string, { model: string }> = haveModels ? readJson('tflm/real/index.json') : {};

describe.skipIf(!haveModels)(`as WebAssembly${haveModels ? '' : ` (skipped: ${MISSING})`}`, () => {
  const run = emittedRun(wasmBackend, 'layerwise');
  test.each(files)('%s', (file) => {
    expect(compareModel(file, undefined, run)).toMatchObject({ verdict: 'equal' });
  });
  const graphs = new Map();
  test.each(Object.keys(real).filter((key) => files.includes(real[key].model)))('%s', (key) => {
    expect(compareReal(key, graphs, run)).toMatchObject({ verdict: 'equal' });
  });
});

const compiler = findCompiler();
const why = haveModels
  ? compiler
    ? ''
    : ' (skipped: no C compiler; install gcc or clang)'
  : ` (skipped: ${MISSING})`;
describe.skipIf(why !== '')(`as C${why}`, () => {
  const run = emittedRun(cBackend, 'layerwise');
  test.each(AS_C)('%s', (file) => {
    expect(compareModel(file, undefined, run)).toMatchObject({ verdict: 'equal' });
  });
});
