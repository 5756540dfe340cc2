/** Emitted kernels on the operator tests of ONNX and TFLite: bit for bit what the reference executor computes. */
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { VECTOR16 } from '../../src/kernels/machine.ts';
import { interpreted } from './emitted.ts';
import { onnxResults, tfliteResults } from './emitted-cases.ts';
import { testFolder } from './onnx/cases.ts';
import { haveModels, MISSING } from './tflite/reference-data.ts';

const emitted = interpreted(VECTOR16);

/** Elements of all tensors up to which the interpreter is quick enough for a test. */
const MOST_ELEMENTS = 4000;

const haveCases = existsSync(testFolder());

test.skipIf(!haveCases)(
  `ONNX operator tests run emitted${haveCases ? '' : ' (skipped: the public models are not there)'}`,
  () => {
    const results = onnxResults(emitted);
    expect(results.filter((r) => r.verdict === 'differs')).toEqual([]);
    expect(results.filter((r) => r.verdict === 'equal').length).toBeGreaterThan(900);
  },
  240_000,
);

test.skipIf(!haveModels)(
  `TFLite operator tests run emitted${haveModels ? '' : ` (skipped: ${MISSING})`}`,
  () => {
    const results = tfliteResults(emitted, MOST_ELEMENTS);
    expect(results.filter((r) => r.verdict === 'differs')).toEqual([]);
    expect(results.filter((r) => r.verdict === 'equal').length).toBeGreaterThan(80);
  },
  240_000,
);
