import { expect, test } from 'vitest';
import type { ScheduleNode } from './plan.ts';
import { compressSchedule, expandSchedule, scheduleBytes, scheduleEntries } from './schedule.ts';

test('a loop nest expands to its firings', () => {
  const schedule: ScheduleNode[] = [0, [2, [3, 1], 2], 4];
  expect([...expandSchedule(schedule)]).toEqual([0, 1, 1, 1, 2, 1, 1, 1, 2, 4]);
});

test('a streamed chain folds into a few loops', () => {
  const firings: number[] = [0, 0];
  for (let row = 0; row < 55; row++) firings.push(0, 0, 1);
  const schedule = compressSchedule(firings);
  expect([...expandSchedule(schedule)]).toEqual(firings);
  expect(scheduleEntries(schedule)).toBeLessThanOrEqual(8);
});

test('a stored schedule takes a byte for a small number, two from 128 on', () => {
  expect(scheduleBytes([0, [2, [3, 1], 2], 4])).toBe(1 + 2 + (2 + 1) + 1 + 1);
  expect(scheduleBytes([63, 64, [63, 0], [64, 0]])).toBe(1 + 2 + 3 + 4);
});

test('random nests survive folding and unfolding', () => {
  let seed = 7;
  const random = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed % n;
  };
  const nest = (depth: number): ScheduleNode =>
    depth === 0 || random(3) === 0
      ? random(4)
      : [1 + random(5), ...Array.from({ length: 1 + random(3) }, () => nest(depth - 1))];
  for (let k = 0; k < 300; k++) {
    const firings = [...expandSchedule(Array.from({ length: 1 + random(4) }, () => nest(3)))];
    expect([...expandSchedule(compressSchedule(firings))]).toEqual(firings);
  }
});

test('a schedule beyond the limit is refused before it is expanded', () => {
  expect(() => expandSchedule([[1000, [1000, [1000, 0]]]], 10_000)).toThrow(RangeError);
});
