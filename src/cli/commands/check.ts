/** `tidemark check`: for a CI job. The same answer as `fit`, one line for people, nothing written. */
import type { Command } from 'commander';
import { formatSize } from '../../report/format.ts';
import { type FitOptions, fitModel, withFit } from '../fitting.ts';
import { withJson } from '../options/shared.ts';
import { answer, answerNo } from '../output.ts';
import { style } from '../terminal/style.ts';

export function define(command: Command): void {
  withFit(command, true);
  withJson(command);
  command
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark check model.tflite --ram 64K\n  tidemark check zoo:ds-cnn --dtype int8 --ram 8K --json\n',
    )
    .action(run);
}

function run(model: string, options: FitOptions): void {
  const { document } = fitModel(model, options);
  if (!document.fits) answerNo();
  answer(options.json, document, () => {
    const budget = formatSize(document.ramBudgetBytes ?? document.arenaBytes);
    return document.fits
      ? `${style.green('fits')}: ${model} needs ${formatSize(document.arenaBytes)} of ${budget}`
      : `${style.red('does not fit')}: ${model} needs at least ${formatSize(document.smallestBytes!)}, ${budget} are given`;
  });
}
