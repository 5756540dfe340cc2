/**
 * Which kernels of TFLite Micro may write their output exactly over an input. Only those whose loops, in the
 * reference kernels and in CMSIS-NN, read each element before they write the one at its place, and never again.
 * Both then lie at the same address; a partial overlap is never planned.
 */
import type { FileModel, FileNode } from '../../model/tflite/file.ts';
import { type ArenaBuffer, fileTensorBytes } from './arena.ts';

/** Copies of all bytes. kernels/reshape.cc says "in-place reshape" itself and compares the addresses. */
const MOVES = new Set(['RESHAPE']);

/**
 * One output element from the elements at the same place: ElementWise in integer_ops/add.h, ReluQuantized and
 * Relu6Quantized in kernels/activations.cc, Logistic in integer_ops/logistic.h; arm_elementwise_add_s8.c and
 * arm_elementwise_mul_s8.c load four of each input, then store four.
 */
const ELEMENTWISE = new Set(['ADD', 'MUL', 'RELU', 'RELU6', 'LOGISTIC']);

export interface InPlacePair {
  readonly node: number;
  readonly input: number;
  readonly output: number;
}

/** How much is allowed: nothing, what kernels offer in words, or also what their loops allow. */
export const IN_PLACE_LEVELS = ['none', 'reshape', 'elementwise'] as const;
export type InPlaceLevel = (typeof IN_PLACE_LEVELS)[number];

/** Whether the node's kernel may write over the input, going by the kernel alone. */
export function kernelAllows(model: FileModel, node: FileNode, input: number, level: InPlaceLevel): boolean {
  if (level === 'none' || node.outputs.length !== 1) return false;
  const [from, to] = [model.tensors[input], model.tensors[node.outputs[0]]];
  if (from.type !== to.type || fileTensorBytes(from) !== fileTensorBytes(to)) return false;
  if (MOVES.has(node.builtin)) return node.inputs[0] === input;
  if (level !== 'elementwise' || !ELEMENTWISE.has(node.builtin)) return false;
  // With operands of one shape there is no broadcasting, whose loops are others.
  return node.inputs.every((t) => t >= 0 && sameShape(model.tensors[t].shape, to.shape));
}

const sameShape = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((d, i) => d === b[i]);

/** At most one input for each output: one that its operator is the last to use, and that nobody outside wants. */
export function inPlacePairs(
  model: FileModel,
  buffers: readonly ArenaBuffer[],
  level: InPlaceLevel,
): InPlacePair[] {
  const byTensor = new Map(buffers.map((b) => [b.tensor, b]));
  return model.nodes.flatMap((node, i) => {
    const output = node.outputs[0];
    if (byTensor.get(output)?.first !== i + 1) return [];
    const input = node.inputs.find(
      (t) =>
        byTensor.get(t)?.last === i + 1 && !model.outputs.includes(t) && kernelAllows(model, node, t, level),
    );
    return input === undefined ? [] : [{ node: i, input, output }];
  });
}
