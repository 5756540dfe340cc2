/**
 * Writes bench/results/tiny.md: fit on tiny random graphs against brute force, how often it is at the least there is, and every
 * gap with its reason.
 */
import { expect, test } from 'vitest';
import { writeResult, writtenBy } from '../report.ts';
import { type Comparison, compare, POLICIES, tinyGraph } from './compare.ts';

const GRAPHS = 300;
const EFFORT = { liveStates: 400_000, packedStates: 40_000 };
/** The share that float graphs must reach. */
const FLOOR = 0.97;

const lines: string[] = [
  '# Tiny graphs against brute force',
  '',
  `${writtenBy('bench:tiny')} Random graphs of 2 to 5 constructions (branches, concats, strides, paddings, sums, resizes,
slices; test/random/random-graph.ts), at most 11 rows. \`least\` is the smallest peak of live rows over all orders in which steps can fire
by rows, and over all choices of concat parts that are written in place or copied: a search of all states that stay within fit's
arena (bench/tiny/least-live.ts), over rows and firings made anew from what operators read (row-model.ts). A row is
live from its first write until each reader has read or passed it; one that nobody reads is live while it is written; an elementwise
output may take the place of a row that dies with it; inputs that are there from the start are there whole. No addresses can take less
than \`least\`, so that **equal** is optimal. **below**: fit is better than any order of whole rows, with pixels or parts of rows.`,
];

const share = (n: number, of: number) => `${((100 * n) / of).toFixed(1)} %`;

function compareAll(float: boolean): Comparison[] {
  return Array.from({ length: GRAPHS }, (_, seed) => seed).flatMap((seed) => {
    const graph = tinyGraph(seed, float);
    return POLICIES.map((policy) => compare(graph, seed, policy, EFFORT, float ? 1 : 4));
  });
}

/** Optimal: nothing that goes by whole rows takes less. */
function isOptimal({ outcome, better }: Comparison): boolean {
  return outcome === 'below' || outcome === 'equal' || better === 'impossible';
}

function reasonOf(
  { ownLeastBytes, leastBytes, arenaBytes, better, policy }: Comparison,
  float: boolean,
): string {
  const addresses = {
    possible: 'an order with addresses that take less exists',
    impossible: 'no order and addresses take less: optimal',
    'given up': 'whether any order has addresses that take less is open',
  }[better ?? 'given up'];
  if (!float && policy.input === 'reuse' && arenaBytes - leastBytes! < 4)
    return `tensors in one piece begin at multiples of 4; ${addresses}`;
  if (ownLeastBytes! > leastBytes!)
    return `orders: fit's own search sees ${ownLeastBytes} at best; ${addresses}`;
  return `addresses: fit knows an order of ${ownLeastBytes} live bytes; ${addresses}`;
}

function report(title: string, found: readonly Comparison[], float: boolean, note = ''): number {
  lines.push(
    '',
    `## ${title}`,
    '',
    ...(note ? [note, ''] : []),
    '| policy | plans | equal | below | above, proven least | above | unknown | optimal |',
  );
  lines.push('|---|---|---|---|---|---|---|---|');
  for (const policy of [...POLICIES, undefined]) {
    const mine = found.filter((c) => !policy || c.policy === policy);
    const count = (holds: (c: Comparison) => boolean) => mine.filter(holds).length;
    lines.push(
      `| ${policy ? `${policy.input}, ${policy.output}` : 'both'} | ${mine.length} | ${count((c) => c.outcome === 'equal')} | ${count((c) => c.outcome === 'below')} | ${count((c) => c.better === 'impossible')} | ${count((c) => c.outcome === 'above' && c.better !== 'impossible')} | ${count((c) => c.outcome === 'unknown')} | ${share(count(isOptimal), mine.length)} |`,
    );
  }
  lines.push(
    '',
    '| seed | policy | fit | least | gap | reason | operators |',
    '|---|---|---|---|---|---|---|',
  );
  for (const c of found.filter((x) => x.outcome === 'above' || x.outcome === 'unknown')) {
    const above = c.outcome === 'above';
    lines.push(
      `| ${c.seed} | ${c.policy.input} | ${c.arenaBytes} | ${above ? c.leastBytes : ''} | ${above ? share(c.arenaBytes - c.leastBytes!, c.leastBytes!) : ''} | ${above ? reasonOf(c, float) : `more than ${EFFORT.liveStates} states`} | ${c.operators} |`,
    );
  }
  writeResult('tiny.md', lines);
  return found.filter(isOptimal).length / found.length;
}

test('float: every row is a multiple of 4 bytes', () => {
  expect(report('Float', compareAll(true), true)).toBeGreaterThanOrEqual(FLOOR);
});

test('float and int8 as the seeds have it', () => {
  const note = `Three of five graphs are int8, with rows of odd sizes. Rows of what stays inside begin at multiples of 4 and so take such
multiples; inputs and outputs lie in one piece, and only their first bytes do.`;
  report('Rows of any size', compareAll(false), false, note);
});
