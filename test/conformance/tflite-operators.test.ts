/** One-operator TFLite models: all run, and equal upstream's vectors where there are any. */
import { describe, expect, test } from 'vitest';
import { runOpTest } from './tflite/op-tests.ts';
import { haveModels, MISSING, readJson } from './tflite/reference-data.ts';

const entries: { file: string }[] = haveModels ? readJson('tflite-op-tests/index.json') : [];

describe.skipIf(!haveModels)(`TFLite operators${haveModels ? '' : ` (skipped: ${MISSING})`}`, () => {
  test.each(entries.map((e) => [e.file, e] as const))('%s', (_, entry) => {
    const { verdict, note } = runOpTest(entry);
    expect(['equal', 'close', 'runs'], note).toContain(verdict);
  });
});
