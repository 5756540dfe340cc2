/** `tidemark overlap`: method 1, layer by layer, each output lying on what is dead of its input. */
import path from 'node:path';
import { type Command, Option } from 'commander';
import { TidemarkError } from '../../errors.ts';
import { canStream, refuseTooLarge } from '../../fit/limits.ts';
import { overlapGraph } from '../../fit/overlapped.ts';
import type { Granularity } from '../../passes/4-allocate/overlap/raster-distance.ts';
import { formatPercent, formatSize } from '../../report/format.ts';
import { type OverlapReport, overlapReport } from '../../report/overlap.ts';
import { searchedWhole } from '../bounded.ts';
import { refuseUnwritable, writeWhole } from '../files.ts';
import { loadModel } from '../model.ts';
import { type PlanningBounds, withSearchBounds } from '../options/limits.ts';
import {
  type ModelOptions,
  type PolicyOptions,
  withJson,
  withModel,
  withPolicies,
} from '../options/shared.ts';
import { oneOf } from '../options/values.ts';
import { answer } from '../output.ts';
import { policyOf } from '../planning.ts';
import { startProgress } from '../terminal/progress.ts';
import { facts, table } from '../terminal/table.ts';

interface Options extends ModelOptions, PolicyOptions, PlanningBounds {
  readonly granularity: Granularity;
  readonly out?: string;
  readonly json?: boolean;
}

export function define(command: Command): void {
  withPolicies(withModel(command)).addOption(
    new Option(
      '--granularity <unit>',
      'what is written at once: a pixel or a row, when it is complete, or each element by itself',
    )
      .default('pixel')
      .argParser(oneOf('--granularity', ['pixel', 'row', 'element'])),
  );
  command.option('-o, --out <folder>', 'write plan.json there, for run and verify');
  withJson(withSearchBounds(command));
  command
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark overlap zoo:vgg16 --dtype int8\n  tidemark overlap model.tflite --granularity row --json\n  tidemark overlap model.onnx -o out\n',
    )
    .action(run);
}

function run(model: string, options: Options): void {
  if (options.out) refuseUnwritable(options.out);
  const { graph } = loadModel(model, options);
  refuseTooLarge(graph);
  if (!canStream(graph))
    throw new TidemarkError(
      'shape-too-large',
      `${model}: its maps have too many pixels to follow one by one; give smaller shapes`,
    );
  const { granularity, accounting } = options;
  const { overlapped, report } = searchedWhole(options, startProgress(), model, () => {
    const overlapped = overlapGraph(graph, { policy: policyOf(options), granularity });
    const opsOnly = accounting === 'ops-only';
    return { overlapped, report: overlapReport(graph, overlapped, { granularity, opsOnly }) };
  });
  const files = options.out ? [path.join(options.out, 'plan.json')] : [];
  for (const file of files) writeWhole(file, `${JSON.stringify(overlapped.plan)}\n`);
  answer(options.json, { model, ...report, accounting, files }, () => text(model, report));
}

function stagedNote({ arenaBytes, overlapBytes }: OverlapReport): string {
  const staged = arenaBytes - overlapBytes;
  return staged > 0 ? `, ${formatSize(staged)} of it for staged runs` : '';
}

/** What is known of how good it is. */
function leastNote({ arenaBytes, floorBytes, optimal }: OverlapReport): string {
  if (arenaBytes <= floorBytes) return ', and none in this order can be smaller';
  return optimal ? ', and none with these directions can be smaller' : '';
}

function text(model: string, r: OverlapReport): string {
  const atPeak = Math.max(...r.layers.map((l) => l.memoryBytes + l.aliveBytes));
  return [
    facts([
      ['model', model],
      ['two buffers in turn', formatSize(r.pingpongBytes)],
      ...(r.pingpongFixedBytes === null
        ? []
        : ([['two fixed regions', formatSize(r.pingpongFixedBytes)]] as const)),
      ['overlapped', `${formatSize(r.overlapBytes)}, ${formatPercent(r.saving)} less`],
      ['with weights', `${formatPercent(r.savingWithWeights)} less (weights ${formatSize(r.weightBytes)})`],
      ['as a plan', `${formatSize(r.arenaBytes)}${stagedNote(r)}; proved${leastNote(r)}`],
    ]),
    '',
    table(
      [
        { title: 'layer', flexible: true },
        { title: 'in', align: 'right' },
        { title: 'out', align: 'right' },
        { title: 'apart', align: 'right' },
        { title: 'together', align: 'right' },
        { title: 'beside', align: 'right' },
        { title: 'runs' },
        { title: '' },
      ],
      r.layers.map((l) => [
        l.name,
        formatSize(l.inBytes),
        formatSize(l.outBytes),
        formatSize(l.distanceBytes),
        formatSize(l.memoryBytes),
        formatSize(l.aliveBytes),
        l.runs,
        l.memoryBytes + l.aliveBytes === atPeak ? '← largest' : '',
      ]),
    ),
    '',
    'Apart is how far the input must lie above the output, walking forwards; together is what both take so.',
    'Beside is what other branches keep alive. A layer that fits without overlapping runs whole.',
  ].join('\n');
}
