/** `tidemark csdf`: method 4, the network as cyclo-static dataflow with a buffer for every edge. */
import { type Command, Option } from 'commander';
import { TidemarkError } from '../../errors.ts';
import { analyseCsdf, type CsdfAnswer, type CsdfRequest, csdfPareto, csdfPipeline } from '../../fit/csdf.ts';
import type { Graph } from '../../graph/graph.ts';
import { toDot, toSdf3 } from '../../passes/3-schedule/csdf/export.ts';
import { layersOf } from '../../passes/3-schedule/csdf/from-graph.ts';
import { compressSchedule, scheduleEntries } from '../../plan/schedule.ts';
import { boundedSearch, inOnePiece, searchedFor, stopDocument } from '../bounded.ts';
import { csdfText } from '../csdf-text.ts';
import { writeWhole } from '../files.ts';
import { loadModel } from '../model.ts';
import { type PlanningBounds, withPlanningBounds } from '../options/limits.ts';
import {
  type ModelOptions,
  type PolicyOptions,
  withAccounting,
  withJson,
  withModel,
} from '../options/shared.ts';
import { oneOf, parseCount } from '../options/values.ts';
import { answer, note } from '../output.ts';
import { startProgress } from '../terminal/progress.ts';

interface Options extends ModelOptions, PolicyOptions, PlanningBounds {
  readonly padding: CsdfRequest['padding'];
  readonly phases: string;
  readonly partitions?: number;
  readonly pareto?: number | true;
  readonly sdf3?: string;
  readonly dot?: string;
  readonly plan?: string;
  readonly json?: boolean;
}

export function define(command: Command): void {
  withModel(command)
    .addOption(
      new Option(
        '--padding <mode>',
        "exact: what kernels read; ignore: the authors' model, which knows no padding",
      )
        .default('exact')
        .argParser(oneOf('--padding', ['exact', 'ignore'])),
    )
    .option('--phases <layers>', 'which layers work by parts: all, none, or a 0 or 1 for each layer', 'all')
    .addOption(
      new Option(
        '--partitions <count>',
        'cut into so many stages of a pipeline, with two buffers between',
      ).argParser((text) => parseCount(text, '--partitions')),
    )
    .addOption(
      new Option(
        '--pareto [tries]',
        'memory against phases: all choices of layers by parts where there are no more than so many (4096), else a search over so many',
      ).argParser((text) => parseCount(text, '--pareto')),
    )
    .option('--sdf3 <file>', 'write the graph as SDF3 XML')
    .option('--dot <file>', 'write the graph as DOT')
    .option('--plan <file>', 'write the schedule as a plan, for verify and run (exact padding only)')
    .addOption(
      new Option('--input <policy>', "where the plan's input lies: streamed, reuse, keep or external")
        .default('streamed')
        .argParser(oneOf('--input', ['streamed', 'reuse', 'keep', 'external'])),
    )
    .addOption(
      new Option('--output <policy>', "where the plan's output lies: streamed or whole")
        .default('streamed')
        .argParser(oneOf('--output', ['streamed', 'whole'])),
    );
  withAccounting(command);
  withJson(withPlanningBounds(command, 'end the search $; only --pareto keeps what it has found'));
  command
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark csdf zoo:vgg16 --dtype int8 --padding ignore\n  tidemark csdf zoo:resnet50 --dtype int8 --pareto\n  tidemark csdf model.onnx --partitions 3 --sdf3 model.xml --dot model.dot\n',
    )
    .action(run);
}

function run(model: string, options: Options): void {
  const { graph } = loadModel(model, options);
  if (options.plan && options.padding === 'ignore')
    throw new TidemarkError(
      'usage',
      '--plan: a schedule that ignores padding cannot be run; leave --padding out',
    );
  const request: CsdfRequest = {
    padding: options.padding,
    byParts: partsOf(graph, options.phases),
    inner: options.accounting === 'ops-only',
    policy: { input: options.input, output: options.output },
  };
  const progress = startProgress();
  const kept = () => 'the choices of phases found so far are kept';
  const work = boundedSearch(options, progress, kept, options.pareto !== undefined);
  const { found, pipeline, pareto } = searchedFor(work, () => {
    const first = inOnePiece(work.run, model, () => ({
      found: analyseCsdf(graph, request),
      pipeline: options.partitions ? csdfPipeline(graph, request, options.partitions) : undefined,
    }));
    const search = {
      tries: options.pareto === true ? undefined : options.pareto,
      part: work.run,
      onProgress: (done: number) => progress.step(`choosing phases ${Math.round(done * 100)} %`),
    };
    return { ...first, pareto: options.pareto ? csdfPareto(graph, request, search) : undefined };
  });
  progress.done();
  const files = writeFiles(found, options);
  const document = {
    model,
    padding: options.padding,
    accounting: options.accounting,
    ...documentOf(found),
    ...(pipeline ? { pipeline } : {}),
    ...(pareto ? { pareto: { ...pareto, choices: pareto.choices.map(withBits) } } : {}),
    files,
    ...stopDocument(work),
  };
  answer(options.json, document, () => csdfText({ model, options, found, pipeline, pareto }));
}

function documentOf(found: CsdfAnswer) {
  const { csdf, trace, plan, lowerBoundBytes, edges, ...figures } = found;
  const layers = csdf.actors.filter((a) => a.kind !== 'input' && a.kind !== 'output');
  return {
    edges,
    ...figures,
    layers: layers.map(({ name, kind, phases, mostPhases, macs }) => ({
      name,
      kind,
      phases,
      mostPhases,
      macs,
    })),
    scheduleEntries: scheduleEntries(compressSchedule(trace.sequence)),
    ...(plan ? { arenaBytes: plan.arenaBytes, lowerBoundBytes } : {}),
  };
}

function withBits({
  byParts,
  bytes,
  phases,
}: {
  byParts: readonly boolean[];
  bytes: number;
  phases: number;
}) {
  return { phases: phases, bytes, byParts: byParts.map(Number).join('') };
}

/** By layer: works by parts. */
function partsOf(graph: Graph, text: string): readonly boolean[] | undefined {
  if (text === 'all') return undefined;
  const layers = layersOf(graph).length;
  if (text === 'none') return new Array<boolean>(layers).fill(false);
  if (!/^[01]+$/.test(text) || text.length !== layers)
    throw new TidemarkError(
      'usage',
      `--phases expects all, none, or ${layers} digits 0 or 1 (${graph.name} has ${layers} layers), got '${text}'`,
    );
  return [...text].map((digit) => digit === '1');
}

function writeFiles(found: CsdfAnswer, { sdf3, dot, plan }: Options): string[] {
  const contents: [string | undefined, () => string][] = [
    [sdf3, () => toSdf3(found.csdf, found.trace.most)],
    [dot, () => toDot(found.csdf, found.trace.most)],
    [plan, () => `${JSON.stringify(found.plan)}\n`],
  ];
  return contents.flatMap(([file, make]) => {
    if (!file) return [];
    writeWhole(file, make());
    note(`wrote ${file}`);
    return [file];
  });
}
