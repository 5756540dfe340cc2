/**
 * Writes bench/results/occam.md: method 2's published averages beside ours. Off-chip transfers against layer by layer
 * and Layer Fusion, speed and energy on a chip, under each assumption that the paper leaves open.
 */
import { expect, test } from 'vitest';
import type { Graph } from '../../src/graph/graph.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { layerFusion } from '../../src/passes/2-partition/layer-fusion.ts';
import { type LayerNet, layersOf } from '../../src/passes/2-partition/layers.ts';
import { Partitioner } from '../../src/passes/2-partition/partition.ts';
import { replayedSpans } from '../../src/passes/2-partition/testing/replayed-spans.ts';
import { residualGraph } from '../../src/passes/2-partition/testing/residual-graph.ts';
import { baseTraffic } from '../../src/passes/2-partition/traffic.ts';
import { type Chip, chipPreset } from '../../src/simulate/chip.ts';
import { ChipCosts } from '../../src/simulate/stages.ts';
import { quantiseGraph } from '../../src/zoo/quantise.ts';
import { placeholderRanges } from '../../src/zoo/ranges.ts';
import { zooGraph } from '../../src/zoo/zoo.ts';
import { randomGraph } from '../../test/random/random-graph.ts';
import { writeResult, writtenBy } from '../report.ts';
import { zfnet } from './zfnet.ts';

const MIB = 1 << 20;
const NINE = [
  'alexnet',
  'zfnet',
  'vgg16',
  'vgg19',
  'resnet18',
  'resnet34',
  'resnet50',
  'resnet101',
  'resnet152',
];
/** The networks of the published averages that the issue asks for; ZFNet is in the transfers alone. */
const EIGHT = NINE.filter((n) => n !== 'zfnet');

const lines: string[] = [];
const say = (...text: readonly string[]) => lines.push(...text);
const row = (...cells: readonly (string | number)[]) => say(`| ${cells.join(' | ')} |`);
const head = (...cells: readonly string[]) => {
  row(...cells);
  say(`|${cells.map((_, i) => (i === 0 ? '---' : '---:')).join('|')}|`);
};
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const geometric = (values: readonly number[]) => Math.exp(mean(values.map(Math.log)));

function int8(graph: Graph): Graph {
  return normalise(quantiseGraph(graph, placeholderRanges(graph), { placeholderWeights: true }));
}

const nets = new Map<string, LayerNet>();
function netOf(name: string, dense: boolean): LayerNet {
  const key = `${name} ${dense}`;
  let net = nets.get(key);
  if (!net) nets.set(key, (net = layersOf(int8(name === 'zfnet' ? zfnet() : zooGraph(name)), { dense })));
  return net;
}

/** Everything that one network moves at a capacity, for one image. */
function transfers(name: string, capacityBytes: number, dense = false) {
  const net = netOf(name, dense);
  const partitioner = new Partitioner(net, { capacityBytes });
  const base = baseTraffic(net);
  const fusion = layerFusion(net, { capacityBytes });
  const best = partitioner.best();
  return {
    net,
    partitioner,
    best,
    bytes: best.trafficBytes,
    ordered: Math.min(best.trafficBytes, partitioner.bestInAnyOrder()?.trafficBytes ?? best.trafficBytes),
    resident: best.spans.reduce((n, s) => n + (s.fits ? s.filterBytes : 0), 0),
    base: base.activationBytes + base.filterBytes,
    baseActivations: base.activationBytes,
    fusion,
    fusionBytes: fusion.activationBytes + fusion.filterBytes,
  };
}

