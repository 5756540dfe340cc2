/**
 * `fit --target tflite-reference`: as tflite, but outputs may lie over input that has been read. Only the reference
 * kernels of TFLite Micro work in the order that this counts on, so that it has a name and a file of its own.
 */
import { planOffline } from '../../emit/tflite/offline-plan.ts';
import { type OverlappedPlan, planOverlapped } from '../../emit/tflite/overlapped-plan.ts';
import { within } from '../../errors.ts';
import { parseTflite } from '../../model/tflite/file.ts';
import { formatPercent, formatSize } from '../../report/format.ts';
import type { Target } from '../targets.ts';
import { style } from '../terminal/style.ts';
import { provenCopy, tfliteFileOf } from './tflite-file.ts';

const NAME = 'tflite-reference';

const ABOUT = `ONLY for firmware with TFLite Micro's reference kernels: with CMSIS-NN, ESP-NN or another vendor's kernels it
computes wrong results. The model with a memory plan in its metadata (OfflineMemoryAllocation) in which outputs lie over
input that has been read by then. Put it in place of the old file: neither code nor build changes. CMSIS-NN has no
kernels for floating point and uses the reference kernels there, so float models are right with it too.`;

export const target: Target = {
  refuse(model, source) {
    const { bytes } = tfliteFileOf(NAME, model, source);
    within(model, () => planOffline(parseTflite(bytes)));
  },

  write({ model, source, budgetBytes }) {
    const { bytes } = tfliteFileOf(NAME, model, source);
    return within(model, () => {
      const plan = planOverlapped(parseTflite(bytes));
      const { offsets, ...figures } = plan;
      const { headBytes, lowerBoundBytes } = plan;
      const content = provenCopy(bytes, offsets, 'reference');
      const fits = budgetBytes === undefined || headBytes <= budgetBytes;
      return {
        files: [{ name: 'model-reference.tflite', content, about: ABOUT }],
        figures: { fits, ...figures, optimal: headBytes <= lowerBoundBytes, checked: true, offsets },
        fits,
        lines: [['reference kernels', lineOf(plan, fits, budgetBytes)]],
      };
    });
  },
};

function lineOf({ headBytes, greedyHeadBytes, overlaps }: OverlappedPlan, fits: boolean, budget?: number) {
  const short = fits ? '' : style.red(`, does not fit ${formatSize(budget ?? 0)}`);
  const saved =
    greedyHeadBytes > headBytes
      ? `; saved ${formatPercent(1 - headBytes / greedyHeadBytes)}`
      : '; nothing to save';
  const size = `${style.bold(formatSize(headBytes))} (${headBytes} bytes)${short}`;
  return `${size}; ${formatSize(greedyHeadBytes)} without this plan${saved}; ${overlaps} outputs lie over their input: wrong results with other kernels`;
}
