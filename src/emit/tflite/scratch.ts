/**
 * Working memory that TFLite Micro's kernels ask for when they are prepared (RequestScratchBufferInArena). It stands
 * in no file and in no offline plan: the planner puts it around what the plan fixes, for the time of its operator.
 * How much depends on the kernels that the firmware was built with; two sets are known here, the reference kernels
 * (tensorflow/lite/micro/kernels) and CMSIS-NN on Cortex-M4 and M7 (Arm's arm_*_get_buffer_size for DSP cores).
 */
import type { FileModel, FileNode, FileTensor } from '../../model/tflite/file.ts';
import { conv2dOptions, depthwiseOptions } from '../../model/tflite/schema.ts';
import { type ArenaBuffer, aligned, elementsOf } from './arena.ts';
import { detectionScratch } from './detection-scratch.ts';

export const KERNEL_SETS = ['reference', 'cmsis-nn'] as const;
export type KernelSet = (typeof KERNEL_SETS)[number];

export interface Scratch {
  readonly buffers: readonly ArenaBuffer[];
  /** Kinds of operators that ask for an amount which is not known here; nothing is counted for them. */
  readonly unknown: readonly string[];
}

/** Bytes of each request in its order, or undefined where they are not known. */
type Ask = (node: FileNode, tensors: readonly FileTensor[]) => readonly number[] | undefined;

const INT32_BYTES = 4;
const INT64_BYTES = 8;

/** Sums in 32 bits: PrepareMeanOrSum in kernels/reduce_common.cc. */
const sums: Ask = (node, tensors) => {
  const [input, output] = [tensors[node.inputs[0]], tensors[node.outputs[0]]];
  const quantised = input.type === 'i8' || input.type === 'u8' || input.type === 'i16';
  return quantised ? [INT32_BYTES * elementsOf(output)] : [];
};

/** An index for every dimension and every axis: PrepareMax and PrepareMin, same file. */
const extremes: Ask = (node, tensors) => [
  INT32_BYTES * tensors[node.inputs[0]].shape.length,
  INT32_BYTES * elementsOf(tensors[node.inputs[1]]),
];

/** Accumulators of the whole output, and a bias made wide: kernels/transpose_conv.cc. */
const transposed: Ask = (node, tensors) => {
  const [input, output] = [tensors[node.inputs[2]], tensors[node.outputs[0]]];
  if (input.type === 'i8') return [INT32_BYTES * elementsOf(output)];
  if (input.type !== 'i16') return [];
  const bias = tensors[node.inputs[3]] as FileTensor | undefined;
  const wide = bias?.type === 'i16' ? [INT64_BYTES * elementsOf(bias)] : [];
  return [INT64_BYTES * elementsOf(output), ...wide];
};

/** Weights of 4 bits are unpacked: Prepare in kernels/conv.cc, depthwise_conv.cc and fully_connected.cc. */
const unpacked: Ask = (node, tensors) => {
  const weights = tensors[node.inputs[1]];
  return weights?.type === 'i4' ? [elementsOf(weights)] : [];
};

/** Elements under each dimension, of the output and of the input: kernels/mirror_pad.cc. */
const strides: Ask = (node, tensors) => {
  const bytes = INT32_BYTES * tensors[node.inputs[0]].shape.length;
  return [bytes, bytes];
};

/** The inputs' addresses, of a 32-bit processor: kernels/add_n.cc. */
const addresses: Ask = (node) => [INT32_BYTES * node.inputs.length];

const unknown: Ask = () => undefined;

const detection: Ask = (node, tensors) =>
  node.custom === 'TFLite_Detection_PostProcess' ? detectionScratch(node, tensors) : undefined;

/** What is asked for, by kind, and how many inputs an operator of the kind must have for that to be known. */
type Asks = Readonly<Record<string, readonly [inputs: number, ask: Ask]>>;

