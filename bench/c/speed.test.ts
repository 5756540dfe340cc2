/**
 * Writes bench/results/c-speed.md: plans as C beside native ONNX Runtime, each on one thread, in turns. The table is
 * written anew after each model. Skipped where there is no C compiler.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { benchModel, geometricMeans, type Row } from '../../src/cli/bench/bench-model.ts';
import { formatSize } from '../../src/report/format.ts';
import { findCompiler } from '../../src/run/c-backend.ts';
import { MODELS } from '../../test/public-models-folder.ts';

const RESULT = join(import.meta.dirname, '../results/c-speed.md');
const COMMIT = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();

const LIST: readonly (readonly [model: string, dtype: 'f32' | 'int8'])[] = [
  ['zoo:squeezenet1.1', 'f32'],
  ['zoo:mobilenetv2-1.0-224', 'f32'],
  ['zoo:resnet18', 'f32'],
  ['zoo:resnet8', 'f32'],
  ['tflite/vww_96_int8.tflite', 'int8'],
  ['zoo:resnet8', 'int8'],
  ['zoo:mobilenetv2-0.35-144', 'f32'],
  ['zoo:mobilenetv2-0.35-144', 'int8'],
  ['zoo:squeezenet1.1', 'int8'],
  ['zoo:mobilenetv2-1.0-224', 'int8'],
  ['zoo:resnet18', 'int8'],
  ['onnx/ultraface_rfb_320.onnx', 'f32'],
  ['onnx/super_resolution_espcn.onnx', 'f32'],
  ['zoo:dncnn-17', 'f32'],
];

const rows: Row[] = [];
const quiet = { step() {}, done() {} };

const placeOf = (model: string) => (model.startsWith('zoo:') ? model : join(MODELS, model));
const compiler = findCompiler();
const present = compiler
  ? LIST.filter(([model]) => model.startsWith('zoo:') || existsSync(placeOf(model)))
  : [];

test.each(present)('%s %s', async (model, dtype) => {
  const found = await benchModel(
    placeOf(model),
    {
      dtype,
      backend: ['c', 'c-fast'],
      against: ['ort'],
      plan: ['layerwise', 'fit'],
      slack: 0.1,
      turns: 5,
      seed: 1,
    },
    quiet,
  );
  rows.push(...found.map((row) => ({ ...row, model: model.replace(/^.*\//, '') })));
  write();
  expect(found.length).toBeGreaterThan(2);
});

const ratio = (v: number | null) => (v === null ? '' : v.toFixed(2));

function write(): void {
  const processors = cpus();
  const means = geometricMeans(rows);
  const text = [
    '# C beside ONNX Runtime',
    '',
    `Written by \`npm run bench:c-speed\` on ${new Date().toISOString().slice(0, 10)} at commit ${COMMIT},`,
    `Node ${process.versions.node}, ${processors.length} x ${processors[0]?.model ?? 'unknown processor'}, which other work shared.`,
    '',
    "One thread each, made-up inputs. 'c' gives the reference's bits (gcc -O2, products and sums of floats rounded apart), 'c-fast' is -O3 with",
    'them fused; both -march=native with the widest vectors. The runtimes take turns of about 100 ms. "CPU" is processor time, which other',
    'work on the machine disturbs least; "x ort" is that of onnxruntime-node over the row\'s, and above 1 is faster than it.',
    '',
    '| model | type | runtime | plan | CPU, ms | median, ms | best, ms | arena | x ort |',
    '|---|---|---|---|---:|---:|---:|---:|---:|',
    ...rows.map((r) =>
      [
        '',
        r.model,
        r.dtype,
        r.runtime,
        r.plan ?? '',
        r.cpuMs.toFixed(3),
        r.medianMs.toFixed(3),
        r.minMs.toFixed(3),
        r.arenaBytes === null ? '' : formatSize(r.arenaBytes),
        ratio(r.cpuRatioVsOrt),
        '',
      ]
        .join(' | ')
        .trim(),
    ),
    '',
    ...means.map(
      (m) =>
        `- ${m.runtime}, ${m.plan}: geometric mean over ${m.models} rows ${ratio(m.cpuRatioVsOrt)} of ONNX Runtime's speed`,
    ),
    '',
  ].join('\n');
  writeFileSync(RESULT, text);
}
