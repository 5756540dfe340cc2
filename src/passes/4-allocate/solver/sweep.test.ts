import { describe, expect, it } from 'vitest';
import { faultOf } from './problem.ts';
import { packBySweep } from './sweep.ts';

function randomly(seed: number): () => number {
  let s = seed;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 4294967296;
  };
}

/** Rows of three tensors that follow one another, as a row schedule makes them. */
function rows(seed: number) {
  const random = randomly(seed);
  const sizes: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  const widths = [3, 4, 7].map((w) => 4 * w * Math.ceil(1 + random() * 9));
  for (let row = 0; row < 60; row++) {
    widths.forEach((bytes, tensor) => {
      sizes.push(bytes);
      from.push(6 * row + tensor);
      to.push(6 * row + tensor + 4 + Math.ceil(random() * 24));
    });
  }
  const load = from.map((t) => sizes.reduce((sum, s, i) => sum + (from[i] <= t && to[i] > t ? s : 0), 0));
  return { sizes, from, to, alignment: 4, lowerBound: Math.max(...load) };
}

describe('sweeps over time', () => {
  it('give addresses at which nothing overlaps, not far above the load', () => {
    for (let seed = 1; seed <= 12; seed++) {
      const problem = rows(seed);
      const found = packBySweep(problem, { below: problem.lowerBound * 2, work: 400_000 })!;
      expect(faultOf({ sizes: problem.sizes, lives: problem }, found)).toBeUndefined();
      expect(found.height).toBeLessThanOrEqual(problem.lowerBound * 1.2);
      expect(found.offsets.every((o) => o % 4 === 0)).toBe(true);
    }
  });

  it('find nothing where nothing lower can be', () => {
    const problem = rows(3);
    expect(packBySweep(problem, { below: problem.lowerBound, work: 100_000 })).toBeUndefined();
  });

  it('build on what a shrinking buffer has given up', () => {
    // 100 bytes from the start, 20 fewer at each of the times 10, 20, 30 and 40; a row of 20 is born each time.
    const shape = { times: [0, 10, 20, 30, 40], lo: [0, 20, 40, 60, 80] };
    const problem = {
      sizes: [100, 20, 20, 20, 20],
      from: [0, 10, 20, 30, 40],
      to: [50, 60, 60, 60, 60],
      shrinking: new Map([[0, shape]]),
      alignment: 4,
      lowerBound: 100,
    };
    expect(packBySweep(problem, { below: 200, work: 100_000 })?.height).toBe(100);
  });

  it('keep to the alignment where a shrinking buffer gives up odd numbers of bytes', () => {
    for (let row = 21; row < 41; row += 2) {
      const rows = Array.from({ length: 20 }, (_, i) => i);
      const shape = { times: rows.map((i) => 10 * i), lo: rows.map((i) => row * i) };
      const problem = {
        sizes: [20 * row, ...rows.map((i) => 4 * (3 + ((i * row) % 7)))],
        from: [0, ...rows.map((i) => 10 * i)],
        to: [200, ...rows.map((i) => 10 * i + 65)],
        shrinking: new Map([[0, shape]]),
        alignment: 4,
        lowerBound: 20 * row,
      };
      const found = packBySweep(problem, { below: 40 * row, work: 100_000 })!;
      expect(found.offsets.every((o) => o % 4 === 0)).toBe(true);
    }
  });
});