test('off-chip transfers', () => {
  say('## Off-chip transfers for one image, at 3 MiB', '');
  say(
    'Elements, one byte each. The base case reads inputs and filters and writes outputs of every layer. Layer Fusion runs its',
    'groups one after another on one chip, so filters come in again with every image. Occam keeps them: its figure is activations.',
    '',
  );
  head(
    'network',
    'layer by layer',
    'Layer Fusion',
    'Occam',
    'in spans',
    'any order',
    'base / Occam',
    'base / Occam, any order',
    'Fusion / Occam',
    'greedy / Occam',
  );
  const ratios: number[][] = [];
  for (const name of NINE) {
    const t = transfers(name, 3 * MIB);
    const greedy = t.partitioner.greedy().trafficBytes;
    const r = [t.base / t.bytes, t.base / t.ordered, t.fusionBytes / t.bytes, greedy / t.bytes];
    ratios.push(r);
    row(name, t.base, t.fusionBytes, t.bytes, t.best.spans.length, t.ordered, ...r.map((x) => x.toFixed(2)));
  }
  row(
    '**average of nine**',
    '',
    '',
    '',
    '',
    '',
    ...[0, 1, 2, 3].map((i) => `**${mean(ratios.map((r) => r[i])).toFixed(2)}**`),
  );
  expect(mean(ratios.map((r) => r[0]))).toBeCloseTo(23.3, 1);

  say('', '## What the average hangs on', '');
  say('Published: 21 x fewer transfers than layer by layer.', '');
  head('capacity', 'assumption', 'average of nine', 'of eight, without ZFNet');
  const averages = (capacity: number, of: (t: ReturnType<typeof transfers>) => number, dense = false) => {
    const each = new Map(NINE.map((n) => [n, of(transfers(n, capacity, dense))]));
    return [mean([...each.values()]).toFixed(1), mean(EIGHT.map((n) => each.get(n)!)).toFixed(1)] as const;
  };
  for (const mib of [2, 3, 4]) {
    const [nine, eight] = averages(mib * MIB, (t) => t.base / t.bytes);
    row(`${mib} MiB`, 'filters count in the base case, and stay on chip in Occam', nine, eight);
    expect(Number(nine)).toBe({ 2: 6.8, 3: 23.3, 4: 31.6 }[mib]);
  }
  row(
    '3 MiB',
    'filters count nowhere: activations alone',
    ...averages(3 * MIB, (t) => t.baseActivations / t.bytes),
  );
  row(
    '3 MiB',
    'filters count once an image everywhere',
    ...averages(3 * MIB, (t) => t.base / (t.bytes + t.resident)),
  );
  const sixteen = (t: ReturnType<typeof transfers>) => t.baseActivations + (t.base - t.baseActivations) / 16;
  row(
    '3 MiB',
    'mini-batches of 16: the base case reads filters once for 16 images; Occam keeps them',
    ...averages(3 * MIB, (t) => sixteen(t) / t.bytes),
  );
  row(
    '3 MiB',
    'mini-batches of 16, filters once a mini-batch everywhere',
    ...averages(3 * MIB, (t) => sixteen(t) / (t.bytes + t.resident / 16)),
  );
  row(
    '3 MiB',
    'with the dense layers, which do not fit and stream their filters',
    ...averages(3 * MIB, (t) => t.base / t.bytes, true),
  );
  row(
    '2 MiB',
    'layers too large for the chip charged without their filters',
    ...averages(2 * MIB, (t) => t.base / t.best.spans.reduce((n, s) => n + s.readBytes + s.writeBytes, 0)),
  );
  say(
    '',
    'So the published 21 x is the base case with filters against an Occam whose filters stay on their chips, convolutions and pools',
    'alone: 23.3 here. Half of it is filters: activations alone give half the ratio. Where filters count once an image everywhere',
    'there is next to nothing left to win, as there is little else in the sum. At 2 MiB the large layers of VGG and',
    'ResNet no longer fit and stream their filters for every image, which costs most of the gain.',
  );
});

test('closures: the formula against the replay', () => {
  say('', '## Closures: rows by formula against rows that the replay holds', '');
  head('spans', 'of', 'equal', 'formula says more', 'formula says less');
  const count = (name: string, graphs: readonly Graph[], counted: (exits: number) => boolean) => {
    const found = { spans: 0, more: 0, less: 0 };
    for (const graph of graphs)
      for (const { differences } of replayedSpans(layersOf(graph), counted)) {
        found.spans++;
        if (differences.some((d) => d > 0)) found.more++;
        if (differences.some((d) => d < 0)) found.less++;
      }
    const equal = `${(100 * (1 - (found.more + found.less) / found.spans)).toFixed(1)} %`;
    row(found.spans, name, equal, found.more, found.less);
    return found;
  };
  const any = Array.from({ length: 600 }, (_, i) => normalise(randomGraph(i + 1)));
  const residual = Array.from({ length: 300 }, (_, i) => residualGraph(i + 1, 8));
  expect(count('600 random graphs of all operators, one way out', any, (n) => n === 1).less).toBe(0);
  count('the same, several ways out', any, (n) => n > 1);
  count('300 random networks with residuals and concats, one way out', residual, (n) => n === 1);
  count('the same, several ways out', residual, (n) => n > 1);
  say(
    '',
    'Where the formula says less, the replay of the span that is chosen corrects it before a partition is handed out.',
  );
});

/** Time and energy of the three on a chip, for one image of a mini-batch. */
function onChip(name: string, chip: Chip, batch: number) {
  const t = transfers(name, chip.capacityBytes);
  const costs = new ChipCosts(t.net, chip);
  const stages = t.best.spans.map((s) => costs.stage(s));
  const sum = (of: (s: (typeof stages)[number]) => number) => stages.reduce((n, s) => n + of(s), 0);
  const work = {
    macs: sum((s) => s.macs),
    onChipBytes: sum((s) => s.onChipBytes),
    offChipBytes: sum((s) => s.offChipBytes),
  };
  const base = costs.base(batch);
  const fusion = costs.fusion(t.fusion, batch);
  const seconds = sum((s) => s.seconds);
  const worst = Math.max(...stages.map((s) => s.seconds));
  return {
    speed: base.seconds / seconds,
    overFusion: fusion.seconds / seconds,
    // One chip a span, no replicas: the slowest stage sets the pace of as many chips.
    unbalanced: base.seconds / (worst * stages.length),
    energy: 1 - costs.joules(work) / costs.joules(base),
    energyOverFusion: 1 - costs.joules(work) / costs.joules(fusion),
  };
}

