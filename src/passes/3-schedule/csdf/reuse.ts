/**
 * Buffers that take turns, as in the sequel (doi 10.1145/3527457): edges whose times from first to last access do not
 * meet may share one buffer. Greedy: edges in the order in which they are first used, each into the buffer that must
 * grow least.
 */

export interface Access {
  readonly bytes: number;
  /** First and last firing that touches it. */
  readonly first: number;
  readonly last: number;
  /** Only buffers of one group (a partition of a pipeline) take turns. */
  readonly group?: number;
}

export interface SharedBuffer {
  readonly bytes: number;
  /** What it holds, by index, in the order of first use. */
  readonly holds: readonly number[];
}

export function reuseBuffers(accesses: readonly Access[]): SharedBuffer[] {
  const buffers: { bytes: number; group: number; holds: number[] }[] = [];
  const order = accesses.map((_, i) => i).sort((a, b) => accesses[a].first - accesses[b].first || a - b);
  for (const i of order) {
    const { bytes, first, last, group = 0 } = accesses[i];
    const free = buffers.filter(
      (b) => b.group === group && b.holds.every((o) => accesses[o].last < first || accesses[o].first > last),
    );
    let best = free[0];
    for (const b of free) if (growth(b, bytes) < growth(best, bytes)) best = b;
    if (!best) buffers.push((best = { bytes: 0, group, holds: [] }));
    best.bytes = Math.max(best.bytes, bytes);
    best.holds.push(i);
  }
  return buffers;
}

function growth(buffer: { readonly bytes: number }, bytes: number): number {
  return Math.max(0, bytes - buffer.bytes);
}

export function totalBytes(buffers: readonly { readonly bytes: number }[]): number {
  return buffers.reduce((sum, b) => sum + b.bytes, 0);
}
