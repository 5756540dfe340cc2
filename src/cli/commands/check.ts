/** `tidemark check`: for a CI job. The same answer as `fit`, one line for people, nothing written. */
import type { Command } from 'commander';
import { TidemarkError } from '../../errors.ts';
import { formatSize } from '../../report/format.ts';
import { leastText } from '../bounded.ts';
import { type FitOptions, fitModel, withFit } from '../fitting.ts';
import { withJson } from '../options/shared.ts';
import { answer, answerNo } from '../output.ts';
import { style } from '../terminal/style.ts';

export function define(command: Command): void {
  withFit(command);
  withJson(command);
  command
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark check model.tflite --ram 64K\n  tidemark check zoo:ds-cnn --dtype int8 --ram 8K --json\n  tidemark check model.tflite --board nrf52832\n',
    )
    .action(run);
}

function run(model: string, options: FitOptions): void {
  if (options.ram === undefined && options.board === undefined && options.bank === undefined)
    throw new TidemarkError('usage', 'check needs a budget: --ram SIZE, --bank NAME=SIZE or --board NAME');
  const { document } = fitModel(model, options);
  if (!document.fits) answerNo();
  answer(options.json, document, () => {
    const budget = formatSize(document.ramBudgetBytes ?? document.arenaBytes);
    const { board } = document;
    if (board && !board.flashFits)
      return `${style.red('does not fit')}: the constants of ${model} take ${formatSize(board.weightBytes)}, ${board.title} has ${formatSize(board.flashBytes)} of flash`;
    return document.fits
      ? `${style.green('fits')}: ${model} needs ${formatSize(document.arenaBytes)} of ${budget}`
      : `${style.red('does not fit')}: ${model} needs ${leastText(formatSize(document.smallestBytes!), document.stoppedBy)}, ${budget} are given`;
  });
}
