/**
 * A plan for firmware with TFLite Micro's reference kernels alone: an output may lie over the part of its input that
 * has been read by then (the overlap of Jokic, Emery and Benini, ESL 2021), which their order of work allows. Other
 * kernels work in other orders, CMSIS-NN's 1 by 1 convolution channel by channel, and would compute wrong results.
 */
import type { FileModel } from '../../model/tflite/file.ts';
import { type ArenaBuffer, aligned, arenaBuffers } from './arena.ts';
import { greedyPlan } from './greedy.ts';
import { planOffline } from './offline-plan.ts';
import { type Overlap, packBuffers } from './pack-buffers.ts';
import { overlapDistance } from './raster.ts';
import { scratchOf } from './scratch.ts';

export interface OverlappedPlan {
  /** One offset a tensor of the file; -1 where the runtime needs none or decides itself. */
  readonly offsets: readonly number[];
  readonly headBytes: number;
  /** With TFLite Micro's own plan. */
  readonly greedyHeadBytes: number;
  /** With the plan that any kernels can follow. */
  readonly wholeHeadBytes: number;
  /** No addresses can do with less in this order. */
  readonly lowerBoundBytes: number;
  /** Operators whose output lies over their input. */
  readonly overlaps: number;
  readonly unknownScratch: readonly string[];
}

/** Throws as `planOffline` does. */
export function planOverlapped(model: FileModel): OverlappedPlan {
  const whole = planOffline(model);
  const tensors = arenaBuffers(model);
  const scratch = scratchOf(model, 'reference');
  const buffers = [...tensors, ...scratch.buffers];
  const overlaps = overlapsOf(model, tensors);
  const packed = packBuffers(buffers, 0, overlaps);
  const headBytes = greedyPlan(buffers, packed.offsets.slice(0, tensors.length)).headBytes;
  const lower = headBytes < whole.heads.reference.planned;
  const byTensor = new Map(tensors.map((b, i) => [b.tensor, packed.offsets[i]]));
  const offsets = lower ? model.tensors.map((t) => byTensor.get(t.index) ?? -1) : whole.offsets;
  const used = overlaps.filter(({ output, input }) => {
    const [from, to] = [offsets[tensors[input].tensor!], offsets[tensors[output].tensor!]];
    return to < from + tensors[input].bytes && from < to + tensors[output].bytes;
  });
  return {
    offsets,
    headBytes: lower ? headBytes : whole.heads.reference.planned,
    greedyHeadBytes: whole.heads.reference.greedy,
    wholeHeadBytes: whole.heads.reference.planned,
    // Heads are multiples of the alignment.
    lowerBoundBytes: aligned(packed.lowerBoundBytes),
    overlaps: used.length,
    unknownScratch: scratch.unknown,
  };
}

/** Inputs that their operator is the last to use, and how far its output may lie over them. */
function overlapsOf(model: FileModel, tensors: readonly ArenaBuffer[]): Overlap[] {
  const index = new Map(tensors.map((b, i) => [b.tensor, i]));
  return model.nodes.flatMap((node, i) => {
    const output = index.get(node.outputs[0]);
    if (node.outputs.length !== 1 || output === undefined || tensors[output].first !== i + 1) return [];
    return [...new Set(node.inputs)].flatMap((t) => {
      const input = index.get(t);
      if (input === undefined || tensors[input].last !== i + 1 || model.outputs.includes(t)) return [];
      const distance = overlapDistance(model, node, t);
      return distance < tensors[output].bytes ? [{ output, input, distance }] : [];
    });
  });
}
