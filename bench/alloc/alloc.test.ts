/**
 * Writes bench/results/alloc.md: MiniMalloc's eleven instances at their capacity and minimised, generated
 * instances of 1,000 to 30,000 buffers, and small random problems against brute force.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseBuffers } from '../../src/cli/alloc/buffers.ts';
import { faultOf, type PackingProblem } from '../../src/passes/4-allocate/solver/problem.ts';
import { solvePacking } from '../../src/passes/4-allocate/solver/solve.ts';
import {
  type Kind,
  leastHeight,
  randomProblem,
} from '../../src/passes/4-allocate/solver/testing/small-problems.ts';
import { uniformNumbers } from '../../src/seeded.ts';
import { writeResult, writtenBy } from '../report.ts';

const FOLDER = join(import.meta.dirname, '../../../shared/alloc-benchmarks');
const CAPACITY = 1_048_576;
const FIT_SECONDS = Number(process.env.TIDEMARK_ALLOC_FIT_SECONDS ?? 60);
const MINIMISE_SECONDS = Number(process.env.TIDEMARK_ALLOC_SECONDS ?? 20);
/** Seconds of MiniMalloc (C++, one core), A to K. */
const MINIMALLOC = [6.0, 4.3, 0.8, 4.0, 4.1, 5.6, 1.2, 1.6, 3.5, 1.5, 0.7];

const lines: string[] = [];

test.skipIf(!existsSync(FOLDER))('A to K', () => {
  lines.push(
    '## MiniMalloc’s instances',
    '',
    `Fit: any answer below ${CAPACITY}, ${FIT_SECONDS} s at most. Minimise: the lowest after ${MINIMISE_SECONDS} s. One thread; seconds are CPU time of this process.`,
    '',
    '| | buffers | fit, s | MiniMalloc, s | fits | minimised | bound | gap | first answer, s |',
    '|---|---|---|---|---|---|---|---|---|',
  );
  let total = 0;
  [...'ABCDEFGHIJK'].forEach((name, k) => {
    const file = `${name}.${CAPACITY}.csv`;
    const { problem } = parseBuffers(readFileSync(join(FOLDER, file), 'utf8'), file);
    const fit = timed(problem, FIT_SECONDS, CAPACITY);
    const least = timed(problem, MINIMISE_SECONDS);
    total += fit.seconds;
    const fits = fit.height <= CAPACITY;
    lines.push(
      `| ${name} | ${problem.sizes.length} | ${fit.seconds.toFixed(2)} | ${MINIMALLOC[k]} | ${fits ? 'yes' : 'not found'} | ${least.height} | ${least.bound} | ${gap(least)} | ${least.firstSeconds.toFixed(2)} |`,
    );
    write();
  });
  lines.push('', `All eleven at capacity: ${total.toFixed(1)} s.`, '');
  write();
});

test('generated instances', () => {
  lines.push(
    '## Generated instances',
    '',
    'Sizes 1 to 1,000 units of 64 bytes; one buffer in twenty lives long. First fit in five orders, no exact search.',
    '',
    '| buffers | conflicts a buffer | first answer, s | all orders, s | height | bound | gap |',
    '|---|---|---|---|---|---|---|',
  );
  for (const count of [1_000, 3_000, 10_000, 30_000]) {
    const problem = generated(count);
    const result = timed(problem, 600, undefined, 0);
    lines.push(
      `| ${count} | ${degree(problem)} | ${result.firstSeconds.toFixed(2)} | ${result.seconds.toFixed(2)} | ${result.height} | ${result.bound} | ${gap(result)} |`,
    );
  }
  lines.push('');
  write();
});

test('10,000 small problems against brute force', () => {
  const kinds: Kind[] = ['plain', 'asymmetric', 'aligned', 'fixed'];
  let found = 0;
  let none = 0;
  for (const kind of kinds) {
    for (let seed = 10_001; seed <= 12_500; seed++) {
      const problem = randomProblem(kind, seed);
      const { answer, optimal, infeasible, lowerBound } = solvePacking(problem, { nodes: 20_000, tries: 20 });
      const least = leastHeight(problem);
      if (least === undefined) {
        expect(infeasible && !answer).toBe(true);
        none++;
        continue;
      }
      expect(faultOf(problem, answer!)).toBeUndefined();
      expect([answer!.height, lowerBound, optimal], `${kind} ${seed}`).toEqual([least, least, true]);
      found++;
    }
  }
  lines.push(
    '## Against brute force',
    '',
    `${found + none} random problems of up to six buffers (${kinds.join(', ')}): the optimum was found and proven in all ${found} that have an answer, and ${none} with fixed offsets that overlap were refused.`,
  );
  write();
});

function timed(problem: PackingProblem, limit: number, target?: number, nodes = Number.MAX_SAFE_INTEGER) {
  const began = process.cpuUsage();
  const seconds = () => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1e6;
  };
  let firstSeconds = -1;
  const { answer, lowerBound } = solvePacking(problem, {
    nodes,
    ...(target === undefined ? {} : { target }),
    shouldStop: () => seconds() > limit,
    onBetter: () => {
      if (firstSeconds < 0) firstSeconds = seconds();
    },
  });
  const took = seconds();
  expect(faultOf(problem, answer!)).toBeUndefined();
  return { height: answer!.height, bound: lowerBound, seconds: took, firstSeconds };
}

function gap({ height, bound }: { height: number; bound: number }): string {
  return height <= bound ? 'proven' : `${((100 * (height - bound)) / height).toFixed(2)} %`;
}

/** Near 40 live at once, whatever the count. */
function generated(count: number): PackingProblem {
  const random = uniformNumbers(0x9e3779b9);
  const sizes: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  for (let i = 0; i < count; i++) {
    sizes.push(64 * (1 + Math.floor(1000 * random() ** 3)));
    from.push(Math.floor(random() * count));
    to.push(from[i] + 1 + Math.floor(random() * (random() < 0.05 ? 1000 : 40)));
  }
  return { sizes, lives: { from, to } };
}

function degree({ lives }: PackingProblem): string {
  const { from, to } = lives!;
  const starts = Float64Array.from(from).sort();
  const ends = Float64Array.from(to).sort();
  const below = (sorted: Float64Array, value: number) => {
    let lo = 0;
    let hi = sorted.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (sorted[mid] < value) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  };
  let sum = 0;
  for (let i = 0; i < from.length; i++) sum += below(starts, to[i]) - below(ends, from[i] + 1) - 1;
  return (sum / from.length).toFixed(0);
}

function write(): void {
  const head = [
    '# The allocator alone',
    '',
    writtenBy('bench:alloc'),
    'Every answer was checked by a sweep that shares nothing with the search.',
    '',
  ];
  writeResult('alloc.md', [...head, ...lines]);
}
