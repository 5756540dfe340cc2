/**
 * Writes bench/results/goldens.md: every integer TFLite model with outputs of TFLite's reference kernels, as WebAssembly and as C,
 * layer by layer and fitted, bit for bit, on seeded and on real inputs.
 */
import { expect, test } from 'vitest';
import { type Machine, PLAIN } from '../../src/kernels/machine.ts';
import type { Backend } from '../../src/run/backend.ts';
import { compileC, findCompiler, hostMachine } from '../../src/run/c-backend.ts';
import { wasmBackend } from '../../src/run/wasm-backend.ts';
import { compareModel, type Verdict } from '../../test/conformance/tflite/compare.ts';
import { compareReal } from '../../test/conformance/tflite/compare-real.ts';
import { emittedRun } from '../../test/conformance/tflite/emitted-run.ts';
import { haveModels, MISSING, readJson } from '../../test/conformance/tflite/reference-data.ts';
import { writeResult, writtenBy } from '../report.ts';

const compiled = (machine: Machine): Backend => ({
  name: `C, ${machine.name}`,
  prepare: (graph, plan) => compileC(graph, plan, { machine, flags: ['-O1'] }),
});

const index: Record<string, { outputs?: readonly unknown[] }> = haveModels ? readJson('tflm/index.json') : {};
const real: Record<string, { model: string }> = haveModels ? readJson('tflm/real/index.json') : {};
const files = Object.keys(index).filter((f) => /u?int8/.test(f) && (index[f].outputs?.length ?? 0) > 0);
/** Part of the table only: a pattern of file names. */
const only = process.env.ONLY ? new RegExp(process.env.ONLY) : undefined;

test.skipIf(!haveModels || !findCompiler())(
  `models in integers (skipped: ${MISSING}, or no compiler)`,
  () => {
    const columns = [
      { name: 'WebAssembly, layer by layer', backend: wasmBackend, method: 'layerwise' },
      { name: 'WebAssembly, fit', backend: wasmBackend, method: undefined },
      { name: 'C99, layer by layer', backend: compiled(PLAIN), method: 'layerwise' },
      { name: `C, ${hostMachine().name}, fit`, backend: compiled(hostMachine()), method: undefined },
    ] as const;
    const rows: string[] = [];
    const wrong: string[] = [];
    const cell = (v: Verdict) => {
      if (v.verdict !== 'equal') wrong.push(`${v.name}: ${v.verdict}, ${v.note}`);
      return v.verdict;
    };
    let models = 0;
    const write = () => {
      const text = [
        '# TFLite integer models against the reference kernels',
        '',
        `${writtenBy('conformance:goldens')} Outputs of TFLite's reference kernels (models/tflm) on seeded inputs, and on`,
        'real pictures and sounds (names with what they are), against the emitted code. "equal": every byte of every output.',
        '',
        `${models} of ${files.length} models; the others were not run.`,
        '',
        `| model | ${columns.map((c) => c.name).join(' | ')} |`,
        `|---|${columns.map(() => '---').join('|')}|`,
        ...rows,
        '',
        ...wrong.map((w) => `- ${w}`),
      ];
      writeResult('goldens.md', text);
    };
    for (const file of files.filter((f) => !only || only.test(f))) {
      models++;
      const runs = columns.map((c) => emittedRun(c.backend, c.method));
      const graphs = columns.map(() => new Map());
      rows.push(`| ${file} | ${runs.map((run) => cell(compareModel(file, undefined, run))).join(' | ')} |`);
      for (const key of Object.keys(real).filter((k) => real[k].model === file))
        rows.push(`| ${key} | ${runs.map((run, i) => cell(compareReal(key, graphs[i], run))).join(' | ')} |`);
      write();
    }
    expect(wrong).toEqual([]);
  },
);
