/**
 * Writes bench/results/emission.md: the processor time that it takes to print each plan of the zoo as WebAssembly and as C,
 * and the bytes of code that come of it. Planning is not counted, and weights are made before. The table is written anew
 * after each network; NETWORKS in the environment names some of them, and the table is printed then.
 */
import { expect, test } from 'vitest';
import { planGraph } from '../../src/compile.ts';
import { emitC } from '../../src/emit/c/model.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { lowerPlan } from '../../src/kernels/lower.ts';
import { PLAIN } from '../../src/kernels/machine.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { weightBytes } from '../../src/plan/metrics.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { formatSize } from '../../src/report/format.ts';
import { emitPlan } from '../../src/run/wasm-backend.ts';
import { zooGraph, zooNames } from '../../src/zoo/zoo.ts';
import { writeResult, writtenBy } from '../report.ts';

/** What the issue asks for. */
const MOST_SECONDS = 10;

const chosen = process.env.NETWORKS?.split(',');
const rows: string[][] = [];
let slowest = 0;

const cases = zooNames()
  .filter((name) => !chosen || chosen.includes(name))
  .flatMap((name) => (['f32', 'int8'] as const).map((dtype) => [name, dtype] as const));

test.each(cases)('%s %s', (name, dtype) => {
  const graph = normalise(zooGraph(name, { dtype }));
  for (const { constant } of graph.tensors) constant?.load();
  const cells: string[] = [];
  for (const method of ['layerwise', undefined] as const) {
    const policy = { input: 'reuse', output: 'whole' } as const;
    const { plan } = planGraph(graph, { policy, method });
    cells.push(...wasmCells(graph, plan), ...cCells(graph, plan));
  }
  rows.push([name, dtype, formatSize(weightBytes(graph)), ...cells]);
  const text = table();
  if (chosen) console.log(text);
  else writeResult('emission.md', text);
  expect(slowest).toBeLessThan(MOST_SECONDS);
});

function seconds<T>(make: () => T): readonly [seconds: number, made: T] {
  const before = process.cpuUsage();
  const made = make();
  const { user, system } = process.cpuUsage(before);
  const took = (user + system) / 1e6;
  slowest = Math.max(slowest, took);
  return [took, made];
}

function wasmCells(graph: Graph, plan: Plan): string[] {
  const [took, { functions }] = seconds(() => emitPlan(graph, plan));
  const code = functions.reduce((n, f) => n + f.bytes, 0);
  return [took.toFixed(1), formatSize(code)];
}

function cCells(graph: Graph, plan: Plan): string[] {
  const [took, { files }] = seconds(() => emitC(lowerPlan(graph, plan, PLAIN), { weights: 'file' }));
  const source = files['model.c'];
  return [took.toFixed(1), formatSize(source.length)];
}

function table(): string {
  const of = (plan: string) => [`${plan}: wasm, s`, 'code', 'C, s', 'model.c'];
  const head = ['network', 'type', 'weights', ...of('layer by layer'), ...of('fit')];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    '# What emission takes',
    '',
    writtenBy('bench:emission'),
    '',
    'Seconds of processor time from a proven plan to the module with its weights, and to C with the weights beside it; planning is not',
    'counted, and weights are made before. "code" is the functions of the module, "model.c" the source without weights. `fit` is the',
    'smallest arena with nothing computed twice, input and output in it.',
    '',
    `The slowest takes ${slowest.toFixed(1)} s.`,
    '',
    line(head),
    line(head.map((_, i) => (i < 2 ? '---' : '---:'))),
    ...rows.map(line),
    '',
  ].join('\n');
}
