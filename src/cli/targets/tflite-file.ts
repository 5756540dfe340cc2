/** What the targets that write a .tflite file share. */
import type { ModelFile, ModelSource } from '../../compile.ts';
import { offlinePlanProblem, type PlannedKernels } from '../../emit/tflite/check-offline-plan.ts';
import { planInFile } from '../../emit/tflite/metadata.ts';
import { withOfflinePlan } from '../../emit/tflite/write.ts';
import { TidemarkError } from '../../errors.ts';
import { modelFormat } from '../../model/format.ts';
import { parseTflite } from '../../model/tflite/file.ts';

/** The file that the plan goes into; refuses what is none. */
export function tfliteFileOf(target: string, model: string, source: ModelSource): ModelFile {
  if (!('zoo' in source) && modelFormat(source.file, source.bytes) === 'tflite') return source;
  const what = 'zoo' in source ? 'a zoo model' : 'an ONNX file';
  throw new TidemarkError(
    'usage',
    `--target ${target} writes a plan into a .tflite file, and ${model} is ${what}: give the .tflite file, or another target`,
  );
}

/** The file with the plan, read back and proven. */
export function provenCopy(
  bytes: Uint8Array,
  offsets: readonly number[],
  kernels: PlannedKernels,
): Uint8Array {
  const content = withOfflinePlan(bytes, offsets);
  const problem = offlinePlanProblem(parseTflite(content), planInFile(content) ?? [], kernels);
  if (problem) throw new TidemarkError('internal', `${problem}; please report this model`);
  return content;
}
