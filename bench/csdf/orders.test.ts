/**
 * Writes bench/results/row-orders.md: how far demand-driven firing is from the best order of rows, in live bytes, on
 * tiny random graphs and on networks of the zoo run as one span.
 */
import { expect, test } from 'vitest';
import { firstSchedulable } from '../../src/fit/spans.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import { exactOrder, peakOfOrder } from '../../src/passes/3-schedule/exact.ts';
import { networkOf } from '../../src/passes/3-schedule/steps.ts';
import { scheduleSpan } from '../../src/passes/3-schedule/stream.ts';
import type { Policy } from '../../src/plan/plan.ts';
import { zooGraph } from '../../src/zoo/zoo.ts';
import { randomGraph } from '../../test/random/random-graph.ts';
import { writeResult, writtenBy } from '../report.ts';

const GRAPHS = 2000;
const ZOO = [
  'resnet8',
  'ds-cnn',
  'mobilenetv1-0.25-96',
  'mobilenetv2-0.35-144',
  'squeezenet1.1',
  'resnet18',
  'resnet50',
];
const lines: string[] = [
  '# Orders of row firings against the best, in live bytes',
  '',
  `${writtenBy('bench:orders')} A span is the whole network by rows, parts of concats copied; what counts is the greatest sum of live rows.`,
];

/** Peaks of the two heuristic orders and of the best one. */
function peaksOf(graph: Graph, policy: Policy, maxStates?: number) {
  const copies = graph.operators.flatMap((op) =>
    op.kind === 'Concat' ? op.inputs.map((_, input) => ({ operator: op.id, input })) : [],
  );
  const network = networkOf(graph, policy, copies);
  const span = { first: firstSchedulable(network), last: network.steps.length - 1, mode: 'rows' } as const;
  if (span.last < span.first) return undefined;
  const [demand, eager, deepest] = (['demand', 'eager', 'deepest'] as const).map((firing) =>
    peakOfOrder(network, span, scheduleSpan(network, span, { record: true, firing })!.sequence!),
  );
  const best = exactOrder(network, { ...span, maxStates });
  return { demand, eager, deepest, best: best?.peakBytes, states: best?.states };
}

test('tiny graphs', () => {
  lines.push(
    '',
    `## ${GRAPHS} random graphs of 2 to 5 constructions, at most 11 rows`,
    '',
    '| policy | solved | order | optimal | mean gap where not | largest gap |',
    '|---|---|---|---|---|---|',
  );
  for (const policy of [
    { input: 'streamed', output: 'streamed' },
    { input: 'reuse', output: 'whole' },
  ] as const) {
    const found = Array.from({ length: GRAPHS }, (_, seed) =>
      peaksOf(normalise(randomGraph(seed, { least: 2, greatest: 5 })), policy, 20_000),
    ).filter((p) => p !== undefined);
    const solved = found.filter((p) => p.best !== undefined);
    const share = (n: number, of: number) => `${((100 * n) / of).toFixed(1)} %`;
    for (const [name, peak] of [
      ['demand', (p: (typeof solved)[0]) => p.demand],
      ['downstream first', (p: (typeof solved)[0]) => p.eager],
      ['furthest up first', (p: (typeof solved)[0]) => p.deepest],
      ['the best of them', (p: (typeof solved)[0]) => Math.min(p.demand, p.eager, p.deepest)],
    ] as const) {
      const gaps = solved.map((p) => (p.best! > 0 ? peak(p) / p.best! - 1 : 0));
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
      const worse = gaps.filter((g) => g > 0);
      const mean = worse.reduce((a, b) => a + b, 0) / Math.max(1, worse.length);
      lines.push(
        `| ${policy.input}, ${policy.output} | ${solved.length} of ${found.length} | ${name} | ${share(gaps.length - worse.length, gaps.length)} | ${share(mean, 1)} | ${share(Math.max(...gaps), 1)} |`,
      );
    }
    writeResult('row-orders.md', lines);
  }
});

test('the zoo', () => {
  lines.push(
    '',
    '## Networks of the zoo at int8, input and output streamed',
    '',
    '| network | demand | downstream first | furthest up first | best | states |',
    '|---|---|---|---|---|---|',
  );
  for (const name of ZOO) {
    const graph = normalise(zooGraph(name, { dtype: 'int8' }));
    const p = peaksOf(graph, { input: 'streamed', output: 'streamed' }, 20_000)!;
    lines.push(
      `| ${name} | ${p.demand} | ${p.eager} | ${p.deepest} | ${p.best ?? 'gave up'} | ${p.states ?? 'over 20000'} |`,
    );
    writeResult('row-orders.md', lines);
  }
});
