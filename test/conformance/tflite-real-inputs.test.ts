/** TFLite models on real pictures and sounds, against the TFLite reference kernels' outputs. */
import { describe, expect, test } from 'vitest';
import type { Graph } from '../../src/graph/graph.ts';
import { compareReal } from './tflite/compare-real.ts';
import { haveModels, MISSING, readJson } from './tflite/reference-data.ts';

const keys = haveModels ? Object.keys(readJson('tflm/real/index.json')) : [];
const graphs = new Map<string, Graph>();

describe.skipIf(!haveModels)(`real inputs${haveModels ? '' : ` (skipped: ${MISSING})`}`, () => {
  test.each(keys)('%s', (key) => {
    const verdict = compareReal(key, graphs);
    if (verdict.quantised) expect(verdict.verdict, verdict.note).toBe('equal');
    else expect(['equal', 'close'], verdict.note).toContain(verdict.verdict);
  });
});
