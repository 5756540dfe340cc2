/** `tidemark bench`: plans and other runtimes, timed in turns in one process on one thread. */
import type { Command } from 'commander';
import { TidemarkError } from '../../errors.ts';
import { formatSize } from '../../report/format.ts';
import { backendNames } from '../backends.ts';
import {
  type BenchOptions,
  benchModel,
  geometricMeans,
  type Mean,
  PLANS,
  type Row,
  RUNTIMES,
} from '../bench/bench-model.ts';
import { withPlanningBounds } from '../options/limits.ts';
import { withDtype, withJson } from '../options/shared.ts';
import { collectShape, parseCount, parsePercent } from '../options/values.ts';
import { answer } from '../output.ts';
import { startProgress } from '../terminal/progress.ts';
import { table } from '../terminal/table.ts';

interface Options extends BenchOptions {
  readonly json?: boolean;
}

export function define(command: Command): void {
  command
    .argument('<models...>', '.onnx or .tflite files, or zoo:NAME')
    .option(
      '--backend <names>',
      `what computes plans: some of ${backendNames.join(',')}`,
      listOf('--backend', backendNames),
      ['wasm'],
    )
    .option(
      '--against <names>',
      `runtimes to compare with: some of ${RUNTIMES.join(',')}`,
      listOf('--against', RUNTIMES),
      [],
    )
    .option('--plan <names>', `plans to time: some of ${PLANS.join(',')}`, listOf('--plan', PLANS), [
      'layerwise',
      'fit',
    ])
    .option(
      '--slack <percent>',
      'room above the smallest arena that fit may take to be faster (default: 10)',
      (t) => parsePercent(t, '--slack'),
      0.1,
    )
    .option('--turns <n>', 'turns that each takes', (t) => parseCount(t, '--turns'), 7)
    .option('--seed <n>', 'seed of made-up inputs', (t) => parseCount(t, '--seed'), 1)
    .option('--shape <name=dims>', 'size of an input that a file leaves open (repeatable)', collectShape);
  withPlanningBounds(withDtype(command), 'end the search for a plan $, with the best found by then');
  withJson(command);
  command
    .addHelpText(
      'after',
      `
Plans: layerwise; fit, the cheapest plan within the smallest arena and --slack (10 %) above it; smallest, the smallest arena.
Each turn runs everything for about 100 ms, one after another; the first runs are not counted. Ratios are the other
runtime's median over the row's: above 1 is faster than it.

Examples:
  tidemark bench zoo:resnet8 --dtype int8 --against ort,ort-web
  tidemark bench model.onnx model.tflite --plan layerwise --against ort-web --json
`,
    )
    .action(run);
}

function listOf<T extends string>(option: string, words: readonly T[]): (text: string) => readonly T[] {
  return (text) =>
    text.split(',').map((part) => {
      const found = words.find((w) => w === part.trim());
      if (found) return found;
      throw new TidemarkError('usage', `${option} expects some of ${words.join(',')}, got '${part}'`);
    });
}

async function run(models: readonly string[], options: Options): Promise<void> {
  const progress = startProgress();
  const rows: Row[] = [];
  for (const model of models) rows.push(...(await benchModel(model, options, progress)));
  progress.done();
  const means = geometricMeans(rows);
  answer(options.json, { rows, means }, () => text(rows, means));
}

const ratioText = (v: number | null) => (v === null ? '' : v.toFixed(2));

function text(rows: readonly Row[], means: readonly Mean[]): string {
  const cells = rows.map((r) => [
    r.model,
    r.dtype,
    r.runtime,
    r.plan ?? '',
    r.medianMs.toFixed(3),
    r.minMs.toFixed(3),
    r.arenaBytes === null ? '' : formatSize(r.arenaBytes),
    ratioText(r.ratioVsOrt),
    ratioText(r.ratioVsOrtWeb),
  ]);
  const ratios = means.filter((m) => m.models > 1 && (m.ratioVsOrt ?? m.ratioVsOrtWeb) !== null);
  const last = ratios.map((m) => [
    `geometric mean of ${m.models}`,
    '',
    m.runtime,
    m.plan ?? '',
    '',
    '',
    '',
    ratioText(m.ratioVsOrt),
    ratioText(m.ratioVsOrtWeb),
  ]);
  return table(
    [
      { title: 'model', flexible: true },
      { title: 'type' },
      { title: 'runtime' },
      { title: 'plan' },
      { title: 'median ms', align: 'right' },
      { title: 'best ms', align: 'right' },
      { title: 'arena', align: 'right' },
      { title: 'x ort', align: 'right' },
      { title: 'x ort-web', align: 'right' },
    ],
    [...cells, ...last],
  );
}
