/** `tidemark restructure`: the same network cut into tiles, as an ONNX file that any runtime executes. */
import type { Command } from 'commander';
import { planGraph } from '../../compile.ts';
import { writeOnnx } from '../../emit/onnx/write.ts';
import { TidemarkError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import {
  PUBLISHED_OVERHEAD,
  type Restructured,
  restructureGraph,
} from '../../passes/1-restructure/restructure.ts';
import { sequenceOf } from '../../passes/1-restructure/sequence.ts';
import { gridOf } from '../../passes/1-restructure/tiling.ts';
import { graphMacs } from '../../plan/metrics.ts';
import { formatCount, formatPercent, formatSize } from '../../report/format.ts';
import { boundedSearch, STOPPED, searchedFor, stopDocument } from '../bounded.ts';
import { writeWhole } from '../files.ts';
import type { StoppedBy } from '../interrupt.ts';
import { loadModel } from '../model.ts';
import { type PlanningBounds, withPlanningBounds } from '../options/limits.ts';
import { type ModelOptions, withJson, withModel } from '../options/shared.ts';
import { parseBudget } from '../options/size.ts';
import { oneOf, parsePercent } from '../options/values.ts';
import { answer, answerNo } from '../output.ts';
import { memoryBars } from '../terminal/memory-bars.ts';
import { startProgress } from '../terminal/progress.ts';
import { style } from '../terminal/style.ts';
import { facts, table } from '../terminal/table.ts';
import { programVersion } from '../version.ts';

interface Options extends ModelOptions, PlanningBounds {
  readonly output?: string;
  readonly maxOverhead?: number;
  readonly grid?: readonly [number, number];
  readonly ram: string;
  readonly regions: 'one' | 'many';
  readonly join?: boolean;
  readonly channelGroups?: boolean;
  readonly json?: boolean;
}

export function define(command: Command): void {
  withModel(command)
    .option('-o, --output <file>', 'where to write the restructured network (.onnx)')
    .option(
      '--max-overhead <percent>',
      'multiply-accumulates that may be computed again, in the halos of tiles (default: 8.6)',
      (text) => parsePercent(text, '--max-overhead'),
    )
    .option(
      '--ram <size>',
      'live bytes to come down to, at the least overhead; min: as few as possible',
      'min',
    )
    .option(
      '--grid <rows>x<columns>',
      'cut every region into such a grid (default: the best for each)',
      parseGrid,
    )
    .option(
      '--regions <count>',
      'many: peak by peak; one: a single region',
      oneOf('--regions', ['one', 'many']),
      'many',
    )
    .option('--join', "join every region's output: better for runtimes that copy, such as ONNX Runtime")
    .option(
      '--channel-groups',
      'also cut inverted bottlenecks by channels: nothing twice; float32 sums are then added in another order',
    );
  withJson(withPlanningBounds(command));
  command
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark restructure model.onnx -o smaller.onnx\n  tidemark restructure zoo:vgg16 --dtype int8 --regions one --max-overhead 10\n  tidemark restructure model.onnx --ram 512K --max-overhead 30 -o smaller.onnx --json\n',
    )
    .action(run);
}

function parseGrid(text: string): readonly [number, number] {
  const match = /^(\d+)x(\d+)$/i.exec(text.trim());
  const [rows, columns] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  if (rows < 1 || columns < 1 || rows * columns < 2) {
    throw new TidemarkError(
      'usage',
      `--grid expects rows and columns of tiles, such as 4x1 or 2x2, got '${text}'`,
    );
  }
  return [rows, columns];
}

function run(model: string, options: Options): void {
  const budgetBytes = parseBudget(options.ram, '--ram');
  const progress = startProgress();
  const { graph } = loadModel(model, { ...options, toRun: options.output !== undefined });
  progress.step('looking for regions to cut');
  const { maxOverhead = PUBLISHED_OVERHEAD, regions, grid, channelGroups } = options;
  const bands = !options.join;
  const work = boundedSearch(options, progress, () => 'the best tiles found so far are kept');
  const how = { maxOverhead, budgetBytes, regions, grid, bands, channelGroups, part: work.run };
  const found = searchedFor(work, () => restructureGraph(graph, how));
  if (options.output !== undefined) refuseIntegerGroups(model, graph, found);
  progress.step('planning addresses');
  const [before, after] = [layerwise(graph), layerwise(found.graph)];
  let bytes: number | undefined;
  if (options.output !== undefined) {
    progress.step('writing ONNX');
    const file = writeOnnx(found.graph, { version: programVersion() });
    writeWhole(options.output, file);
    bytes = file.length;
  }
  progress.done();
  const fits = budgetBytes === undefined || found.peakBytes <= budgetBytes;
  const document = {
    model,
    peakBeforeBytes: found.peakBeforeBytes,
    peakAfterBytes: found.peakBytes,
    saving: found.peakBeforeBytes > 0 ? 1 - found.peakBytes / found.peakBeforeBytes : 0,
    macs: graphMacs(found.graph),
    macOverhead: found.macOverhead,
    tiles: tilesOf(graph, found),
    arenaBeforeBytes: before.arenaBytes,
    arenaAfterBytes: after.arenaBytes,
    checked: before.checked && after.checked,
    ramBudgetBytes: budgetBytes ?? null,
    fits,
    accounting: 'all',
    ...(bytes === undefined ? {} : { file: options.output, bytes }),
    ...stopDocument(work),
  };
  if (!fits) answerNo();
  answer(options.json, document, () => text(graph, found, document));
}

