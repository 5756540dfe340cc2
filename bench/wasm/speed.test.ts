/**
 * Writes bench/results/wasm-speed.md: plans as WebAssembly beside ONNX Runtime in WebAssembly and native, each on one
 * thread, in turns in one process. The table is written anew after each model.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { benchModel, geometricMeans, PLANS, type Row } from '../../src/cli/bench/bench-model.ts';
import { formatSize } from '../../src/report/format.ts';
import { MODELS } from '../../test/public-models-folder.ts';

const RESULT = join(import.meta.dirname, '../results/wasm-speed.md');
const COMMIT = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();

const LIST: readonly (readonly [model: string, dtype: 'f32' | 'int8'])[] = [
  ['zoo:resnet8', 'f32'],
  ['zoo:resnet8', 'int8'],
  ['tflite/vww_96_int8.tflite', 'int8'],
  ['zoo:mobilenetv2-0.35-144', 'f32'],
  ['zoo:mobilenetv2-0.35-144', 'int8'],
  ['zoo:squeezenet1.1', 'f32'],
  ['zoo:squeezenet1.1', 'int8'],
  ['zoo:mobilenetv2-1.0-224', 'f32'],
  ['zoo:mobilenetv2-1.0-224', 'int8'],
  ['zoo:resnet18', 'f32'],
  ['zoo:resnet18', 'int8'],
  ['onnx/ultraface_rfb_320.onnx', 'f32'],
  ['onnx/super_resolution_espcn.onnx', 'f32'],
  ['zoo:dncnn-17', 'f32'],
];

const rows: Row[] = [];
const quiet = { step() {}, done() {} };

const placeOf = (model: string) => (model.startsWith('zoo:') ? model : join(MODELS, model));
const present = LIST.filter(([model]) => model.startsWith('zoo:') || existsSync(placeOf(model)));

test.each(present)('%s %s', async (model, dtype) => {
  const found = await benchModel(
    placeOf(model),
    {
      dtype,
      backend: ['wasm'],
      against: ['ort', 'ort-web'],
      plan: [...PLANS],
      turns: 5,
      seed: 1,
      slack: 0.1,
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
    '# WebAssembly beside ONNX Runtime',
    '',
    `Written by \`npm run bench:wasm-speed\` on ${new Date().toISOString().slice(0, 10)} at commit ${COMMIT},`,
    `Node ${process.versions.node}, ${processors.length} x ${processors[0]?.model ?? 'unknown processor'}, which other work shared.`,
    '',
    'One thread each, made-up inputs, inputs put in and outputs taken out. The runtimes take turns of about 100 ms; the first 1.5 s of',
    'each are not counted. "CPU" is processor time, which other work on the machine disturbs least; ratios are of it: "x ort-web" is that of',
    "onnxruntime-web over the row's, and above 1 is faster than it. Peak memory of ours is the arena; ONNX Runtime does not say its own here.",
    '',
    'Plans: layer by layer; `fit`, the cheapest within the smallest arena and 10 % above it; the smallest, most of whose firings compute a',
    'single pixel where that saves memory, and then read all weights of a layer for each.',
    '',
    '| model | type | runtime | plan | CPU, ms | median, ms | best, ms | arena | x ort (native) | x ort-web |',
    '|---|---|---|---|---:|---:|---:|---:|---:|---:|',
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
        ratio(r.cpuRatioVsOrtWeb),
        '',
      ]
        .join(' | ')
        .trim(),
    ),
    '',
    ...means.map(
      (m) =>
        `- ${m.runtime}, ${m.plan}: geometric mean over ${m.models} rows ${ratio(m.cpuRatioVsOrtWeb)} of ort-web's speed, ${ratio(m.cpuRatioVsOrt)} of native ort's`,
    ),
    '',
  ].join('\n');
  writeFileSync(RESULT, text);
}
