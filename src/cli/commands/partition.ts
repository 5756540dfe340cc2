/** `tidemark partition`: spans whose filters and dependence closure fit a chip, with the least off-chip traffic. */
import path from 'node:path';
import type { Command } from 'commander';
import { layerFusion } from '../../passes/2-partition/layer-fusion.ts';
import type { LayerNet } from '../../passes/2-partition/layers.ts';
import type { PartitionSpan } from '../../passes/2-partition/partition.ts';
import { capacitiesAround, type SweepPoint, sweepCapacities } from '../../passes/2-partition/sweep.ts';
import { baseTraffic } from '../../passes/2-partition/traffic.ts';
import { formatSize } from '../../report/format.ts';
import { trafficSweep } from '../../report/traffic-sweep.ts';
import { searchedWhole } from '../bounded.ts';
import { refuseUnwritable, writeWhole } from '../files.ts';
import { withSearchBounds } from '../options/limits.ts';
import { withJson, withModel } from '../options/shared.ts';
import { answer, note } from '../output.ts';
import {
  type ChipOptions,
  type Chosen,
  chipSize,
  choosePartition,
  layersOfModel,
  withChip,
} from '../partitioning.ts';
import { type Progress, startProgress } from '../terminal/progress.ts';
import { style } from '../terminal/style.ts';
import { facts, table } from '../terminal/table.ts';

interface Options extends ChipOptions {
  readonly sweep?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

export function define(command: Command): void {
  withModel(command);
  command.requiredOption('--chip <size>', 'bytes on one chip, e.g. 3M', chipSize);
  withChip(command);
  command
    .option('--sweep', 'also on chips from a sixteenth to sixteen times the size')
    .option('-o, --out <dir>', 'write partition.json, and sweep.svg where --sweep is given');
  withJson(withSearchBounds(command));
  command
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark partition zoo:vgg16 --dtype int8 --chip 3M --no-dense\n  tidemark partition model.onnx --chip 1M --sweep -o out\n',
    )
    .action(run);
}

function run(model: string, options: Options): void {
  if (options.out) refuseUnwritable(options.out);
  const net = layersOfModel(model, options);
  const progress = startProgress();
  const { chosen, sweep, document } = searchedWhole(options, progress, model, () => {
    const chosen = choosePartition(net, options);
    const sweep = options.sweep ? sweepOf(net, options, progress) : undefined;
    const document = { model, ...describe(net, chosen, options), ...(sweep ? { sweep } : {}) };
    return { chosen, sweep, document };
  });
  progress.done();
  const files: string[] = [];
  if (options.out) {
    const write = (name: string, content: string) => {
      const file = path.join(options.out!, name);
      writeWhole(file, content);
      files.push(file);
    };
    write('partition.json', `${JSON.stringify(document, null, 2)}\n`);
    if (sweep) write('sweep.svg', picture(model, net, sweep, options));
    for (const file of files) note(`wrote ${file}`);
  }
  answer(options.json, { ...document, files }, () => text(model, net, chosen, document, sweep, options));
}

function sweepOf(
  net: LayerNet,
  { chip, weights, inPlace, order }: Options,
  progress: Progress,
): readonly SweepPoint[] {
  const onProgress = (done: number) => progress.step(`sweeping ${Math.round(100 * done)} %`);
  return sweepCapacities(net, capacitiesAround(chip), {
    weights,
    inPlace,
    anyOrder: order === 'best',
    onProgress,
  });
}

/** What the JSON says, and the text shows. */
function describe(
  net: LayerNet,
  { partitioner, best, inFileOrder, order, orderExact }: Chosen,
  options: Options,
) {
  const base = baseTraffic(net);
  const fusion = layerFusion(net, { capacityBytes: options.chip, weights: options.weights });
  const recomputed = layerFusion(net, {
    capacityBytes: options.chip,
    weights: options.weights,
    variant: 'recompute',
  });
  const macs = net.layers.reduce((sum, l) => sum + l.macs, 0);
  const filters = best.spans.reduce((sum, s) => sum + (s.fits ? s.filterBytes : 0), 0);
  return {
    chipBytes: options.chip,
    order,
    orderExact,
    spans: best.spans.map((s) => spanDocument(net, s)),
    trafficBytes: best.trafficBytes,
    filterBytes: filters,
    fileOrderTrafficBytes: inFileOrder.trafficBytes,
    greedyTrafficBytes: partitioner.greedy().trafficBytes,
    residualBlindTrafficBytes: partitioner.blind().trafficBytes,
    baseTrafficBytes: base.activationBytes + base.filterBytes,
    baseActivationBytes: base.activationBytes,
    layerFusionTrafficBytes: fusion.activationBytes + fusion.filterBytes,
    layerFusionActivationBytes: fusion.activationBytes,
    layerFusionGroups: fusion.groups.length,
    recomputedFusion: {
      trafficBytes: recomputed.activationBytes + recomputed.filterBytes,
      activationBytes: recomputed.activationBytes,
      macOverhead: macs > 0 ? recomputed.macs / macs - 1 : 0,
    },
  };
}

function spanDocument(net: LayerNet, s: PartitionSpan) {
  return {
    first: net.layers[s.layers[0]].name,
    last: net.layers[s.layers[s.layers.length - 1]].name,
    closureBytes: s.closureBytes,
    filterBytes: s.filterBytes,
    fits: s.fits,
    readBytes: s.readBytes,
    writeBytes: s.writeBytes,
    trafficBytes: s.trafficBytes,
    layers: s.layers.map((i) => net.layers[i].name),
    ...(s.tiling ? { tiling: s.tiling } : {}),
  };
}

