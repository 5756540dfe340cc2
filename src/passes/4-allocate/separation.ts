/**
 * How far apart two buffers must lie: d(A, B) = max over the times both are live of hi_A - lo_B, in bytes from
 * each one's base. B may lie above A where base_B >= base_A + d(A, B). Plain non-overlap is d = size; in place
 * is d = 0 (docs/architecture.md).
 */
import type { InPlacePair, Lifetime, Timeline } from './lifetimes.ts';

/** Buffers that are live together with one buffer, and the distances. Parallel arrays. */
export interface Neighbours {
  readonly other: number[];
  /** The other may lie above this one from this distance on. */
  readonly above: number[];
  /** This one may lie above the other from this distance on. */
  readonly below: number[];
}

/** Distances of all pairs that are ever live together, by buffer. */
export function separations(timeline: Timeline): Neighbours[] {
  const { lifetimes } = timeline;
  const result: Neighbours[] = lifetimes.map(() => ({ other: [], above: [], below: [] }));
  const pairs = new Map<string, InPlacePair>();
  for (const p of timeline.inPlace) pairs.set(`${p.output},${p.input}`, p);
  const byBirth = lifetimes.map((_, i) => i).sort((a, b) => lifetimes[a].birth - lifetimes[b].birth);
  let active: number[] = [];
  for (const i of byBirth) {
    const a = lifetimes[i];
    active = active.filter((j) => lifetimes[j].death > a.birth);
    for (const j of active) {
      const b = lifetimes[j];
      const above = distance(a, b, inPlaceOf(pairs.get(`${i},${j}`)));
      const below = distance(b, a, inPlaceOf(pairs.get(`${j},${i}`)));
      if (above === Number.NEGATIVE_INFINITY && below === Number.NEGATIVE_INFINITY) continue;
      result[i].other.push(j);
      result[i].above.push(above);
      result[i].below.push(below);
      result[j].other.push(i);
      result[j].above.push(below);
      result[j].below.push(above);
    }
    active.push(i);
  }
  return result;
}

/** False: nothing is written in place. True: whatever is written while b is there. Else when, and from which byte of a on. */
export type InPlace = boolean | ReadonlyMap<number, number>;

function inPlaceOf(pair: InPlacePair | undefined): InPlace {
  return pair?.starts ?? pair !== undefined;
}

/**
 * d(a, b): a below b. Where a is written over b in place, what counts of a firing is how it begins and how it
 * ends; between the two both ends move together.
 */
export function distance(a: Lifetime, b: Lifetime, inPlace: InPlace = false): number {
  const from = Math.max(a.birth, b.birth);
  const to = Math.min(a.death, b.death);
  let most = Number.NEGATIVE_INFINITY;
  let i = 0;
  let j = 0;
  for (let time = from; time < to; ) {
    while (i + 1 < a.times.length && a.times[i + 1] <= time) i++;
    while (j + 1 < b.times.length && b.times[j + 1] <= time) j++;
    const over = typeof inPlace === 'boolean' ? inPlace : inPlace.has(time);
    const counts = !(over && time % 2 === 0);
    const live = a.hi[i] > a.lo[i] && b.hi[j] > b.lo[j];
    if (counts && live) most = Math.max(most, a.hi[i] - b.lo[j]);
    if (!counts) {
      const start = typeof inPlace === 'boolean' ? 0 : inPlace.get(time)!;
      most = Math.max(most, acrossFiring(a, i, b, j, time), start - b.lo[j]);
    }
    const nextA = i + 1 < a.times.length ? a.times[i + 1] : to;
    const nextB = j + 1 < b.times.length ? b.times[j + 1] : to;
    let next = Math.min(nextA, nextB);
    // A moment skipped still holds until the firing is over.
    if (!counts && next > time + 1) next = time + 1;
    time = next;
  }
  return most;
}

/** hi_A - lo_B at the beginning and at the end of the firing that runs at an even time. */
function acrossFiring(a: Lifetime, i: number, b: Lifetime, j: number, time: number): number {
  const began = a.times[i] < time ? a.hi[i] : i > 0 ? a.hi[i - 1] : a.lo[i];
  const ended = b.death <= time + 1 ? b.hi[j] : b.times[j + 1] === time + 1 ? b.lo[j + 1] : b.lo[j];
  return Math.max(began - b.lo[j], a.hi[i] - ended);
}
