/**
 * Every TFLite file of the public set: read, run operator by operator on its seeded input, as read and normalised,
 * and compared with its reference outputs. Quantised models must equal the TFLite reference kernels bit for bit.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TidemarkError } from '../../src/errors.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { readTflite } from '../../src/model/tflite/read.ts';
import { compareModel, type Verdict } from './tflite/compare.ts';
import { haveModels, MISSING, MODELS, readModelFile } from './tflite/reference-data.ts';
import { compareCut, compareTwin, EXPECTED } from './tflite/special-cases.ts';

const files = haveModels ? readdirSync(join(MODELS, 'tflite')).filter((f) => f.endsWith('.tflite')) : [];

/** What is expected of a comparison: equality of quantised models, closeness of float ones, or the stated exception. */
function judge(file: string, verdict: Verdict): void {
  const exception = EXPECTED[file];
  if (exception) {
    expect(verdict.verdict, verdict.note).toBe(exception.verdict);
    if (verdict.verdict === 'refused') expect(verdict.note).toContain(exception.message);
    if (exception.bound) expect(verdict.error).toBeLessThanOrEqual(exception.bound);
  } else if (verdict.quantised) {
    expect(verdict.verdict, verdict.note).toBe('equal');
  } else {
    expect(['equal', 'close'], verdict.note).toContain(verdict.verdict);
  }
}

describe.skipIf(!haveModels)(`TFLite models${haveModels ? '' : ` (skipped: ${MISSING})`}`, () => {
  test.each(files)('%s', (file) => judge(file, compareModel(file)));

  test.each(files)('%s, normalised', (file) => judge(file, compareModel(file, normalise)));

  test('the model with a custom operator equals the reference up to it', () => {
    expect(compareCut('ssd_mobilenet_v1_coco_uint8.tflite')).toMatchObject({ verdict: 'equal' });
  });

  test('the detector whose LiteRT vector is cut short gives the scores of its ONNX twin', () => {
    expect(compareTwin().error).toBeLessThanOrEqual(1e-4);
  });

  test('damaged copies end in one error of ours or in a graph, each within a second', () => {
    let state = 7;
    const random = () => (state = Math.imul(state, 48271) >>> 0) / 2 ** 32;
    for (const file of files) {
      const bytes = readModelFile('tflite', file);
      for (let run = 0; run < 20; run++) {
        const damaged = bytes.slice();
        for (let k = 0; k < 1 + (run % 8); k++) {
          // Tables stand at the ends of a file; between them are weights, where damage says little.
          const place = Math.floor(random() * Math.min(bytes.length, 60_000));
          const at = random() < 0.5 ? bytes.length - 1 - place : place;
          damaged[at] =
            random() < 0.5 ? damaged[at] ^ (1 << Math.floor(random() * 8)) : Math.floor(random() * 256);
        }
        const cut = run % 10 === 9 ? damaged.subarray(0, Math.floor(random() * damaged.length)) : damaged;
        const started = performance.now();
        try {
          readTflite(cut, { name: file, file });
        } catch (error) {
          expect(error, `${file}, run ${run}`).toBeInstanceOf(TidemarkError);
        }
        expect(performance.now() - started, `${file}, run ${run}`).toBeLessThan(1000);
      }
    }
  });
});
