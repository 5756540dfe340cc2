/**
 * Every public .tflite file with a plan written into it: what TFLite Micro's own planner takes is what was measured
 * of it, ours is never more, and the file as an outsider reads it is the old one with a plan that holds.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { haveModels, MODELS, UNLESS_MODELS } from '../../../test/public-models-folder.ts';
import { parseTflite } from '../../model/tflite/file.ts';
import { offlinePlanProblem } from './check-offline-plan.ts';
import { planInFile } from './metadata.ts';
import { planOffline } from './offline-plan.ts';
import { modelFields, plainPlan, tensorsAndOperators } from './testing/outside-reader.ts';
import { withOfflinePlan } from './write.ts';

const FOLDER = join(MODELS, 'tflite');
const files = haveModels ? readdirSync(FOLDER).filter((f) => f.endsWith('.tflite')) : [];

/** Planned part of TFLite Micro's arena, as its interpreter reports it with reference kernels. */
const measured: Record<string, { arena_nonpersistent?: number }> = haveModels
  ? JSON.parse(readFileSync(join(MODELS, 'tflm/index.json'), 'utf8'))
  : {};

/** The same with CMSIS-NN on an emulated Cortex-M4: arena used less what is persistent. */
const MEASURED_CMSIS_NN: Record<string, number> = {
  'person_detect_int8.tflite': 55_296,
  'vww_96_int8.tflite': 73_728,
  'resnet8_cifar_int8.tflite': 49_728,
  'kws_dscnn_int8.tflite': 16_000,
  'ad_toycar_int8.tflite': 768,
  'streaming_wakeword_int8.tflite': 7_936,
};

describe.skipIf(!haveModels)(`offline plans for public models${UNLESS_MODELS}`, () => {
  test.each(files)('%s', (file) => {
    const bytes = new Uint8Array(readFileSync(join(FOLDER, file)));
    const model = parseTflite(bytes);
    const plan = planOffline(model);
    const { reference, 'cmsis-nn': cmsisNn } = plan.heads;

    const known = measured[file]?.arena_nonpersistent;
    if (known !== undefined) expect(reference.greedy).toBe(known);
    if (MEASURED_CMSIS_NN[file]) expect(cmsisNn.greedy).toBe(MEASURED_CMSIS_NN[file]);
    expect(reference.planned).toBeLessThanOrEqual(reference.greedy);
    expect(cmsisNn.planned).toBeLessThanOrEqual(cmsisNn.greedy);
    expect(reference.planned).toBeGreaterThanOrEqual(plan.lowerBoundBytes);

    const written = withOfflinePlan(bytes, plan.offsets);
    expect(planInFile(written)).toEqual(plan.offsets);
    expect(offlinePlanProblem(parseTflite(written), planInFile(written)!)).toBeUndefined();

    // The old file stands whole at the end of the new one, where everything but two lists is read from.
    const moved = written.length - bytes.length;
    expect(moved % 64).toBe(0);
    expect(Buffer.compare(written.subarray(moved), bytes)).toBe(0);
    const [before, after] = [modelFields(bytes), modelFields(written)];
    for (const field of ['operatorCodes', 'subgraphs', 'description', 'signatureDefs'] as const) {
      expect(after[field], field).toBe(before[field] === 0 ? 0 : before[field] + moved);
    }
    expect(after.version).toBe(before.version);
    expect(after.buffers.slice(0, -1)).toEqual(before.buffers.map((at) => at + moved));
    expect(after.metadata.slice(0, -1)).toEqual(before.metadata.map((at) => at + moved));

    expect(plainPlan(written)).toEqual([1, 1, plan.offsets.length, ...plan.offsets]);
    expect(overlaps(written)).toEqual([]);
  });

  test('visual wake words: 73,728 bytes become 55,296', () => {
    const plan = planOffline(parseTflite(new Uint8Array(readFileSync(join(FOLDER, 'vww_96_int8.tflite')))));
    expect(plan.heads).toEqual({
      reference: { greedy: 73_728, planned: 55_296 },
      'cmsis-nn': { greedy: 73_728, planned: 55_296 },
    });
    expect(plan.lowerBoundBytes).toBe(55_296);
    expect(plan.inPlace).toEqual([]);
  });
});

/** Pairs of tensors that share a byte while both are needed, told from the written file alone, in the plainest way. */
function overlaps(file: Uint8Array): string[] {
  const [, , , ...offsets] = plainPlan(file);
  const { tensors, operators, inputs, outputs } = tensorsAndOperators(file);
  const life = tensors.map((t, i) => {
    const writes = operators.flatMap((o, at) => (o.outputs.includes(i) ? [at] : []));
    const reads = operators.flatMap((o, at) => (o.inputs.includes(i) ? [at] : []));
    const born = inputs.includes(i) ? -1 : Math.min(...writes);
    const dies = outputs.includes(i) ? operators.length : Math.max(born, ...reads);
    return { ...t, i, born, dies, from: offsets[i], to: offsets[i] + t.bytes };
  });
  const placed = life.filter((t) => t.from >= 0);
  expect(life.filter((t) => !t.constant && t.bytes > 0)).toEqual(placed);
  expect(placed.every((t) => t.from % 16 === 0)).toBe(true);
  return placed.flatMap((a) =>
    placed
      .filter((b) => a.i < b.i && a.born <= b.dies && b.born <= a.dies && a.from < b.to && b.from < a.to)
      // In place: one operator reads the one for the last time and writes the other at its address.
      .filter((b) => !(a.from === b.from && a.bytes === b.bytes && (a.dies === b.born || b.dies === a.born)))
      .map((b) => `${a.i} and ${b.i}`),
  );
}
