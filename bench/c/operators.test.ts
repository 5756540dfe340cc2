/**
 * Writes bench/results/c-operators.md: the operator tests of ONNX and TFLite as plain C, compiled one by one and
 * compared bit for bit with the reference executor.
 */
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PLAIN } from '../../src/kernels/machine.ts';
import { compileC, findCompiler } from '../../src/run/c-backend.ts';
import type { Emitted } from '../../test/conformance/emitted.ts';
import { type NamedResult, onnxResults, tfliteResults } from '../../test/conformance/emitted-cases.ts';
import { testFolder } from '../../test/conformance/onnx/cases.ts';
import { haveModels } from '../../test/conformance/tflite/reference-data.ts';
import { writeResult, writtenBy } from '../report.ts';

const compiled: Emitted = (graph, plan, inputs) => {
  const model = compileC(graph, plan, { machine: PLAIN, flags: ['-O0'] });
  try {
    return model.run(inputs, { paint: 0xa5 }).outputs;
  } finally {
    model.dispose();
  }
};

const count = (list: readonly NamedResult[], verdict: NamedResult['verdict']) =>
  list.filter((r) => r.verdict === verdict).length;

function row(name: string, list: readonly NamedResult[]): string {
  const cells = [name, list.length, count(list, 'refused'), count(list, 'equal'), count(list, 'differs')];
  return `| ${cells.join(' | ')} |`;
}

const present = existsSync(testFolder()) && haveModels && findCompiler() !== undefined;

test.skipIf(!present)('operator tests as C (skipped without the public models or a compiler)', () => {
  const onnx = onnxResults(compiled);
  const tflite = tfliteResults(compiled);
  const differing = [...onnx, ...tflite].filter((r) => r.verdict === 'differs');
  const text = [
    '# Operators as C',
    '',
    `${writtenBy('conformance:c')} Every operator test of both formats as plain C99, compiled by itself, its`,
    'outputs compared bit for bit with those of the reference executor (float32 too). "refused" are those that the reader or the reference',
    'refuses; there is none that only the C target refuses, or it would be among those that differ.',
    '',
    '| tests | cases | refused | equal | differ |',
    '|---|---:|---:|---:|---:|',
    row('ONNX (models/onnx-node-tests)', onnx),
    row('TFLite (models/tflite-op-tests)', tflite),
    '',
    ...differing.map((r) => `- ${r.name}: ${r.note}`),
    '',
  ].join('\n');
  writeResult('c-operators.md', text);
  expect(differing).toEqual([]);
});
