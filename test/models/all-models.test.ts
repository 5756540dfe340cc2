/** Every public model, planned by `fit`, proven and run. The list of what is expected is in expected.ts. */
import { describe, expect, test } from 'vitest';
import { MISSING } from '../conformance/tflite/reference-data.ts';
import { EXPECTED, listDifferences, MOST_MACS } from './expected.ts';
import { MIN_POLICY, planned, runPlanned } from './planned-run.ts';
import {
  FORMATS,
  filesOf,
  haveModels,
  loadBeforeCustom,
  seededInputs,
  unlikeReferenceKernels,
} from './public-models.ts';
import { load, planModel, runModel } from './verify.ts';

/** Arenas that `fit --ram min` must not exceed, in KiB, computing nothing twice. */
const MOST_KIB: Readonly<Record<string, number>> = {
  'vww_96_int8.tflite': 32,
  'mobilenet_v2_10_224_uint8.tflite': 220,
  'resnet8_cifar_int8.tflite': 18,
};

describe.skipIf(!haveModels)(`public models${haveModels ? '' : ` (skipped: ${MISSING})`}`, () => {
  test('the list has every file, and no other', () => {
    expect(listDifferences()).toEqual({ unlisted: [], missing: [] });
  });

  test.each(FORMATS.flatMap(filesOf))('%s', async (file) => {
    const expected = EXPECTED[file];
    const loaded = load(file);
    if ('refused' in loaded || typeof expected === 'object') {
      expect(loaded).toMatchObject({
        refused: expect.stringContaining((expected as { refused: string }).refused),
      });
      return;
    }
    const model = planModel(loaded);
    expect(model.fit.problem).toBeUndefined();
    expect(model.layerwise.problem).toBeUndefined();
    expect(model.fit.plan.arenaBytes).toBeLessThanOrEqual(model.layerwise.plan.arenaBytes);
    if (file in MOST_KIB) expect(model.fit.plan.arenaBytes).toBeLessThanOrEqual(MOST_KIB[file] * 1024);
    // Larger ones are run by npm run bench:models.
    if (model.profile.macs > MOST_MACS) return;
    const { difference, comparison } = await runModel(model, model.fit.plan);
    expect(difference).toBeUndefined();
    expect(comparison.within, `${comparison.error} from ${comparison.reference}`).toBe(true);
  });

  test('the detector that ends in a custom operator, up to it', async () => {
    const file = 'ssd_mobilenet_v1_coco_uint8.tflite';
    const graph = loadBeforeCustom(file);
    const fit = planned(graph, MIN_POLICY);
    expect(fit.problem).toBeUndefined();
    const outputs = runPlanned(graph, fit.plan, await seededInputs(file, graph), 0xa5);
    expect(unlikeReferenceKernels(file, outputs)).toEqual([]);
  });
});
