/**
 * What TFLite Micro keeps in the head of its arena for a file: one buffer for every tensor that is computed, and
 * when each is in use. Its rules are those of AllocationInfoBuilder (tensorflow/lite/micro/micro_allocation_info.cc):
 * time is counted in operators, in the file's order; the inputs are there from the start, the outputs until the end.
 */
import { TidemarkError } from '../../errors.ts';
import type { FileModel, FileTensor } from '../../model/tflite/file.ts';
import type { FileType } from '../../model/tflite/schema.ts';

/** MicroArenaBufferAlignment(): every buffer begins on, and is rounded up to, a multiple of this. */
export const ARENA_ALIGNMENT = 16;

/** Something that the planner gives an address. In use from `first` to `last`, both counted. */
export interface ArenaBuffer {
  /** Tensor of the file; left out for working memory of a kernel. */
  readonly tensor?: number;
  readonly bytes: number;
  /** 0 is before the first operator; operator i runs at i + 1. -1: no operator uses it, and it is there all the same. */
  readonly first: number;
  readonly last: number;
}

/** Bytes of one element as TfLiteTypeSizeOf has them; types that are missing here it refuses. */
const ELEMENT_BYTES: Partial<Record<FileType, number>> = {
  f32: 4,
  f16: 2,
  i32: 4,
  u32: 4,
  u8: 1,
  i8: 1,
  i4: 1,
  bool: 1,
  i16: 2,
  i64: 8,
  u64: 8,
  f64: 8,
  COMPLEX64: 8,
  COMPLEX128: 16,
  RESOURCE: 4,
};

/** Rounded up to the arena's alignment. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / ARENA_ALIGNMENT) * ARENA_ALIGNMENT;
}

export function elementsOf(tensor: FileTensor): number {
  return tensor.shape.reduce((n, d) => n * d, 1);
}

/** Bytes of a tensor's values, not rounded. */
export function fileTensorBytes(tensor: FileTensor): number {
  const element = ELEMENT_BYTES[tensor.type];
  if (element === undefined) {
    throw new TidemarkError(
      'type-unsupported',
      `tensor ${tensor.name}: TFLite Micro has no tensors of type ${tensor.type}`,
    );
  }
  if (tensor.shape.some((d) => d < 0)) {
    throw new TidemarkError(
      'shape-dynamic',
      `tensor ${tensor.name} of shape [${tensor.shape}]: TFLite Micro needs every size in the file`,
    );
  }
  return element * elementsOf(tensor);
}

/** The buffers of a file's tensors, in the order of the tensors: none for constants, variables and empty ones. */
export function arenaBuffers(model: FileModel): ArenaBuffer[] {
  const uses = model.tensors.map(() => ({ first: -1, last: -1 }));
  for (const t of [...model.inputs, ...model.outputs]) uses[t] = { first: 0, last: 0 };
  model.nodes.forEach((node, i) => {
    for (const t of node.outputs) uses[t].first = i + 1;
    for (const t of [...node.inputs, ...node.outputs]) if (t >= 0) uses[t].last = i + 1;
  });
  for (const t of model.outputs) uses[t].last = model.nodes.length;
  const buffers: ArenaBuffer[] = [];
  for (const tensor of model.tensors) {
    if (tensor.data || tensor.variable) continue;
    const bytes = aligned(fileTensorBytes(tensor));
    if (bytes > 0) buffers.push({ tensor: tensor.index, bytes, ...uses[tensor.index] });
  }
  return buffers;
}

/** The greatest sum of buffers in use at one time: no addresses can do with less. */
export function peakBytes(buffers: readonly ArenaBuffer[]): number {
  const change = new Map<number, number>();
  for (const { bytes, first, last } of buffers) {
    change.set(first, (change.get(first) ?? 0) + bytes);
    change.set(last + 1, (change.get(last + 1) ?? 0) - bytes);
  }
  let live = 0;
  let peak = 0;
  for (const time of [...change.keys()].sort((a, b) => a - b)) {
    live += change.get(time)!;
    peak = Math.max(peak, live);
  }
  return peak;
}