function picture(model: string, net: LayerNet, sweep: readonly SweepPoint[], options: Options): string {
  const base = baseTraffic(net);
  return trafficSweep({
    title: `${model}: bytes across the chip's edge for one image`,
    capacities: sweep.map((p) => p.capacityBytes),
    markBytes: options.chip,
    series: [
      { name: 'partition', bytes: sweep.map((p) => p.trafficBytes) },
      { name: 'longest spans first', bytes: sweep.map((p) => p.greedyTrafficBytes) },
      { name: 'layer fusion', bytes: sweep.map((p) => p.layerFusionTrafficBytes) },
      { name: 'layer by layer', bytes: sweep.map(() => base.activationBytes + base.filterBytes) },
    ],
  });
}

function text(
  model: string,
  net: LayerNet,
  { best, order, orderExact }: Chosen,
  d: ReturnType<typeof describe>,
  sweep: readonly SweepPoint[] | undefined,
  options: Options,
): string {
  const times = (bytes: number) =>
    best.trafficBytes > 0 ? `${(bytes / best.trafficBytes).toFixed(1)} x` : '';
  const rows: readonly (readonly [string, number, string])[] = [
    ['this partition', d.trafficBytes, `${best.spans.length} spans; filters come in once a mini-batch`],
    ...(d.fileOrderTrafficBytes > d.trafficBytes
      ? ([
          [
            "in the file's order of layers",
            d.fileOrderTrafficBytes,
            'the same search, the order left as it is',
          ],
        ] as const)
      : []),
    ['longest spans first', d.greedyTrafficBytes, 'greedy'],
    ['residual edges not seen', d.residualBlindTrafficBytes, 'cut as if they cost nothing'],
    [
      'layer fusion',
      d.layerFusionTrafficBytes,
      `${d.layerFusionGroups} groups on one chip, filters once an image`,
    ],
    [
      'layer fusion, recomputing',
      d.recomputedFusion.trafficBytes,
      `${(100 * d.recomputedFusion.macOverhead).toFixed(0)} % more multiply-accumulates`,
    ],
    ['layer by layer', d.baseTrafficBytes, 'inputs, filters and outputs of every layer'],
    ['  its activations alone', d.baseActivationBytes, ''],
  ];
  return [
    facts([
      ['model', model],
      ['layers', `${net.layers.length}${order === 'better' ? ', in a better order than the file has' : ''}`],
      ['chip', formatSize(options.chip)],
      ['off-chip', `${formatSize(best.trafficBytes)} an image (${best.trafficBytes} bytes)`],
    ]),
    '',
    table(
      [
        { title: '#', align: 'right' },
        { title: 'span', flexible: true },
        { title: 'layers', align: 'right' },
        { title: 'filters', align: 'right' },
        { title: 'closure', align: 'right' },
        { title: 'on chip', align: 'right' },
        { title: 'in', align: 'right' },
        { title: 'out', align: 'right' },
        { title: '' },
      ],
      best.spans.map((s, i) => spanCells(net, s, i, options)),
    ),
    '',
    table(
      [
        { title: 'off-chip bytes for one image', flexible: true },
        { title: 'bytes', align: 'right' },
        { title: 'against this', align: 'right' },
        { title: '', flexible: true },
      ],
      rows.map(([name, bytes, what]) => [name, formatSize(bytes), times(bytes), what]),
    ),
    ...(sweep ? ['', sweepTable(sweep, options.chip)] : []),
    ...(options.order === 'best' && !orderExact
      ? ['', style.dim('The layers can run in too many orders to look at all: the best of a local search.')]
      : []),
  ].join('\n');
}

function spanCells(net: LayerNet, s: PartitionSpan, i: number, options: Options): string[] {
  const first = net.layers[s.layers[0]].name;
  const last = net.layers[s.layers[s.layers.length - 1]].name;
  const held = s.closureBytes + (options.weights ? s.filterBytes : 0);
  const tiles = s.tiling;
  return [
    String(i + 1),
    s.layers.length > 1 ? `${first} to ${last}` : first,
    String(s.layers.length),
    formatSize(s.filterBytes),
    formatSize(s.closureBytes),
    s.fits ? `${Math.round((100 * held) / options.chip)} %` : 'too large',
    formatSize(s.readBytes),
    formatSize(s.writeBytes),
    tiles
      ? `in ${tiles.filterBlocks * tiles.inputBlocks * tiles.bands * tiles.columns} tiles: ${formatSize(s.trafficBytes)}`
      : '',
  ];
}

function sweepTable(sweep: readonly SweepPoint[], chip: number): string {
  return table(
    [
      { title: 'chip', align: 'right' },
      { title: 'off-chip', align: 'right' },
      { title: 'spans', align: 'right' },
      { title: 'in tiles', align: 'right' },
      { title: 'greedy', align: 'right' },
      { title: 'layer fusion', align: 'right' },
      { title: '' },
    ],
    sweep.map((p) => [
      formatSize(p.capacityBytes),
      formatSize(p.trafficBytes),
      String(p.spans),
      String(p.tiled),
      formatSize(p.greedyTrafficBytes),
      formatSize(p.layerFusionTrafficBytes),
      p.capacityBytes === chip ? '<' : '',
    ]),
  );
}
