/** `tidemark fit`: the cheapest plan within a budget, or the smallest there is; proves it and writes it. */
import type { Command } from 'commander';
import { type FitOptions, fitModel, fitText, withFit } from '../fitting.ts';
import { withJson } from '../options/shared.ts';
import { answer, answerNo } from '../output.ts';

export function define(command: Command): void {
  withFit(command).option('-o, --out <folder>', 'write plan.json and report.html there');
  withJson(command);
  command
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark fit zoo:mobilenetv2-0.35-144 --dtype int8 --ram 96K -o out\n  tidemark fit model.tflite --ram min --input streamed\n  tidemark fit model.onnx --ram 256K --json\n',
    )
    .action(run);
}

function run(model: string, options: FitOptions): void {
  const fitted = fitModel(model, options);
  if (!fitted.document.fits) answerNo();
  answer(options.json, fitted.document, () => fitText(fitted));
}