/** What is not listed asks for nothing. */
const REFERENCE: Asks = {
  MEAN: [1, sums],
  SUM: [1, sums],
  REDUCE_MAX: [2, extremes],
  REDUCE_MIN: [2, extremes],
  TRANSPOSE_CONV: [3, transposed],
  CONV_2D: [2, unpacked],
  DEPTHWISE_CONV_2D: [2, unpacked],
  FULLY_CONNECTED: [2, unpacked],
  MIRROR_PAD: [1, strides],
  ADD_N: [1, addresses],
  SVDF: [0, unknown],
  UNIDIRECTIONAL_SEQUENCE_LSTM: [0, unknown],
  BATCH_MATMUL: [0, unknown],
  CUSTOM: [2, detection],
};

const INT16_BYTES = 2;

/** Two columns of the input as int16, each a multiple of four long; none for 1 by 1. arm_convolve_get_buffer_sizes_s8.c */
const twoColumns: Ask = (node, tensors) => {
  const [input, weights] = [tensors[node.inputs[0]], tensors[node.inputs[1]]];
  if (input.type === 'f32') return [];
  if (input.type !== 'i8' || weights.type !== 'i8') return undefined;
  const { dilation } = conv2dOptions(node.options);
  const [, height, width] = weights.shape;
  if (height === 1 && width === 1 && dilation.every((d) => d === 1)) return [];
  return [2 * INT16_BYTES * 4 * Math.ceil((height * width * input.shape[3]) / 4)];
};

/** One column as int16, where there is one filter a channel and it is not 3 by 3. arm_depthwise_conv_get_buffer_sizes_s8.c */
const oneColumn: Ask = (node, tensors) => {
  const [input, weights] = [tensors[node.inputs[0]], tensors[node.inputs[1]]];
  if (input.type === 'f32') return [];
  if (input.type !== 'i8' || weights.type !== 'i8') return undefined;
  const { dilation } = depthwiseOptions(node.options);
  const [, height, width, channels] = weights.shape;
  const plain = input.shape[3] === channels && input.shape[0] === 1 && dilation.every((d) => d === 1);
  if (!plain || (height === 3 && width === 3)) return [];
  return [INT16_BYTES * channels * height * width];
};

/** A sum for each channel. arm_avgpool_get_buffer_sizes_s8.c */
const channelSums: Ask = (node, tensors) => {
  const input = tensors[node.inputs[0]];
  return input.type === 'i8' ? [INT32_BYTES * input.shape[3]] : [];
};

const CMSIS_NN: Asks = {
  ...REFERENCE,
  CONV_2D: [2, twoColumns],
  DEPTHWISE_CONV_2D: [2, oneColumn],
  AVERAGE_POOL_2D: [1, channelSums],
  TRANSPOSE_CONV: [0, unknown],
};

/** The requests of all operators, in the order in which TFLite Micro makes them. */
export function scratchOf(model: FileModel, kernels: KernelSet): Scratch {
  const asks = kernels === 'reference' ? REFERENCE : CMSIS_NN;
  const kinds = new Set<string>();
  const buffers = model.nodes.flatMap((node, i) => {
    const requests = requestsOf(node, model.tensors, asks);
    if (!requests) kinds.add(node.custom || node.builtin);
    return (requests ?? []).map((bytes) => ({ bytes: aligned(bytes), first: i + 1, last: i + 1 }));
  });
  return { buffers, unknown: [...kinds] };
}

/** Undefined where they are not known, which a malformed operator's are not either. */
function requestsOf(
  node: FileNode,
  tensors: readonly FileTensor[],
  asks: Asks,
): readonly number[] | undefined {
  const entry = asks[node.builtin];
  if (!entry) return [];
  const [inputs, ask] = entry;
  const given = node.inputs.slice(0, inputs).filter((t) => t >= 0).length;
  if (given < inputs || node.outputs.length === 0) return undefined;
  const requests = ask(node, tensors);
  return requests?.every(Number.isSafeInteger) ? requests : undefined;
}
