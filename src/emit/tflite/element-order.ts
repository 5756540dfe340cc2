/**
 * Reference kernels of TFLite Micro that go through the output element by element, in order, and read at most one
 * element of the input for each, in order too: PadImpl in lite/kernels/internal/reference/pad.h, AffineQuantize in
 * quantize.h, and the element-wise ones of in-place.ts.
 */
import type { FileModel, FileNode, FileTensor } from '../../model/tflite/file.ts';
import { elementsOf, fileTensorBytes } from './arena.ts';
import { kernelAllows } from './in-place.ts';

export interface ElementOrder {
  readonly inBytes: number;
  readonly outBytes: number;
  /** Output elements; for each, the input element that it is made from, or -1, in ascending order. */
  readonly reads: Int32Array;
}

const MAX_ELEMENTS = 2 ** 26;

/** Undefined for kernels that are not known to work that way, and for other inputs. */
export function elementOrderOf(model: FileModel, node: FileNode, input: number): ElementOrder | undefined {
  const [from, to] = [model.tensors[input], model.tensors[node.outputs[0]]];
  if (elementsOf(to) === 0 || elementsOf(from) === 0 || elementsOf(to) > MAX_ELEMENTS) return undefined;
  const reads = readsOf(model, node, input, from, to);
  const size = (t: FileTensor) => fileTensorBytes(t) / elementsOf(t);
  return reads && { inBytes: size(from), outBytes: size(to), reads };
}

function readsOf(
  model: FileModel,
  node: FileNode,
  input: number,
  from: FileTensor,
  to: FileTensor,
): Int32Array | undefined {
  // A copy of all bytes at once has no order to rely on.
  if (node.builtin === 'RESHAPE') return undefined;
  const sameCount = elementsOf(from) === elementsOf(to);
  const quantise = node.builtin === 'QUANTIZE' && from.type === 'f32' && node.inputs[0] === input;
  if ((quantise && sameCount) || kernelAllows(model, node, input, 'elementwise'))
    return Int32Array.from({ length: elementsOf(to) }, (_, i) => i);
  const pad = node.builtin === 'PAD' && node.inputs[0] === input;
  return pad ? padReads(from, to, model.tensors[node.inputs[1]]) : undefined;
}

/** Elements inside the padding read nothing. */
function padReads(
  from: FileTensor,
  to: FileTensor,
  paddings: FileTensor | undefined,
): Int32Array | undefined {
  const before = paddings && leadingPads(paddings, from.shape.length);
  if (!before || to.shape.length !== from.shape.length) return undefined;
  const reads = new Int32Array(elementsOf(to));
  const position = to.shape.map(() => 0);
  let next = 0;
  for (let e = 0; e < reads.length; e++) {
    const inside = position.every((p, d) => p >= before[d] && p < before[d] + from.shape[d]);
    reads[e] = inside ? next++ : -1;
    for (let d = position.length - 1; d >= 0 && ++position[d] === to.shape[d]; d--) position[d] = 0;
  }
  return next === elementsOf(from) ? reads : undefined;
}

/** How many elements stand in front, by dimension: the first column of a constant of two. */
function leadingPads({ type, data }: FileTensor, rank: number): number[] | undefined {
  const bytes = type === 'i32' ? 4 : type === 'i64' ? 8 : 0;
  if (!data || bytes === 0 || data.length !== 2 * bytes * rank) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: rank }, (_, d) => view.getInt32(2 * bytes * d, true));
}
