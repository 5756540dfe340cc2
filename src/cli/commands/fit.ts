/** `tidemark fit`: the cheapest plan within a budget, or the smallest there is; proves it and writes it. */
import type { Command } from 'commander';
import { fitText } from '../fit-text.ts';
import { allFit, type FitOptions, fitModel, withFit } from '../fitting.ts';
import { withJson } from '../options/shared.ts';
import { collect } from '../options/values.ts';
import { answer, answerNo } from '../output.ts';
import { loadTargets, targetsHelp } from '../targets.ts';

export function define(command: Command): void {
  withFit(command)
    .option('-o, --out <folder>', 'write plan.json and report.html there')
    .option('--target <name>', `what else to write there (repeatable): ${targetsHelp}`, collect);
  withJson(command);
  command
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark fit zoo:mobilenetv2-0.35-144 --dtype int8 --ram 96K -o out\n  tidemark fit model.tflite --ram min --input streamed\n  tidemark fit model.onnx --ram 256K --json\n  tidemark fit model.tflite --ram 64K --target tflite -o out\n',
    )
    .action(run);
}

async function run(model: string, options: FitOptions): Promise<void> {
  const targets = await loadTargets(options.target ?? []);
  const fitted = fitModel(model, options, targets, true);
  if (!allFit(fitted)) answerNo();
  answer(options.json, fitted.document, () => fitText(fitted));
}
