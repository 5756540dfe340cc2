import { describe, expect, test } from 'vitest';
import type { Lifetime } from './lifetimes.ts';
import { packTimeline } from './pack.ts';
import { distance } from './separation.ts';

/** A staircase from the live interval at each half firing; null where the buffer is not live. */
function lifetime(
  name: string,
  live: readonly (readonly [number, number] | null)[],
  bytes: number,
): Lifetime {
  const birth = live.findIndex((x) => x !== null);
  const death = live.length - [...live].reverse().findIndex((x) => x !== null);
  const inside = live.slice(birth, death).map((x) => x ?? [0, 0]);
  return {
    name,
    bytes,
    birth,
    death,
    times: Int32Array.from(inside, (_, i) => birth + i),
    lo: Int32Array.from(inside, (x) => x[0]),
    hi: Int32Array.from(inside, (x) => x[1]),
  };
}

let seed = 11;
function random(n: number): number {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return (seed >> 8) % n;
}

/** A random staircase: both ends only rise. */
function randomLife(name: string): Lifetime {
  const bytes = 2 + random(7);
  const birth = random(5);
  const length = 1 + random(8);
  const live: ([number, number] | null)[] = new Array(birth).fill(null);
  let lo = 0;
  let hi = 1 + random(bytes);
  for (let t = 0; t < length; t++) {
    live.push([lo, hi]);
    hi = Math.min(bytes, hi + random(3));
    lo = Math.min(hi - 1, lo + random(2));
  }
  return lifetime(name, live, bytes);
}

/** Whether live bytes meet at any time with these bases. */
function collide(a: Lifetime, b: Lifetime, baseA: number, baseB: number): boolean {
  for (let t = Math.max(a.birth, b.birth); t < Math.min(a.death, b.death); t++) {
    const i = t - a.birth;
    const j = t - b.birth;
    if (baseA + a.lo[i] < baseB + b.hi[j] && baseB + b.lo[j] < baseA + a.hi[i]) return true;
  }
  return false;
}

describe('separations', () => {
  test('are tight: at the distance nothing meets, one byte less and something does', () => {
    for (let k = 0; k < 3000; k++) {
      const a = randomLife('a');
      const b = randomLife('b');
      const d = distance(a, b);
      if (d === Number.NEGATIVE_INFINITY) continue;
      for (let more = 0; more < 3; more++) expect(collide(a, b, 0, d + more)).toBe(false);
      if (d + distance(b, a) > 1) expect(collide(a, b, 0, d - 1)).toBe(true);
    }
  });

  test('buffers that are never live together have none', () => {
    const a = lifetime('a', [[0, 4], [0, 4], null, null], 4);
    const b = lifetime('b', [null, null, [0, 4], [0, 4]], 4);
    expect(distance(a, b)).toBe(Number.NEGATIVE_INFINITY);
  });
});

test('packing never lets live bytes meet and never goes below its bound', () => {
  for (let k = 0; k < 400; k++) {
    const lifetimes = Array.from({ length: 2 + random(7) }, (_, i) => randomLife(`b${i}`));
    const timeline = { lifetimes, inPlace: [], sequence: new Int32Array(0), modes: [] };
    const { offsets, heightBytes, lowerBoundBytes } = packTimeline(timeline, { alignment: 1, tries: 60 });
    expect(lowerBoundBytes).toBeLessThanOrEqual(heightBytes);
    lifetimes.forEach((a, i) => {
      expect(offsets[i] + a.bytes).toBeLessThanOrEqual(heightBytes);
      for (let j = 0; j < i; j++) expect(collide(a, lifetimes[j], offsets[i], offsets[j])).toBe(false);
    });
  }
});
