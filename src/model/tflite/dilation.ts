/**
 * Older TensorFlow writes a dilated convolution as space-to-batch, a convolution over the batches, and
 * batch-to-space. The three compute what one dilated convolution does on the padded input, so they become one:
 * batches are a copy of the whole picture, a dilation is none.
 */
import type { FileNode, FileTensor } from './file.ts';
import { conv2dOptions, depthwiseOptions } from './schema.ts';
import { readValues } from './values.ts';

/**
 * The nodes with every such triple replaced by its convolution, standing where batch-to-space stood. Tensors
 * inside a triple must be read by it alone; `outputs` are read from outside.
 */
export function joinDilated(
  nodes: readonly FileNode[],
  tensors: readonly FileTensor[],
  outputs: readonly number[],
): FileNode[] {
  const writer = new Map<number, FileNode>();
  const readers = new Map<number, number>();
  for (const node of nodes) {
    for (const t of node.outputs) writer.set(t, node);
    for (const t of new Set(node.inputs)) readers.set(t, (readers.get(t) ?? 0) + 1);
  }
  for (const t of outputs) readers.set(t, (readers.get(t) ?? 0) + 1);
  const gone = new Set<FileNode>();
  const joined = new Map<FileNode, FileNode>();
  for (const last of nodes) {
    if (last.builtin !== 'BATCH_TO_SPACE_ND') continue;
    const conv = writer.get(last.inputs[0]);
    if (!conv || readers.get(last.inputs[0]) !== 1) continue;
    const first = writer.get(conv.inputs[0]);
    if (first?.builtin !== 'SPACE_TO_BATCH_ND' || readers.get(conv.inputs[0]) !== 1) continue;
    const dilated = dilationOf(tensors, first, conv, last);
    if (!dilated) continue;
    gone.add(first).add(conv);
    joined.set(last, {
      ...conv,
      inputs: [first.inputs[0], ...conv.inputs.slice(1)],
      outputs: last.outputs,
      dilated,
    });
  }
  return nodes.filter((n) => !gone.has(n)).map((n) => joined.get(n) ?? n);
}

/** Dilation and pads of the one convolution; undefined where the three are not one. */
function dilationOf(
  tensors: readonly FileTensor[],
  first: FileNode,
  conv: FileNode,
  last: FileNode,
): FileNode['dilated'] {
  if (conv.builtin !== 'CONV_2D' && conv.builtin !== 'DEPTHWISE_CONV_2D') return undefined;
  const options = (conv.builtin === 'CONV_2D' ? conv2dOptions : depthwiseOptions)(conv.options);
  if (options.padding !== 'valid' || [...options.stride, ...options.dilation].some((v) => v !== 1))
    return undefined;
  const values = (node: FileNode, i: number) => small(tensors[node.inputs[i]]);
  const [block, padding] = [values(first, 1), values(first, 2)];
  const [unblock, crops] = [values(last, 1), values(last, 2)];
  if (block?.length !== 2 || unblock?.length !== 2 || padding?.length !== 4 || crops?.length !== 4)
    return undefined;
  if (block[0] !== unblock[0] || block[1] !== unblock[1] || Math.min(...block) < 1) return undefined;
  // Cropping d pixels of the result is the same as padding d pixels less, at either end.
  const [top, bottom, left, right] = padding.map((p, i) => p - crops[i]);
  if (Math.min(top, bottom, left, right) < 0) return undefined;
  return { dilation: [block[0], block[1]], pads: [top, left, bottom, right] };
}

function small(tensor: FileTensor | undefined): number[] | undefined {
  if (!tensor?.data || (tensor.type !== 'i32' && tensor.type !== 'i64')) return undefined;
  const count = tensor.shape.reduce((a, b) => a * b, 1);
  const bytes = tensor.type === 'i32' ? 4 : 8;
  if (count < 1 || count > 8 || tensor.data.length < count * bytes) return undefined;
  return Array.from(readValues(tensor.type, tensor.data, count));
}