/** Sums of integers that are rounded once, after several operators, have no ONNX form. */
function refuseIntegerGroups(model: string, graph: Graph, { tiling }: Restructured): void {
  const region = tiling.regions.find((r) => r.channels);
  if (!region || !graph.tensors[graph.operators[region.operators[0]].outputs[0]].quant) return;
  throw new TidemarkError(
    'usage',
    `${model}: integer networks cut by channels cannot be written as ONNX; leave out --channel-groups, or -o`,
  );
}

/** Layer by layer, packed and proved: what the live bytes come to as addresses. */
const layerwise = (graph: Graph) =>
  planGraph(graph, { policy: { input: 'reuse', output: 'whole' }, method: 'layerwise' });

function tilesOf(graph: Graph, { tiling }: Restructured) {
  return tiling.regions.map((region) => {
    const { operators, rows, columns, channels } = region;
    const name = (id: number) => graph.operators[id].name;
    return {
      first: name(operators[0]),
      last: name(operators[operators.length - 1]),
      grid: gridOf(region),
      operators: operators.map(name),
      rows,
      columns,
      ...(channels ? { channels } : {}),
    };
  });
}

interface Document {
  readonly model: string;
  readonly macs: number;
  readonly saving: number;
  readonly fits: boolean;
  readonly ramBudgetBytes: number | null;
  readonly arenaBeforeBytes: number;
  readonly arenaAfterBytes: number;
  readonly checked: boolean;
  readonly tiles: ReturnType<typeof tilesOf>;
  readonly file?: string;
  readonly bytes?: number;
  readonly stoppedBy?: StoppedBy;
}

function text(graph: Graph, found: Restructured, d: Document): string {
  const before = sequenceOf(graph);
  const after = sequenceOf(found.graph);
  const bars = (live: Float64Array) =>
    memoryBars(
      [...live].filter((b) => b > 0),
      { scaleBytes: before.peakBytes, rows: 6 },
    );
  const peak = graph.operators[before.order[before.peakAt]]?.name ?? '';
  return [
    facts([
      ['model', d.model],
      ...(d.ramBudgetBytes === null ? [] : [['result', verdict(d.fits, d.ramBudgetBytes, found)] as const]),
      ['live bytes before', `${formatSize(found.peakBeforeBytes)} at ${peak}`],
      [
        'after',
        `${style.bold(formatSize(found.peakBytes))} (${found.peakBytes} bytes), saved ${formatPercent(d.saving)}`,
      ],
      ['multiply-accumulates', `${formatCount(d.macs)}, ${formatPercent(found.macOverhead)} computed again`],
      [
        'as addresses',
        `${formatSize(d.arenaBeforeBytes)} before, ${formatSize(d.arenaAfterBytes)} after, ${d.checked ? 'both proved' : style.red('not proved')}`,
      ],
      ...(d.file === undefined ? [] : [['written', `${d.file} (${formatSize(d.bytes ?? 0)})`] as const]),
    ]),
    '',
    style.dim('before'),
    bars(before.live),
    '',
    style.dim('after, on the same scale'),
    bars(after.live),
    '',
    d.tiles.length > 0
      ? tilesText(d.tiles)
      : d.stoppedBy
        ? 'Nothing was cut by then.'
        : 'No region lowers the peak within this overhead: nothing was cut.',
    ...(d.stoppedBy ? [`Not the whole search: ${STOPPED[d.stoppedBy]}.`] : []),
  ].join('\n');
}

function verdict(fits: boolean, budget: number, { peakBytes }: Restructured): string {
  return fits
    ? `${style.green('fits')} into ${formatSize(budget)}`
    : `${style.red('does not fit')} into ${formatSize(budget)}: the least found within this overhead is ${formatSize(peakBytes)}`;
}

function tilesText(tiles: Document['tiles']): string {
  return table(
    [
      { title: 'from', flexible: true },
      { title: 'to', flexible: true },
      { title: 'operators', align: 'right' },
      { title: 'tiles', align: 'right' },
    ],
    tiles.map((t) => [
      t.first,
      t.last,
      String(t.operators.length),
      t.channels ? `${t.channels.length - 1} groups` : t.grid.join(' x '),
    ]),
  );
}
