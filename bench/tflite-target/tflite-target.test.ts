/**
 * Writes bench/results/tflite-target.md: what TFLite Micro's planner takes for every public .tflite file, what it
 * takes with the plan that `fit --target tflite` writes, and what no plan in the file's order can be below.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { offlinePlanProblem } from '../../src/emit/tflite/check-offline-plan.ts';
import { planInFile } from '../../src/emit/tflite/metadata.ts';
import { type OfflinePlan, planOffline } from '../../src/emit/tflite/offline-plan.ts';
import { type OverlappedPlan, planOverlapped } from '../../src/emit/tflite/overlapped-plan.ts';
import { withOfflinePlan } from '../../src/emit/tflite/write.ts';
import { parseTflite } from '../../src/model/tflite/file.ts';
import { haveModels, MODELS, UNLESS_MODELS } from '../../test/public-models-folder.ts';
import { writeResult, writtenBy } from '../report.ts';

const FOLDER = join(MODELS, 'tflite');
const files = haveModels ? readdirSync(FOLDER).filter((f) => f.endsWith('.tflite')) : [];
/** What TFLite Micro's own interpreter reported, where it takes the model. */
const measured: Record<string, { ok: boolean; arena_nonpersistent?: number }> = haveModels
  ? JSON.parse(readFileSync(join(MODELS, 'tflm/index.json'), 'utf8'))
  : {};

const HEAD = [
  'model',
  'measured',
  'greedy',
  'planned',
  'saved',
  'bound',
  'CMSIS-NN greedy',
  'CMSIS-NN planned',
  'in place',
  'reference kernels only',
  'its bound',
  'file grows by',
  'planning, ms',
];
const rows: (string | number)[][] = [];
const plans: OfflinePlan[] = [];
const overlappedPlans: OverlappedPlan[] = [];

describe.skipIf(!haveModels)(`offline plans${UNLESS_MODELS}`, () => {
  test.each(files)('%s', (file) => {
    const bytes = new Uint8Array(readFileSync(join(FOLDER, file)));
    const model = parseTflite(bytes);
    const began = performance.now();
    const plan = planOffline(model);
    const ms = performance.now() - began;
    const written = withOfflinePlan(bytes, plan.offsets);
    expect(offlinePlanProblem(parseTflite(written), planInFile(written) ?? [])).toBeUndefined();
    const { reference, 'cmsis-nn': cmsisNn } = plan.heads;
    const { ok, arena_nonpersistent: known } = measured[file] ?? { ok: false };
    expect(reference.planned).toBeLessThanOrEqual(reference.greedy);
    expect(cmsisNn.planned).toBeLessThanOrEqual(cmsisNn.greedy);
    const overlapped = planOverlapped(model);
    expect(offlinePlanProblem(model, overlapped.offsets, 'reference')).toBeUndefined();
    overlappedPlans.push(overlapped);
    plans.push(plan);
    rows.push([
      file.replace('.tflite', ''),
      known === undefined ? 'refused' : `${known}${ok ? '' : ' (then refused)'}`,
      reference.greedy,
      reference.planned,
      reference.greedy > reference.planned
        ? `${((1 - reference.planned / reference.greedy) * 100).toFixed(1)} %`
        : '',
      reference.planned === plan.lowerBoundBytes ? '=' : plan.lowerBoundBytes,
      cmsisNn.greedy,
      cmsisNn.planned,
      plan.inPlace.length,
      overlapped.headBytes,
      overlapped.headBytes === overlapped.lowerBoundBytes ? '=' : overlapped.lowerBoundBytes,
      written.length - bytes.length,
      ms.toFixed(1),
    ]);
  });

  afterAll(write);
});

function write(): void {
  const lower = plans.filter((p) => p.heads.reference.planned < p.heads.reference.greedy).length;
  const met = plans.filter((p) => p.heads.reference.planned === p.lowerBoundBytes).length;
  const gains = overlappedPlans.filter((p) => p.headBytes < p.greedyHeadBytes);
  const followed = gains.length;
  const saving = gains.reduce((n, p) => n + 1 - p.headBytes / p.greedyHeadBytes, 0) / Math.max(1, followed);
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  const text = [
    "# TFLite Micro's arena with plans written into the file",
    '',
    writtenBy('bench:tflite-target'),
    "Bytes of the arena's head: tensors and working memory of kernels, in the file's order of operators, every size a",
    "multiple of 16. *Measured* is what TFLite Micro's interpreter reports with its own plan and reference kernels, *greedy*",
    'our computation of the same, *planned* what it takes with the plan, *bound* the most that is in use at once (= where it is',
    'met: no plan can be lower). Each written file was read back and its plan proven.',
    '',
    `${plans.length} files: lower in ${lower}, least possible in ${met}, never higher. *Reference kernels only* is \`--target tflite-reference\`,`,
    `whose outputs lie over input that has been read: lower than TFLite Micro's in ${followed} files, by ${(saving * 100).toFixed(0)} % on average there.`,
    '',
    line(HEAD),
    line(HEAD.map(() => '---')),
    ...rows.map(line),
    '',
  ];
  writeResult('tflite-target.md', text);
}
