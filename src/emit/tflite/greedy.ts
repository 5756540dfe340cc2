/**
 * Where TFLite Micro itself puts buffers: its GreedyMemoryPlanner (tensorflow/lite/micro/memory_planner). What the
 * file gives an offset stays there; the rest, largest first and of equals the last one first, goes into the first
 * gap that is large enough. It decides how large the head of the arena becomes, with an offline plan or without.
 */
import type { ArenaBuffer } from './arena.ts';

export interface GreedyPlan {
  /** One offset a buffer. */
  readonly offsets: readonly number[];
  readonly headBytes: number;
}

/** `fixed` has one offset a buffer, -1 where the planner decides; left out: it decides everywhere. */
export function greedyPlan(buffers: readonly ArenaBuffer[], fixed?: readonly number[]): GreedyPlan {
  const offsets = buffers.map((_, i) => fixed?.[i] ?? -1);
  const given = buffers.map((_, i) => i).filter((i) => offsets[i] >= 0);
  const open = buffers.map((_, i) => i).filter((i) => offsets[i] < 0);
  open.sort((a, b) => buffers[b].bytes - buffers[a].bytes || b - a);
  const placed = given.sort((a, b) => offsets[a] - offsets[b]);
  for (const i of open) {
    offsets[i] = firstGap(i, buffers, placed, offsets);
    const after = placed.findIndex((p) => offsets[p] > offsets[i]);
    placed.splice(after < 0 ? placed.length : after, 0, i);
  }
  const headBytes = buffers.reduce((most, b, i) => Math.max(most, offsets[i] + b.bytes), 0);
  return { offsets, headBytes };
}

/** Above everything that is in use at the same time and lies before a gap of the right size. `placed` is by offset. */
function firstGap(
  i: number,
  buffers: readonly ArenaBuffer[],
  placed: readonly number[],
  offsets: readonly number[],
): number {
  const { bytes, first, last } = buffers[i];
  let offset = 0;
  for (const p of placed) {
    if (buffers[p].first > last || buffers[p].last < first) continue;
    if (offsets[p] - offset >= bytes) break;
    offset = Math.max(offset, offsets[p] + buffers[p].bytes);
  }
  return offset;
}
