/**
 * Proves the plan that stands in a file, trusting neither the planner nor its lifetimes: the operators are gone
 * through in the file's order over an arena in which every 16 bytes have an owner. What an operator reads must
 * still be its own from end to end, and it may write over what it reads only where its kernel allows that.
 * For plans that count on the order in which reference kernels work, that order is gone through pixel by pixel.
 */
import type { FileModel, FileNode } from '../../model/tflite/file.ts';
import { ARENA_ALIGNMENT, fileTensorBytes } from './arena.ts';
import { elementOrderOf } from './element-order.ts';
import { kernelAllows } from './in-place.ts';
import { covered, rasterOf } from './raster.ts';

const NOBODY = -1;

/** Kernels that a plan is for: any set, or only the reference kernels, of which more is known. */
export type PlannedKernels = 'any' | 'reference';

/** The first thing wrong with the plan, or undefined where it holds. */
export function offlinePlanProblem(
  model: FileModel,
  offsets: readonly number[],
  kernels: PlannedKernels = 'any',
): string | undefined {
  const name = (t: number) => `tensor ${t} (${model.tensors[t].name})`;
  if (offsets.length !== model.tensors.length)
    return `${offsets.length} offsets for ${model.tensors.length} tensors`;
  const cells = (t: number) => Math.ceil(fileTensorBytes(model.tensors[t]) / ARENA_ALIGNMENT);
  const computed = (t: number) =>
    t >= 0 && !model.tensors[t].data && !model.tensors[t].variable && cells(t) > 0;
  let end = 0;
  for (const t of model.tensors.keys()) {
    if (!computed(t)) continue;
    if (offsets[t] < 0) return `${name(t)} has no address`;
    if (offsets[t] % ARENA_ALIGNMENT !== 0)
      return `${name(t)} at ${offsets[t]} is not aligned to ${ARENA_ALIGNMENT}`;
    end = Math.max(end, offsets[t] / ARENA_ALIGNMENT + cells(t));
  }
  const owner = new Int32Array(end).fill(NOBODY);
  const range = (t: number) =>
    [offsets[t] / ARENA_ALIGNMENT, offsets[t] / ARENA_ALIGNMENT + cells(t)] as const;
  const owns = (t: number) => owner.subarray(...range(t)).every((o) => o === t);
  const claim = (t: number) => owner.subarray(...range(t)).fill(t);
  const overlap = (a: number, b: number) => range(a)[0] < range(b)[1] && range(b)[0] < range(a)[1];

  for (const t of model.inputs) if (computed(t)) claim(t);
  for (const t of model.inputs) if (computed(t) && !owns(t)) return `input ${name(t)} lies on another input`;
  for (const [i, node] of model.nodes.entries()) {
    const where = `operator ${i} (${node.builtin})`;
    const inputs = node.inputs.filter(computed);
    const outputs = node.outputs.filter(computed);
    for (const t of inputs) if (!owns(t)) return `${where} reads ${name(t)}, which has been written over`;
    for (const o of outputs) {
      for (const t of inputs) {
        if (!overlap(t, o)) continue;
        const same = offsets[t] === offsets[o] && cells(t) === cells(o);
        const inPlace = same && kernelAllows(model, node, t, 'elementwise');
        const follows = kernels === 'reference' && outputFollows(model, node, t, offsets[t] - offsets[o]);
        if (!inPlace && !follows) return `${where} writes ${name(o)} over ${name(t)}, which it reads`;
      }
    }
    for (const o of outputs) claim(o);
    for (const o of outputs) if (!owns(o)) return `${where}: ${name(o)} lies on another of its outputs`;
  }
  for (const t of model.outputs)
    if (computed(t) && !owns(t)) return `output ${name(t)} has been written over`;
  return undefined;
}

/** Whether an output that begins `distance` bytes below the input never reaches what is still to be read of it. */
function outputFollows(model: FileModel, node: FileNode, input: number, distance: number): boolean {
  if (node.outputs.length !== 1) return false;
  // Neither in what is written when a part of the input is read, nor the other way round: the output lies above.
  const free = (written: number, first: number, last: number) =>
    written <= distance + first || last + distance <= 0;
  const elements = elementOrderOf(model, node, input);
  if (elements) {
    const { inBytes, outBytes, reads } = elements;
    return reads.every((r, e) => r < 0 || free(e * outBytes, r * inBytes, (r + 1) * inBytes));
  }
  const raster = rasterOf(model, node, input);
  if (!raster) return false;
  const { rows, columns, inPixelBytes, outPixelBytes } = raster;
  const across = Array.from({ length: columns.out }, (_, x) => covered(columns, x));
  for (let y = 0; y < rows.out; y++) {
    for (const row of covered(rows, y)) {
      for (let x = 0; x < columns.out; x++) {
        // Of this pixel too: its channels are written while the window is read again for the next.
        const written = (y * columns.out + x + 1) * outPixelBytes;
        for (const column of across[x]) {
          const at = (row * columns.size + column) * inPixelBytes;
          if (!free(written, at, at + inPixelBytes)) return false;
        }
      }
    }
  }
  return true;
}
