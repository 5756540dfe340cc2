/** Writes bench/results/onnx-conformance.md: the ONNX project's operator tests and every public ONNX model. */
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { type Outcome, readCases, runCase, testFolder } from '../../test/conformance/onnx/cases.ts';
import { compareModel, type ModelResult, modelFiles } from '../../test/conformance/onnx/models.ts';
import { toleranceOf } from '../../test/conformance/onnx/tolerances.ts';
import { writeResult, writtenBy } from '../report.ts';

const passed = (list: readonly Outcome[]) => list.filter((o) => o.failure === undefined).length;

function operatorRows(outcomes: readonly Outcome[]): string[] {
  const byOperator = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const key = outcome.case.ops.join(' + ');
    byOperator.set(key, [...(byOperator.get(key) ?? []), outcome]);
  }
  return [...byOperator]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([op, list]) => `| ${op} | ${passed(list)} | ${list.length} |`);
}

function failureRow({ case: { dir, ops }, failure }: Outcome): string {
  return `- ${dir} (${ops.join(', ')}): ${failure!.replace(/\. Supported: .*/, '').slice(0, 240)}`;
}

function modelRow(raw: ModelResult, normalised: ModelResult): string {
  const shown = ({ error, note }: ModelResult) =>
    error === undefined ? note : error === 0 ? '0' : error.toExponential(1);
  const { relative, why } = toleranceOf(raw.file);
  const macs = (raw.macs / 1e6).toFixed(1);
  const cells = [
    raw.file,
    macs,
    raw.operators,
    normalised.operators,
    shown(raw),
    shown(normalised),
    relative.toExponential(0),
    why ?? raw.note,
  ];
  return `| ${cells.join(' | ')} |`;
}

test.skipIf(!existsSync(testFolder()))(
  'ONNX conformance (skipped where the public models are not there)',
  async () => {
    const outcomes = readCases().map(runCase);
    const rows: string[] = [];
    let within = 0;
    const files = modelFiles();
    for (const file of files) {
      const raw = await compareModel(file);
      rows.push(modelRow(raw, await compareModel(file, normalise)));
      if (raw.error !== undefined && raw.error <= toleranceOf(file).relative) within++;
    }
    const text = [
      '# ONNX conformance',
      '',
      writtenBy('conformance:onnx'),
      '',
      '## Models on seeded inputs',
      '',
      'Operator by operator against ONNX Runtime 1.30 with its optimiser off. The error is the largest absolute difference over the',
      "output's range, of the graph as read and of the normalised one (whose quantised operators are integer ones).",
      `${within} of ${files.length} are within their tolerance as read.`,
      '',
      '| model | million MACs | operators as read | normalised | error as read | normalised | tolerance | note |',
      '|---|---:|---:|---:|---:|---:|---:|---|',
      ...rows,
      '',
      '## Operators',
      '',
      `Of the ONNX project's operator tests ${passed(outcomes)} of ${outcomes.length} pass.`,
      '',
      '| operator | passed | cases |',
      '|---|---:|---:|',
      ...operatorRows(outcomes),
      '',
      '## Operator tests that fail',
      '',
      ...outcomes.filter((o) => o.failure !== undefined).map(failureRow),
      '',
    ].join('\n');
    writeResult('onnx-conformance.md', text);
    console.log(text);
    expect(within).toBe(files.length);
  },
);
