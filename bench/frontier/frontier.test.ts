/**
 * Writes bench/results/frontier.md: memory against products computed twice beside msf-CNN's published points, memory
 * banks, and planning time of chains of up to 10,000 layers.
 */
import { expect, test } from 'vitest';
import { fitGraph } from '../../src/fit/fit.ts';
import { frontierOf } from '../../src/fit/frontier.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { checkPlan } from '../../src/plan/check.ts';
import { planTraffic } from '../../src/plan/traffic.ts';
import { zooGraph } from '../../src/zoo/zoo.ts';
import { writeResult, writtenBy } from '../report.ts';

const sections: string[] = [];

/** Published points (NeurIPS 2025): factor of multiply-accumulates, bytes; input and output not counted. */
const MSF_CNN = [
  [1, 181_440],
  [1.1, 67_905],
  [1.3, 21_288],
  [1.38, 15_340],
  [1.68, 7_887],
] as const;

test('mobilenetv2-0.35-144 beside msf-CNN', () => {
  const graph = zoo('mobilenetv2-0.35-144');
  const points = frontierOf(graph, { policy: { input: 'external', output: 'streamed' }, maxOverhead: 0.68 });
  const best = (factor: number) => points.filter((p) => p.macOverhead <= factor - 1 + 1e-9).at(-1)!;
  // The same plans' networks with input and output in the arena.
  const counted = frontierOf(graph, { policy: { input: 'reuse', output: 'whole' }, maxOverhead: 0.68 });
  const full = (factor: number) => counted.filter((p) => p.macOverhead <= factor - 1 + 1e-9).at(-1)!;
  table(
    'mobilenetv2-0.35-144, int8: beside msf-CNN',
    ['MAC factor', 'msf-CNN', 'ours, input and output not counted', 'at factor', 'ours, all counted'],
    MSF_CNN.map(([factor, bytes]) => {
      const p = best(factor);
      return [factor, bytes, p.arenaBytes, (1 + p.macOverhead).toFixed(3), full(factor).arenaBytes];
    }),
  );
  table(
    'Its whole frontier, input and output not counted',
    ['bytes', 'more MACs', 'firings', 'schedule entries'],
    points.map((p) => [p.arenaBytes, `${(100 * p.macOverhead).toFixed(1)} %`, p.firings, p.scheduleEntries]),
  );
  for (const p of points) expect(checkPlan(graph, p.plan).problem).toBeUndefined();
});

test('memory banks', () => {
  const rows: (string | number)[][] = [];
  for (const name of ['mobilenetv2-1.0-224', 'vgg16', 'resnet50']) {
    const graph = zoo(name);
    for (const sram of [64, 128, 256]) {
      const banks = [
        { name: 'sram', capacityBytes: sram * 1024 },
        { name: 'psram', capacityBytes: 8 << 20 },
      ];
      const { plan, fits } = fitGraph(graph, { policy: { input: 'reuse', output: 'whole' }, banks });
      expect(fits).toBe(true);
      const [fast, slow] = planTraffic(graph, plan);
      rows.push([name, `${sram} KiB`, fast.bytes, slow.bytes, slow.readBytes + slow.writtenBytes]);
    }
  }
  table(
    'Memory banks: a small fast one and 8 MiB of slow memory, int8',
    ['network', 'fast bank', 'used of it', 'used of the slow one', 'bytes a run moves in the slow one'],
    rows,
  );
});

test('chains of up to 10,000 layers', () => {
  const rows: (string | number)[][] = [];
  for (const layers of [100, 300, 1_000, 3_000, 10_000]) {
    const graph = chain(layers);
    const before = process.cpuUsage().user;
    const { plan, lowerBoundBytes } = fitGraph(graph, { policy: { input: 'reuse', output: 'whole' } });
    const seconds = (process.cpuUsage().user - before) / 1e6;
    rows.push([
      layers,
      plan.arenaBytes,
      lowerBoundBytes,
      seconds.toFixed(1),
      ((1000 * seconds) / layers).toFixed(1),
    ]);
    expect(checkPlan(graph, plan).problem).toBeUndefined();
  }
  table(
    'Planning time of a chain of 3x3 pools on 32x32x8, halved once',
    ['layers', 'arena', 'bound', 'CPU seconds', 'ms a layer'],
    rows,
  );
});

function zoo(name: string): Graph {
  return normalise(zooGraph(name, { dtype: 'int8' }));
}

function chain(layers: number): Graph {
  const b = new GraphBuilder('chain', 'onnx');
  let x = b.input({ name: 'x', shape: [1, 32, 32, 8], dtype: 'i8' }, { dtype: 'i8' });
  for (let i = 0; i < layers; i++) {
    const stride = i === layers >> 1 ? [2, 2] : [1, 1];
    x = b.op('MaxPool', [x], { kernel: [3, 3], stride, pads: [1, 1, 1, 1], dilation: [1, 1], ceil: false });
  }
  b.output(x, { name: 'y', shape: x.shape, dtype: 'i8' });
  return b.build();
}

function table(
  title: string,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  sections.push(
    ['', `## ${title}`, '', line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n'),
  );
  const intro = `${writtenBy('bench:frontier')} Every plan passed the checker.`;
  writeResult('frontier.md', `# Memory against work\n\n${intro}\n${sections.join('\n')}\n`);
}
