/**
 * The best plan for a .tflite file that TFLite Micro can follow: whole tensors in the file's order of operators,
 * each at a fixed address. What the runtime adds by itself, the working memory of kernels, is foreseen: room is
 * made for it, and every candidate is judged by the head that TFLite Micro's own planner ends up with.
 */

import { TidemarkError } from '../../errors.ts';
import type { FileModel } from '../../model/tflite/file.ts';
import { packTimeline } from '../../passes/4-allocate/pack.ts';
import { ARENA_ALIGNMENT, type ArenaBuffer, arenaBuffers, peakBytes } from './arena.ts';
import { greedyPlan } from './greedy.ts';
import { IN_PLACE_LEVELS, type InPlacePair, inPlacePairs } from './in-place.ts';
import { KERNEL_SETS, type KernelSet, scratchOf } from './scratch.ts';

/** Heads of the arena, in bytes. */
export interface HeadBytes {
  /** With TFLite Micro's own plan. */
  readonly greedy: number;
  /** With ours. */
  readonly planned: number;
}

export interface OfflinePlan {
  /** One offset a tensor of the file; -1 where the runtime needs none or decides itself. */
  readonly offsets: readonly number[];
  /** What the plan itself fixes ends here. */
  readonly tensorBytes: number;
  /** The whole head, with the working memory of each set of kernels. */
  readonly heads: Readonly<Record<KernelSet, HeadBytes>>;
  /** No addresses can do with less in this order, working memory of the reference kernels counted. */
  readonly lowerBoundBytes: number;
  readonly inPlace: readonly InPlacePair[];
  /** Operators whose kernels ask for working memory that is not known here. */
  readonly unknownScratch: readonly string[];
}

/** Throws where TFLite Micro could not follow any plan. */
export function planOffline(model: FileModel): OfflinePlan {
  if (model.subgraphs !== 1) {
    throw new TidemarkError(
      'operator-unsupported',
      `${model.subgraphs} subgraphs: an offline plan for TFLite Micro can be written for files with one only`,
    );
  }
  const tensors = arenaBuffers(model);
  const scratch = KERNEL_SETS.map((kernels) => scratchOf(model, kernels));
  const buffers = scratch.map((s) => [...tensors, ...s.buffers]);
  const candidates = IN_PLACE_LEVELS.flatMap((level) => {
    const pairs = inPlacePairs(model, tensors, level);
    if (level !== 'none' && pairs.length === 0) return [];
    // Packed with the working memory of one set, of the other, and with none.
    return [...scratch.map((s) => s.buffers), []].map((room) => candidate(tensors, room, pairs, buffers));
  });
  const best = candidates.reduce((a, b) => (better(b, a) ? b : a));
  const byTensor = new Map(tensors.map((b, i) => [b.tensor, best.offsets[i]]));
  const heads = KERNEL_SETS.map((kernels, k) => [
    kernels,
    { greedy: greedyPlan(buffers[k]).headBytes, planned: best.heads[k] },
  ]);
  return {
    offsets: model.tensors.map((t) => byTensor.get(t.index) ?? -1),
    tensorBytes: greedyPlan(tensors, best.offsets).headBytes,
    heads: Object.fromEntries(heads) as OfflinePlan['heads'],
    lowerBoundBytes: best.lowerBoundBytes,
    inPlace: best.pairs,
    unknownScratch: [...new Set(scratch.flatMap((s) => s.unknown))],
  };
}

interface Candidate {
  /** One a tensor buffer. */
  readonly offsets: readonly number[];
  /** One a set of kernels. */
  readonly heads: readonly number[];
  readonly pairs: readonly InPlacePair[];
  readonly lowerBoundBytes: number;
}

/** Lower with the reference kernels, then with the others; of equals the one that was first, which shares least. */
function better(a: Candidate, b: Candidate): boolean {
  const k = a.heads.findIndex((head, i) => head !== b.heads[i]);
  return k >= 0 && a.heads[k] < b.heads[k];
}

/** Addresses with room for the given working memory, and what TFLite Micro makes of them. */
function candidate(
  tensors: readonly ArenaBuffer[],
  room: readonly ArenaBuffer[],
  pairs: readonly InPlacePair[],
  buffers: readonly (readonly ArenaBuffer[])[],
): Candidate {
  const { merged, indexOf } = merge(tensors, pairs);
  const packed = packIntervals([...merged, ...room]);
  const offsets = tensors.map((_, i) => packed[indexOf[i]]);
  return {
    offsets,
    heads: buffers.map((b) => greedyPlan(b, offsets).headBytes),
    pairs: pairs.filter(({ input, output }) => at(tensors, offsets, input) === at(tensors, offsets, output)),
    lowerBoundBytes: peakBytes([...merged, ...buffers[0].slice(tensors.length)]),
  };
}

const at = (tensors: readonly ArenaBuffer[], offsets: readonly number[], tensor: number) =>
  offsets[tensors.findIndex((b) => b.tensor === tensor)];

/** What lies in place becomes one buffer, in use from the first to the last. */
function merge(tensors: readonly ArenaBuffer[], pairs: readonly InPlacePair[]) {
  const into = new Map(pairs.map((p) => [p.output, p.input]));
  const first = (tensor: number): number => (into.has(tensor) ? first(into.get(tensor)!) : tensor);
  const merged: ArenaBuffer[] = [];
  const index = new Map<number, number>();
  const indexOf = tensors.map((b) => {
    const root = first(b.tensor!);
    const known = index.get(root);
    if (known === undefined) {
      index.set(root, merged.length);
      merged.push(b);
      return merged.length - 1;
    }
    const { bytes, first: from, last } = merged[known];
    merged[known] = { bytes, first: Math.min(from, b.first), last: Math.max(last, b.last) };
    return known;
  });
  return { merged, indexOf };
}

/** Addresses for plain intervals. */
function packIntervals(buffers: readonly ArenaBuffer[]): readonly number[] {
  const lifetimes = buffers.map(({ bytes, first, last }, i) => ({
    name: String(i),
    bytes,
    birth: first,
    death: last + 1,
    times: Int32Array.of(first),
    lo: Int32Array.of(0),
    hi: Int32Array.of(bytes),
  }));
  return packTimeline(
    { lifetimes, inPlace: [], sequence: new Int32Array(0), modes: [] },
    { alignment: ARENA_ALIGNMENT },
  ).offsets;
}
