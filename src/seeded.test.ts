import { expect, test } from 'vitest';
import { seeded } from './ops/testing/operator-case.ts';
import { randomProblem } from './passes/4-allocate/solver/testing/small-problems.ts';
import { nextState, uniformNumbers, wholeNumbers } from './seeded.ts';
import { seedOf, uniformValues } from './zoo/seed.ts';

test('the sequence is the published one, and zero is no start', () => {
  const next = wholeNumbers(2463534242);
  // From the start that the paper's own procedure has.
  expect(next()).toBe(723471715);
  expect([next(), next(), next()]).toEqual([2497366906, 2064144800, 2008045182]);
  expect(wholeNumbers(0)()).toBe(wholeNumbers(1)());
  expect(nextState(0)).toBe(0);
});

test('starts are the same number whether they are written with a sign or without', () => {
  for (const start of [1, 0x9e3779b9, 2 ** 32 - 1]) {
    const [a, b] = [wholeNumbers(start), wholeNumbers(start | 0)];
    for (let i = 0; i < 100; i++) expect(a()).toBe(b());
  }
});

test('uniform numbers are below 1 and fill the range evenly', () => {
  const next = uniformNumbers(0x2545f491);
  const counts = new Array(16).fill(0);
  for (let i = 0; i < 16_000; i++) counts[Math.floor(next() * 16)]++;
  expect(counts).toHaveLength(16);
  for (const n of counts) expect(Math.abs(n - 1000)).toBeLessThan(150);
});

test('weights, packing problems and operands are drawn as ever', () => {
  const firstOf = (values: ArrayLike<number>) => Array.from(values).slice(0, 3);
  expect(firstOf(uniformValues(seedOf('conv1'), 3, 1))).toMatchInlineSnapshot(`
    [
      0.7845436930656433,
      0.2615303695201874,
      0.9643654823303223,
    ]
  `);
  expect(randomProblem('plain', 5, 4)).toMatchInlineSnapshot(`
    {
      "lives": {
        "from": [
          2,
          1,
          1,
          5,
        ],
        "to": [
          6,
          3,
          4,
          7,
        ],
      },
      "sizes": [
        11,
        5,
        8,
        2,
      ],
    }
  `);
  const random = seeded(1);
  expect([random(), random(), random()]).toMatchInlineSnapshot(`
    [
      0.6342572052963078,
      0.5185608898755163,
      0.6951952611561865,
    ]
  `);
});
