/** `tidemark pipeline`: a partition on a row of chips, simulated, drawn, and run for real by worker threads. */
import fs from 'node:fs';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { TidemarkError } from '../../errors.ts';
import type { LayerNet } from '../../passes/2-partition/layers.ts';
import { type Partition, Partitioner } from '../../passes/2-partition/partition.ts';
import { pipelineTimeline } from '../../report/pipeline-timeline.ts';
import { type Chip, chipPreset, chipPresets, parseChip } from '../../simulate/chip.ts';
import { fewestChips, leastPeriod } from '../../simulate/objectives.ts';
import type { PipelineMode } from '../../simulate/pipeline.ts';
import { type PipelinePlan, planPipeline } from '../../simulate/plan-pipeline.ts';
import { ChipCosts } from '../../simulate/stages.ts';
import { traceOf } from '../../simulate/trace.ts';
import { searchedWhole } from '../bounded.ts';
import { refuseUnwritable, writeWhole } from '../files.ts';
import { withSearchBounds } from '../options/limits.ts';
import { withJson, withModel } from '../options/shared.ts';
import { oneOf, parseCount } from '../options/values.ts';
import { answer, answerNo, note } from '../output.ts';
import { type ChipOptions, chipSize, choosePartition, layersOfModel, withChip } from '../partitioning.ts';
import { runPipelineForReal } from '../pipeline-run.ts';
import { pipelineText } from '../pipeline-text.ts';
import { startProgress } from '../terminal/progress.ts';

interface Options extends Omit<ChipOptions, 'chip'> {
  readonly chip?: number;
  readonly preset: string;
  readonly chipFile?: string;
  readonly chips?: number;
  readonly batch: number;
  readonly batches: number;
  readonly rate?: number;
  readonly goal: 'traffic' | 'period' | 'chips';
  readonly mode: PipelineMode;
  readonly queue: number;
  readonly trace?: string;
  readonly out?: string;
  readonly run?: number;
  readonly json?: boolean;
}

export function define(command: Command): void {
  withModel(command);
  const count = (name: string) => (text: string) => parseCount(text, name);
  command
    .option('--chip <size>', "bytes on one chip, e.g. 3M (left out: the preset's)", chipSize)
    .addOption(
      new Option('--preset <name>', `the chip: ${chipPresets.map((c) => c.name).join(', ')}`).default('edge'),
    )
    .option('--chip-file <file>', 'a chip of your own, as JSON')
    .option('--chips <n>', 'chips in all; further ones replicate the slowest stages', count('--chips'))
    .option('--rate <n>', 'images a second to reach, by replicating stages', count('--rate'))
    .addOption(
      new Option(
        '--goal <which>',
        'traffic: the least bytes, then replicas; period: the least time between images for --chips; chips: the fewest for --rate',
      )
        .default('traffic')
        .argParser(oneOf('--goal', ['traffic', 'period', 'chips'])),
    );
  withChip(command);
  command
    .option('--batch <n>', 'images in a mini-batch', count('--batch'), 1)
    .option('--batches <n>', 'mini-batches to simulate', count('--batches'), 64)
    .addOption(
      new Option('--mode <which>', 'staggered, unstaggered, or synchronous')
        .default('staggered')
        .argParser(oneOf('--mode', ['staggered', 'unstaggered', 'synchronous'])),
    )
    .option('--queue <n>', 'mini-batches that may wait before a chip', count('--queue'), 1)
    .option('--trace <file>', 'write the simulated run for chrome://tracing or Perfetto')
    .option('-o, --out <dir>', 'write pipeline.json, timeline.svg and trace.json')
    .option(
      '--run <n>',
      'run n seeded images through worker threads, one a chip, and compare',
      count('--run'),
    );
  withJson(withSearchBounds(command));
  command
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark pipeline zoo:vgg16 --dtype int8 --no-dense --chip 3M --chips 12 -o out\n  tidemark pipeline zoo:resnet50 --dtype int8 --rate 500 --goal chips\n  tidemark pipeline zoo:resnet8 --chip 128K --run 8\n',
    )
    .action(run);
}

async function run(model: string, options: Options): Promise<void> {
  if (options.out) refuseUnwritable(options.out);
  if (options.trace) refuseUnwritable(path.dirname(options.trace));
  const chip = chipOf(options);
  const net = layersOfModel(model, {
    ...options,
    chip: chip.capacityBytes,
    toRun: options.run !== undefined,
  });
  const { plan, partition } = searchedWhole(options, startProgress(), model, () =>
    plannedPipeline(net, chip, options),
  );
  const real =
    options.run === undefined
      ? undefined
      : await runPipelineForReal(net, partition, {
          replicas: plan.stages.map((s) => s.replicas),
          images: options.run,
          batch: options.batch,
          queue: options.queue,
        });
  const document = { model, ...describe(plan, chip, options), ...(real ? { run: real } : {}) };
  const files = write(model, plan, document, options);
  for (const file of files) note(`wrote ${file}`);
  answer(options.json, { ...document, files }, () => pipelineText(model, plan, chip, real, options));
  if (real && !real.equal) answerNo();
}

