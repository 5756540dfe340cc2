/**
 * Writes bench/results/zoo.md: every zoo network at int8, layer by layer and fitted, with the input in memory and
 * streamed in, each plan proven by the checker; with the seconds of processor time that planning took.
 */
import { expect, test } from 'vitest';
import { type FitRequest, fitGraph } from '../../src/fit/fit.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { checkPlan } from '../../src/plan/check.ts';
import { planMetrics } from '../../src/plan/metrics.ts';
import { zooGraph, zooNames } from '../../src/zoo/zoo.ts';
import { writeResult, writtenBy } from '../report.ts';

const HEAD = [
  'network',
  'layer by layer',
  'fit, input in RAM',
  'bound',
  'fit, input streamed',
  'firings',
  'schedule entries',
  'planning, CPU s',
];

const rows: string[] = [];

test.each(zooNames())('%s', (name) => {
  const graph = normalise(zooGraph(name, { dtype: 'int8' }));
  const layerwise = fitted(graph, { policy: { input: 'reuse', output: 'whole' }, method: 'layerwise' });
  const inRam = fitted(graph, { policy: { input: 'reuse', output: 'whole' } });
  const streamed = fitted(graph, { policy: { input: 'streamed', output: 'whole' } });
  const { firings, scheduleEntries } = planMetrics(graph, inRam.plan);
  const cells = [
    name,
    layerwise.bytes,
    inRam.bytes,
    inRam.bound,
    streamed.bytes,
    firings,
    scheduleEntries,
    inRam.seconds.toFixed(1),
  ];
  rows.push(`| ${cells.join(' | ')} |`);
  write();
  expect(inRam.bytes).toBeLessThanOrEqual(layerwise.bytes);
});

function fitted(graph: Graph, request: FitRequest) {
  const started = process.cpuUsage();
  const { plan, lowerBoundBytes } = fitGraph(graph, request);
  const { user, system } = process.cpuUsage(started);
  const seconds = (user + system) / 1e6;
  expect(checkPlan(graph, plan).problem).toBeUndefined();
  return { plan, bytes: plan.arenaBytes, bound: lowerBoundBytes, seconds };
}

/** After each network, so that a run that is stopped leaves what it has. */
function write(): void {
  const lines = [
    '# The zoo at int8: bytes of arena',
    '',
    writtenBy('bench:zoo'),
    'Every plan passed the checker. No multiply-accumulate is computed twice. Offsets are multiples of 4.',
    '',
    `| ${HEAD.join(' | ')} |`,
    `|${HEAD.map(() => '---').join('|')}|`,
    ...rows,
  ];
  writeResult('zoo.md', lines);
}
