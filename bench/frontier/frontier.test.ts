/**
 * Writes bench/results/frontier.md: memory against products computed twice beside msf-CNN's published points, memory
 * banks, and planning time of chains of up to 10,000 layers.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importModel } from '../../src/compile.ts';
import { fitGraph } from '../../src/fit/fit.ts';
import { type FrontierPoint, frontierOf } from '../../src/fit/frontier.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { type Graph, tensorBytes } from '../../src/graph/graph.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { checkPlan } from '../../src/plan/check.ts';
import type { Policy } from '../../src/plan/plan.ts';
import { planTraffic } from '../../src/plan/traffic.ts';
import { executePlan } from '../../src/run/execute.ts';
import { runReference, toGraphLayout } from '../../src/run/reference.ts';
import { zooGraph } from '../../src/zoo/zoo.ts';
import { haveModels, MODELS, UNLESS_MODELS } from '../../test/public-models-folder.ts';
import { randomInputs } from '../../test/random/random-graph.ts';
import { difference } from '../../test/random/random-plans.ts';
import { writeResult, writtenBy } from '../report.ts';

const sections: string[] = [];

/**
 * Published points (NeurIPS 2025): factor of multiply-accumulates, bytes; network input and output not counted, and
 * chains without residual sums, which ours have.
 */
const MSF_CNN = {
  'mobilenetv2-0.35-144': [
    [1, 181_440],
    [1.1, 67_905],
    [1.3, 21_288],
    [1.38, 15_340],
    [1.68, 7_887],
  ],
  'MCUNet VWW 80x80': [
    [1, 89_600],
    [1.1, 32_792],
    [1.3, 17_760],
    [1.35, 13_376],
    [1.96, 12_000],
  ],
} as const;

const FACTORS = [
  'MAC factor',
  'msf-CNN',
  'ours',
  'at factor',
  'the same plan, all counted',
  'input taken in run by run, all counted',
  'at factor',
] as const;

const OUTSIDE: Policy = { input: 'external', output: 'streamed' };
const TAKEN_IN: Policy = { input: 'streamed', output: 'streamed' };

/** One row a published point: the least of our frontier at that factor, in three accountings. */
function besideMsf(name: keyof typeof MSF_CNN, graph: Graph): readonly FrontierPoint[] {
  const inputBytes = graph.inputs.reduce((n, p) => n + tensorBytes(graph.tensors[p.tensor]), 0);
  const published = MSF_CNN[name];
  const maxOverhead = published[published.length - 1][0] - 1;
  const [ours, takenIn] = [OUTSIDE, TAKEN_IN].map((policy) => frontierOf(graph, { policy, maxOverhead }));
  for (const { plan } of [...ours, ...takenIn]) expect(checkPlan(graph, plan).problem).toBeUndefined();
  const rows = published.map(([factor, bytes]) => {
    const within = (points: readonly FrontierPoint[]) =>
      points.filter((p) => p.macOverhead <= factor - 1 + 1e-9).at(-1)!;
    const [outside, counted] = [within(ours), within(takenIn)];
    expect(outside.arenaBytes).toBeLessThan(bytes);
    const at = (p: FrontierPoint) => (1 + p.macOverhead).toFixed(3);
    const { arenaBytes } = outside;
    return [factor, bytes, arenaBytes, at(outside), arenaBytes + inputBytes, counted.arenaBytes, at(counted)];
  });
  table(`${name}, int8: beside msf-CNN, input and output not counted`, FACTORS, rows);
  table(
    `The whole frontier of ${name}, input and output not counted`,
    ['bytes', 'more MACs', 'firings', 'schedule entries'],
    ours.map((p) => [p.arenaBytes, `${(100 * p.macOverhead).toFixed(1)} %`, p.firings, p.scheduleEntries]),
  );
  return ours;
}

test('mobilenetv2-0.35-144 beside msf-CNN', () => {
  const graph = zoo('mobilenetv2-0.35-144');
  const least = besideMsf('mobilenetv2-0.35-144', graph).at(-1)!;
  const inputs = randomInputs(graph, 1);
  const laidOut = inputs.map((values, i) => toGraphLayout(graph.inputs[i], values));
  const { outputs } = executePlan(graph, least.plan, laidOut, { paint: 0x5a });
  expect(
    difference(
      outputs,
      runReference(graph, inputs).map((o) => o.values),
    ),
  ).toBeUndefined();
});

test.skipIf(!haveModels)(`mcunet_vww_int8 beside msf-CNN${UNLESS_MODELS}`, () => {
  const bytes = new Uint8Array(readFileSync(join(MODELS, 'tflite/mcunet_vww_int8.tflite')));
  besideMsf('MCUNet VWW 80x80', importModel({ bytes, file: 'mcunet_vww_int8.tflite' }));
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