function plannedPipeline(
  net: LayerNet,
  chip: Chip,
  options: Options,
): { readonly plan: PipelinePlan; readonly partition: Partition } {
  const costs = new ChipCosts(net, chip);
  const { partition, replicas } = partitionFor(net, costs, options);
  const { batch, chips, rate, mode, batches, queue, weights } = options;
  const periodSeconds = chips === undefined && rate ? batch / rate : undefined;
  const request = { batch, chips, periodSeconds, replicas, mode, batches, queue };
  return { plan: planPipeline(costs, partition, request, weights), partition };
}

function chipOf(options: Options): Chip {
  const chip = options.chipFile ? chipFromFile(options.chipFile) : chipPreset(options.preset);
  return options.chip === undefined ? chip : { ...chip, capacityBytes: options.chip };
}

function chipFromFile(file: string): Chip {
  let content: string;
  try {
    content = fs.readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new TidemarkError(
      code === 'ENOENT' ? 'file-missing' : 'file-unreadable',
      `${file}: cannot be read (${code})`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new TidemarkError('file-format', `${file}: not JSON; expected a chip as docs/pipeline.md shows`);
  }
  return parseChip(value, file);
}

function partitionFor(
  net: LayerNet,
  costs: ChipCosts,
  options: Options,
): { partition: Partition; replicas?: readonly number[] } {
  const capacityBytes = costs.chip.capacityBytes;
  const partitioner = new Partitioner(net, {
    capacityBytes,
    weights: options.weights,
    inPlace: options.inPlace,
  });
  if (options.goal === 'period') {
    if (options.chips === undefined)
      throw new TidemarkError('usage', '--goal period: give the number of chips with --chips');
    return leastPeriod(partitioner, costs, options.chips) ?? tooFew(options.chips, partitioner.best());
  }
  if (options.goal === 'chips') {
    if (options.rate === undefined)
      throw new TidemarkError('usage', '--goal chips: give the images a second with --rate');
    return fewestChips(partitioner, costs, 1 / options.rate);
  }
  const { best } = choosePartition(net, { ...options, chip: capacityBytes });
  if (options.chips !== undefined && options.chips < best.spans.length) return tooFew(options.chips, best);
  return { partition: best };
}

function tooFew(chips: number, { spans }: Partition): never {
  throw new TidemarkError(
    'usage',
    `--chips ${chips}: the partition has ${spans.length} spans, one a chip; give at least ${spans.length}, or a larger --chip`,
  );
}

function describe(plan: PipelinePlan, chip: Chip, options: Options) {
  const { stages, run, modes, base, layerFusion, ...figures } = plan;
  return {
    chip,
    batch: options.batch,
    goal: options.goal,
    mode: options.mode,
    stages: stages.map((s, i) => ({
      span: s.name,
      seconds: s.batchSeconds,
      replicas: s.replicas,
      computeSeconds: s.computeSeconds,
      transferSeconds: s.transferSeconds,
      offChipBytes: s.offChipBytes,
      filterBytes: s.filterBytes,
      utilisation: run.utilisation[i],
      arrayUtilisation: s.arrayUtilisation,
    })),
    ...figures,
    simulated: {
      batches: options.batches,
      throughput: run.throughput * options.batch,
      latencySeconds: run.latencySeconds,
      endSeconds: run.endSeconds,
      queued: run.queued,
    },
    modes,
    base,
    layerFusion,
  };
}

function write(model: string, plan: PipelinePlan, document: unknown, options: Options): string[] {
  const files: string[] = [];
  const put = (file: string, content: string) => {
    writeWhole(file, content);
    files.push(file);
  };
  const trace = () =>
    `${JSON.stringify(
      traceOf(
        plan.run,
        plan.stages.map((s) => s.name),
      ),
    )}\n`;
  if (options.trace) put(options.trace, trace());
  if (options.out) {
    put(path.join(options.out, 'pipeline.json'), `${JSON.stringify(document, null, 2)}\n`);
    put(path.join(options.out, 'timeline.svg'), drawing(model, plan, options));
    put(path.join(options.out, 'trace.json'), trace());
  }
  return files;
}

/** The first mini-batches of the run: enough to see the pipeline fill and run. */
function drawing(model: string, plan: PipelinePlan, options: Options): string {
  const { run, stages } = plan;
  const first: number[] = [];
  for (let i = 0, row = 0; i < stages.length; row += run.utilisation[i].length, i++) first.push(row);
  return pipelineTimeline({
    title: `${model} on ${plan.chips} chips, ${options.mode}`,
    rows: stages.flatMap((s, i) =>
      run.utilisation[i].map((busy, k) => ({
        name: run.utilisation[i].length > 1 ? `${s.name} (${k + 1})` : s.name,
        busy,
      })),
    ),
    bars: run.visits.map((v) => ({ ...v, row: first[v.stage] + v.replica })),
    untilSeconds: Math.min(run.endSeconds, plan.latencySeconds + 16 * plan.periodSeconds),
  });
}
