/**
 * The best plan for a .tflite file that TFLite Micro can follow: whole tensors in the file's order of operators,
 * each at a fixed address. What the runtime adds by itself, the working memory of kernels, is foreseen: room is
 * made for it, and every candidate is judged by the head that TFLite Micro's own planner ends up with.
 */

import { TidemarkError } from '../../errors.ts';
import type { FileModel } from '../../model/tflite/file.ts';
import { type ArenaBuffer, arenaBuffers, peakBytes } from './arena.ts';
import { greedyPlan } from './greedy.ts';
import { IN_PLACE_LEVELS, type InPlacePair, inPlacePairs } from './in-place.ts';
import { packBuffers, packUnderCeiling } from './pack-buffers.ts';
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

/** Far beyond what TFLite Micro runs; offsets are 32-bit numbers. */
const MAX_TENSORS = 10_000;
const MAX_BYTES = 2 ** 30;

/** Throws where TFLite Micro could not follow any plan. */
export function planOffline(model: FileModel): OfflinePlan {
  if (model.subgraphs !== 1) {
    throw new TidemarkError(
      'operator-unsupported',
      `${model.subgraphs} subgraphs: an offline plan for TFLite Micro can be written for files with one only`,
    );
  }
  const tensors = arenaBuffers(model);
  const peak = peakBytes(tensors);
  if (tensors.length > MAX_TENSORS || peak > MAX_BYTES) {
    throw new TidemarkError(
      'shape-too-large',
      `${tensors.length} tensors, ${peak} bytes of them in use at once: plans are made for at most ${MAX_TENSORS} and ${MAX_BYTES} bytes`,
    );
  }
  const scratch = KERNEL_SETS.map((kernels) => scratchOf(model, kernels));
  const buffers = scratch.map((s) => [...tensors, ...s.buffers]);
  const best = candidatesOf(model, tensors, buffers).reduce((a, b) => (better(b, a) ? b : a));
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

/** TFLite Micro's own plans, so that ours is never worse, and for each level of writing in place two of the solver's. */
function candidatesOf(
  model: FileModel,
  tensors: readonly ArenaBuffer[],
  buffers: readonly (readonly ArenaBuffer[])[],
): Candidate[] {
  const [reference, cmsisNn] = buffers.map((b) => b.slice(tensors.length));
  const judged = (offsets: readonly number[], pairs: readonly InPlacePair[], lowerBoundBytes: number) => ({
    offsets,
    heads: buffers.map((b) => greedyPlan(b, offsets).headBytes),
    pairs: pairs.filter(({ input, output }) => at(tensors, offsets, input) === at(tensors, offsets, output)),
    lowerBoundBytes,
  });
  const own = buffers.map((b) =>
    judged(greedyPlan(b).offsets.slice(0, tensors.length), [], peakBytes(buffers[0])),
  );
  const solved = IN_PLACE_LEVELS.flatMap((level) => {
    const pairs = inPlacePairs(model, tensors, level);
    if (level !== 'none' && pairs.length === 0) return [];
    const { merged, indexOf } = merge(tensors, pairs);
    const first = [...merged, ...reference];
    const bound = peakBytes(first);
    const spread = (offsets: readonly number[]) =>
      judged(
        tensors.map((_, i) => offsets[indexOf[i]]),
        pairs,
        bound,
      );
    // As low as the reference kernels allow; then, no higher than that, as low as the others do.
    const { offsets, heightBytes } = packBuffers(first, bound);
    const second = packUnderCeiling(first, merged.length, cmsisNn, heightBytes);
    return [spread(offsets), ...(second ? [spread(second)] : [])];
  });
  return [...own, ...solved];
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
