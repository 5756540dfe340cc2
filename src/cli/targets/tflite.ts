/** `fit --target tflite`: the file with an offline plan in its metadata, which unmodified TFLite Micro follows. */
import { type OfflinePlan, planOffline } from '../../emit/tflite/offline-plan.ts';
import { within } from '../../errors.ts';
import { parseTflite } from '../../model/tflite/file.ts';
import { formatPercent, formatSize } from '../../report/format.ts';
import type { Target } from '../targets.ts';
import { style } from '../terminal/style.ts';
import { provenCopy, tfliteFileOf } from './tflite-file.ts';

const ABOUT = `The model with a memory plan in its metadata (OfflineMemoryAllocation). Put it in place of the old file:
TFLite Micro finds the plan by itself, and neither code nor build changes. Everything else in the file is as it was;
runtimes that know no such metadata pass over it. Tensor memory is what the plan saves: the arena also holds what
TFLite Micro keeps for itself, as before. arena_used_bytes() of its interpreter tells the whole.`;

export const target: Target = {
  refuse(model, source) {
    const { bytes } = tfliteFileOf('tflite', model, source);
    within(model, () => planOffline(parseTflite(bytes)));
  },

  write({ model, source, budgetBytes }) {
    const { bytes } = tfliteFileOf('tflite', model, source);
    return within(model, () => {
      const plan = planOffline(parseTflite(bytes));
      const content = provenCopy(bytes, plan.offsets, 'any');
      const fits = budgetBytes === undefined || plan.heads.reference.planned <= budgetBytes;
      return {
        files: [{ name: 'model.tflite', content, about: ABOUT }],
        figures: figuresOf(plan, fits),
        fits,
        lines: linesOf(plan, fits, budgetBytes),
      };
    });
  },
};

function figuresOf(plan: OfflinePlan, fits: boolean) {
  const { reference, 'cmsis-nn': cmsisNn } = plan.heads;
  return {
    fits,
    headBytes: reference.planned,
    greedyHeadBytes: reference.greedy,
    lowerBoundBytes: plan.lowerBoundBytes,
    optimal: reference.planned <= plan.lowerBoundBytes,
    cmsisNn: { headBytes: cmsisNn.planned, greedyHeadBytes: cmsisNn.greedy },
    inPlace: plan.inPlace.length,
    unknownScratch: plan.unknownScratch,
    checked: true,
    offsets: plan.offsets,
  };
}

function linesOf(plan: OfflinePlan, fits: boolean, budgetBytes: number | undefined) {
  const { reference, 'cmsis-nn': cmsisNn } = plan.heads;
  const { planned, greedy } = reference;
  const saved = greedy > planned ? `; saved ${formatPercent(1 - planned / greedy)}` : '; nothing to save';
  const short = fits ? '' : style.red(`, does not fit ${formatSize(budgetBytes ?? 0)}`);
  const lines: [string, string][] = [
    [
      'TFLite Micro',
      `${style.bold(formatSize(planned))} (${planned} bytes) for tensors and working memory${short}; ${formatSize(greedy)} without this plan${saved}`,
    ],
  ];
  if (cmsisNn.planned !== planned || cmsisNn.greedy !== greedy) {
    const text = `${formatSize(cmsisNn.planned)} on Cortex-M4 and M7; ${formatSize(cmsisNn.greedy)} without this plan`;
    lines.push(['with CMSIS-NN', text]);
  }
  if (plan.inPlace.length > 0)
    lines.push(['in place', `${plan.inPlace.length} operators write over their input`]);
  if (plan.unknownScratch.length > 0) {
    const text = `what kernels of ${plan.unknownScratch.join(', ')} ask for is not counted`;
    lines.push(['working memory', text]);
  }
  return lines;
}
