/** The public ONNX models against ONNX Runtime, as read; the big ones only by `npm run conformance:onnx`. */
import { describe, expect, test } from 'vitest';
import { UNLESS_MODELS } from '../public-models-folder.ts';
import { compareModel, macsOf, modelFiles, readModel } from './onnx/models.ts';
import { toleranceOf } from './onnx/tolerances.ts';

const files = modelFiles();
const LARGE_MACS = 4e8;

describe.skipIf(files.length === 0)(`ONNX models${UNLESS_MODELS}`, () => {
  test.for(files)('%s', async (file, ctx) => {
    if (macsOf(readModel(file)) > LARGE_MACS) return ctx.skip('large: npm run conformance:onnx runs it');
    const { error, note } = await compareModel(file);
    expect(error, note).toBeLessThanOrEqual(toleranceOf(file).relative);
  });
});
