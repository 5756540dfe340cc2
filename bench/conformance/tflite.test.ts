/** Writes bench/results/tflite-conformance.md: every public TFLite model, real input and one-operator model. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Graph } from '../../src/graph/graph.ts';
import { compareModel, type Verdict } from '../../test/conformance/tflite/compare.ts';
import { compareReal } from '../../test/conformance/tflite/compare-real.ts';
import { type OpTestResult, runOpTests } from '../../test/conformance/tflite/op-tests.ts';
import { haveModels, MISSING, MODELS, readJson } from '../../test/conformance/tflite/reference-data.ts';
import { compareCut, compareTwin, EXPECTED } from '../../test/conformance/tflite/special-cases.ts';
import { writeResult, writtenBy } from '../report.ts';

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function verdictRow(v: Verdict): (string | number)[] {
  const shown = v.verdict === 'refused' ? '' : v.error.toExponential(1);
  const reason = EXPECTED[v.name]?.why ?? (v.verdict === 'differs' ? v.note : '');
  const words = { equal: 'equal bit for bit', close: 'within 1e-4', differs: 'differs', refused: 'refused' };
  return [v.name, v.reference, words[v.verdict], v.verdict === 'equal' ? '0' : shown, reason];
}

/** Cases and results of each operator, or each chain of operators for the models that have several. */
function byOperator(results: readonly OpTestResult[]): (string | number)[][] {
  const groups = new Map<string, OpTestResult[]>();
  for (const r of results) {
    const key = r.operators.join(' + ');
    groups.set(key, [...(groups.get(key) ?? []), r]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([operator, list]) => {
      const count = (...verdicts: string[]) => list.filter((r) => verdicts.includes(r.verdict)).length;
      const failed = list.filter((r) => r.verdict === 'differs' || r.verdict === 'refused');
      return [
        operator,
        list.length,
        count('equal'),
        count('close'),
        count('runs'),
        failed.length,
        failed.map((r) => `${r.file}: ${r.note}`).join('; '),
      ];
    });
}

test.skipIf(!haveModels)(`TFLite conformance${haveModels ? '' : ` (skipped: ${MISSING})`}`, () => {
  const files = readdirSync(join(MODELS, 'tflite')).filter((f) => f.endsWith('.tflite'));
  const models = files.map((file) => compareModel(file));
  const special = [compareCut('ssd_mobilenet_v1_coco_uint8.tflite'), compareTwin()];
  const graphs = new Map<string, Graph>();
  const real = Object.keys(readJson('tflm/real/index.json')).map((key) => compareReal(key, graphs));
  const operators = runOpTests();
  const count = (list: readonly Verdict[], verdict: string) =>
    list.filter((v) => v.verdict === verdict).length;
  const summary = (list: readonly Verdict[]) =>
    `${list.length}: ${count(list, 'equal')} equal bit for bit, ${count(list, 'close')} within 1e-4 of the output's range, ` +
    `${count(list, 'differs')} otherwise, ${count(list, 'refused')} refused.`;
  const passed = operators.filter((r) => r.verdict !== 'differs' && r.verdict !== 'refused').length;
  const head = ['model', 'reference', 'result', 'largest error / range', 'note'];
  const text = `# TFLite conformance

${writtenBy('conformance:tflite')} Models run operator by operator. The
reference kernels are TensorFlow Lite Micro's (uint8: TensorFlow Lite's); quantised models must equal them bit for bit.

## Models on seeded inputs

${summary(models)}

${table(head, [...models, ...special].map(verdictRow))}

## Real inputs

${summary(real)}

${table(head, real.map(verdictRow))}

## One-operator models

${passed} of ${operators.length} pass. Those that upstream ships no vectors for are run, and their shapes checked.

${table(['operators', 'cases', 'equal', 'within 1e-4', 'run', 'failed', 'reason'], byOperator(operators))}
`;
  writeResult('tflite-conformance.md', text);
  expect(passed).toBe(operators.length);
});
