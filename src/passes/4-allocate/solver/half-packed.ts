/** Half-finished packings of a sweep: what is live, from the bottom up, as buffers come and go. */
import type { Items, Shrinking } from './sweep-items.ts';

/** What is live in one half-finished packing, from the bottom up. */
export interface Packed {
  count: number;
  /** Nobody dies before. */
  next: number;
  score: number;
  /** A number for what lies where and until when: packings that look alike have the same. */
  look: number;
  /** Place in the order of births. */
  readonly item: Int32Array;
  readonly offset: Int32Array;
  readonly end: Int32Array;
  readonly death: Int32Array;
}

export function emptyPacked(mostLive: number): Packed {
  return {
    count: 0,
    next: 0,
    score: 0,
    look: 0,
    item: new Int32Array(mostLive),
    offset: new Int32Array(mostLive),
    end: new Int32Array(mostLive),
    death: new Int32Array(mostLive),
  };
}

export function copyOf({ item, offset, end, death, ...packed }: Packed): Packed {
  return { ...packed, item: item.slice(), offset: offset.slice(), end: end.slice(), death: death.slice() };
}

/** What is dead goes; of what shrinks, the upper part stays. */
export function expire(packed: Packed, now: number, { size, shrinking, shrinks }: Items): void {
  if (now < packed.next) return;
  const { item, offset, end, death } = packed;
  let kept = 0;
  let next = Number.POSITIVE_INFINITY;
  for (let g = 0; g < packed.count; g++) {
    if (death[g] <= now) {
      packed.look -= fingerprint(offset[g], death[g]);
      continue;
    }
    const was = offset[g];
    item[kept] = item[g];
    offset[kept] = was;
    end[kept] = end[g];
    death[kept] = death[g];
    if (shrinks[item[g]]) {
      offset[kept] = end[g] - size[item[g]] + lowEnd(shrinking.get(item[g])!, now);
      packed.look += fingerprint(offset[kept], death[g]) - fingerprint(was, death[g]);
      next = now;
    }
    if (death[g] < next) next = death[g];
    kept++;
  }
  packed.count = kept;
  packed.next = next;
}

function lowEnd({ times, lo }: Shrinking, now: number): number {
  let from = 0;
  let to = times.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (times[middle] <= now) from = middle + 1;
    else to = middle;
  }
  return from > 0 ? lo[from - 1] : 0;
}

export function insert(
  from: Packed,
  to: Packed,
  gap: number,
  item: number,
  place: number,
  end: number,
  death: number,
  shrinks: boolean,
): void {
  const copy = (a: Int32Array, b: Int32Array, value: number) => {
    for (let g = 0; g < gap; g++) b[g] = a[g];
    b[gap] = value;
    for (let g = gap; g < from.count; g++) b[g + 1] = a[g];
  };
  copy(from.item, to.item, item);
  copy(from.offset, to.offset, place);
  copy(from.end, to.end, end);
  copy(from.death, to.death, death);
  to.count = from.count + 1;
  to.next = Math.min(from.next, shrinks ? 0 : death);
  to.look = from.look + fingerprint(place, death);
}

/** A number for a buffer at a place; sums of a thousand of them are still exact. */
export function fingerprint(place: number, death: number): number {
  let a = Math.imul(place ^ Math.imul(death, 0x9e3779b1), 0x85ebca6b);
  a = Math.imul(a ^ (a >>> 15), 0xc2b2ae35);
  const b = Math.imul(a ^ (a >>> 13) ^ death, 0x27d4eb2f);
  return (a >>> 0) * 0x400 + (b >>> 22);
}
