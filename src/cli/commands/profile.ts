/** `tidemark profile`: what a model needs today, step by step. */
import type { Command } from 'commander';
import { formatCount, formatSize } from '../../report/format.ts';
import { type Profile, profileOf } from '../../report/profile.ts';
import { loadModel } from '../model.ts';
import {
  type AccountingWord,
  type ModelOptions,
  withAccounting,
  withJson,
  withModel,
} from '../options/shared.ts';
import { answer } from '../output.ts';
import { memoryBars } from '../terminal/memory-bars.ts';
import { facts, table } from '../terminal/table.ts';

interface Options extends ModelOptions {
  readonly accounting: AccountingWord;
  readonly json?: boolean;
}

export function define(command: Command): void {
  withModel(command);
  withAccounting(command);
  withJson(command);
  command
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark profile model.onnx\n  tidemark profile zoo:resnet8 --dtype int8 --json\n',
    )
    .action(run);
}

function run(model: string, options: Options): void {
  const { graph } = loadModel(model, options);
  const profile = profileOf(graph, { opsOnly: options.accounting === 'ops-only' });
  answer(options.json, { model, ...profile, accounting: options.accounting }, () => text(model, profile));
}

function text(model: string, profile: Profile): string {
  const peak = Math.max(1, profile.livenessPeakBytes);
  return [
    facts([
      ['model', model],
      ['operators', String(profile.operators)],
      ['multiply-accumulates', formatCount(profile.macs)],
      ['weights', formatSize(profile.weightBytes)],
      ['input, output', `${formatSize(profile.inputBytes)}, ${formatSize(profile.outputBytes)}`],
      ['every tensor apart', formatSize(profile.naiveBytes)],
      ['two buffers in turn', formatSize(profile.pingpongBytes)],
      ['layer by layer', `${formatSize(profile.livenessPeakBytes)} at ${profile.peakAt}`],
    ]),
    '',
    memoryBars(
      profile.steps.map((s) => s.liveBytes),
      { peakAt: profile.peakAt },
    ),
    '',
    table(
      [
        { title: '#', align: 'right' },
        { title: 'operator', flexible: true },
        { title: 'kind' },
        { title: 'live', align: 'right' },
        { title: '' },
      ],
      profile.steps.map((s) => [
        String(s.index),
        s.name,
        s.op,
        formatSize(s.liveBytes),
        '■'.repeat(Math.round((s.liveBytes / peak) * 20)),
      ]),
    ),
  ].join('\n');
}