test('speed and energy', () => {
  const edge = chipPreset('edge');
  for (const batch of [1, 16]) {
    say('', `## Speed and energy at 3 MiB, mini-batches of ${batch}`, '');
    say(
      `On chips \`${edge.name}\` (1024 multipliers at 1 GHz, 12.8 GB/s, energies of 45 nm; \`src/simulate/chip.ts\` names the sources), as many for`,
      'each of the three. Layer by layer and Layer Fusion run every image on one chip; Occam is a pipeline that STAP balances.',
      '',
    );
    head(
      'network',
      'against layer by layer',
      'against Layer Fusion',
      'without STAP, against layer by layer',
      'energy saved, layer by layer',
      'energy saved, Layer Fusion',
    );
    const all = EIGHT.map((name) => ({ name, r: onChip(name, edge, batch) }));
    for (const { name, r } of all)
      row(
        name,
        `${r.speed.toFixed(2)} x`,
        `${r.overFusion.toFixed(2)} x`,
        `${r.unbalanced.toFixed(2)} x`,
        `${(100 * r.energy).toFixed(0)} %`,
        `${(100 * r.energyOverFusion).toFixed(0)} %`,
      );
    const average = (of: (r: ReturnType<typeof onChip>) => number) => mean(all.map((x) => of(x.r)));
    row(
      '**average**',
      `**${average((r) => r.speed).toFixed(2)} x**`,
      `**${average((r) => r.overFusion).toFixed(2)} x**`,
      `**${average((r) => r.unbalanced).toFixed(2)} x**`,
      `**${(100 * average((r) => r.energy)).toFixed(0)} %**`,
      `**${(100 * average((r) => r.energyOverFusion)).toFixed(0)} %**`,
    );
    expect(average((r) => r.energy)).toBeGreaterThan(0.2);
  }
  say(
    '',
    'Published: 2.0 x against the base case, 1.2 x to 1.4 x against Layer Fusion, 33 % less energy than the base case.',
  );

  say('', '## What speed hangs on: multiply-accumulates for each byte of bandwidth', '');
  say('The same chip with slower memory. Averages over the eight networks (geometric for speed), 3 MiB.', '');
  head(
    'GB/s',
    'MACs a byte',
    'against layer by layer, batch 1',
    'batch 16',
    'against Layer Fusion, batch 1',
    'batch 16',
  );
  for (const gigabytes of [51.2, 25.6, 12.8, 6.4, 4, 3.2, 1.6, 0.8]) {
    const chip: Chip = { ...edge, offChipBytesPerSecond: gigabytes * 1e9 };
    const of = (batch: number) => EIGHT.map((n) => onChip(n, chip, batch));
    const one = of(1);
    const many = of(16);
    const cell = (list: ReturnType<typeof of>, k: 'speed' | 'overFusion') =>
      `${geometric(list.map((r) => r[k])).toFixed(2)} x`;
    row(
      gigabytes,
      Math.round(1024 / gigabytes),
      cell(one, 'speed'),
      cell(many, 'speed'),
      cell(one, 'overFusion'),
      cell(many, 'overFusion'),
    );
  }
  say(
    '',
    'Occam moves so little that nearly every stage computes all the time; what is gained is the time that the others wait.',
    "The paper's 2.0 x and 1.2 x to 1.4 x (2.06 x and 1.36 x in its first version) are together those of a chip with about 250",
    'multiply-accumulates for each byte of bandwidth, one image at a time. Filters decide against Layer Fusion: with mini-batches',
    'large enough to share them it is on a par, as its pyramids keep about what the closure keeps. Here every Layer Fusion group',
    'is chosen by the same dynamic programming, which its authors did not have. The 5.1 x that the paper measured on an FPGA lies where',
    'memory is slower still, at about 900 multiply-accumulates a byte; the board itself is not modelled.',
    '',
    'Energy: the saving is larger than published with one image at a time and near it with 16. It hangs on what a multiply-accumulate',
    'costs beside a byte: 0.3 pJ and 162.5 pJ here (Horowitz, ISSCC 2014).',
  );
  write();
});

function write(): void {
  const text = [
    '# Occam (method 2): published averages beside ours',
    '',
    writtenBy('bench:occam'),
    'Gondimalla, Liu, Vijaykumar, Thottethodi, TACO 2022, doi 10.1145/3566052. Formulas: [partition](../../docs/partition.md), [pipeline](../../docs/pipeline.md).',
    '',
    ...lines,
  ];
  writeResult('occam.md', text);
}
