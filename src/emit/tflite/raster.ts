/**
 * How far the output of one of TFLite Micro's reference kernels may lie over its input. They write pixel after pixel
 * in raster order and read of the input what that pixel's window covers (ConvPerChannel, DepthwiseConvPerChannel,
 * MaxPool and AveragePool in lite/kernels/internal/reference, of integers and of floats). So an output below its
 * input may follow it: as long as the pixel written ends below all that this pixel and later ones still read.
 */
import type { FileModel, FileNode } from '../../model/tflite/file.ts';
import { conv2dOptions, depthwiseOptions, type Padding, pool2dOptions } from '../../model/tflite/schema.ts';
import { elementsOf, fileTensorBytes } from './arena.ts';
import { type ElementOrder, elementOrderOf } from './element-order.ts';

/** One axis of a window: output position o covers o * stride - pad + k * dilation for k < kernel. */
interface Axis {
  readonly size: number;
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly pad: number;
}

/** What a kernel reads for each pixel, and writes. Bytes are of a pixel with all of its channels. */
export interface Raster {
  readonly rows: Axis;
  readonly columns: Axis;
  readonly inPixelBytes: number;
  readonly outPixelBytes: number;
}

interface Window {
  readonly padding: Padding;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
}

/** Undefined for kernels that are not known to work that way, for more than one picture, and for other inputs. */
export function rasterOf(model: FileModel, node: FileNode, input: number): Raster | undefined {
  if (node.inputs[0] !== input || node.inputs.lastIndexOf(input) !== 0) return undefined;
  const window = windowOf(model, node);
  const [from, to] = [model.tensors[input], model.tensors[node.outputs[0]]];
  if (!window || from.shape.length !== 4 || to.shape.length !== 4 || from.shape[0] !== 1) return undefined;
  const axis = (dim: 1 | 2): Axis => {
    const [size, out] = [from.shape[dim], to.shape[dim]];
    const [kernel, stride, dilation] = [window.kernel, window.stride, window.dilation].map((v) => v[dim - 1]);
    const wanted = (out - 1) * stride + (kernel - 1) * dilation + 1;
    const pad = window.padding === 'same' ? Math.floor(Math.max(0, wanted - size) / 2) : 0;
    return { size, out, kernel, stride, dilation, pad };
  };
  const pixel = (t: typeof from) => (t.shape[3] * fileTensorBytes(t)) / Math.max(1, elementsOf(t));
  return { rows: axis(1), columns: axis(2), inPixelBytes: pixel(from), outPixelBytes: pixel(to) };
}

/** Weights of convolutions are [channels, height, width, depth], of depthwise ones [1, height, width, channels]. */
function windowOf(model: FileModel, node: FileNode): Window | undefined {
  const weights = model.tensors[node.inputs[1]]?.shape;
  const kernel = weights?.length === 4 ? ([weights[1], weights[2]] as const) : undefined;
  switch (node.builtin) {
    case 'CONV_2D':
      return kernel && { ...conv2dOptions(node.options), kernel };
    case 'DEPTHWISE_CONV_2D':
      return kernel && { ...depthwiseOptions(node.options), kernel };
    case 'MAX_POOL_2D':
    case 'AVERAGE_POOL_2D':
      return { ...pool2dOptions(node.options), dilation: [1, 1] };
    default:
      return undefined;
  }
}

/** Input positions that an output position covers. */
export function covered({ size, kernel, stride, dilation, pad }: Axis, out: number): number[] {
  const all = Array.from({ length: kernel }, (_, k) => out * stride - pad + k * dilation);
  return all.filter((i) => i >= 0 && i < size);
}

/** The first of them; the axis' size where there is none. */
function firstCovered({ size, kernel, stride, dilation, pad }: Axis, out: number): number {
  const start = out * stride - pad;
  const skipped = start >= 0 ? 0 : Math.ceil(-start / dilation);
  return skipped < kernel ? Math.min(size, start + skipped * dilation) : size;
}

/**
 * d(output, input) of docs/architecture.md, in bytes: the input may lie above the output from this distance on.
 * The output's size is plain non-overlap.
 */
export function overlapDistance(model: FileModel, node: FileNode, input: number): number {
  const bytes = fileTensorBytes(model.tensors[node.outputs[0]]);
  const elements = elementOrderOf(model, node, input);
  if (elements) return Math.min(bytes, elementDistance(elements));
  const raster = rasterOf(model, node, input);
  return raster ? Math.min(bytes, rasterDistance(raster)) : bytes;
}

/** An element is read before the one made from it is written, and never again. */
function elementDistance({ inBytes, outBytes, reads }: ElementOrder): number {
  let distance = 0;
  let next = 0;
  const inputs = reads.reduce((most, r) => Math.max(most, r + 1), 0);
  for (let e = 0; e < reads.length; e++) {
    if (reads[e] >= 0) next = reads[e] + 1;
    if (next < inputs) distance = Math.max(distance, (e + 1) * outBytes - next * inBytes);
  }
  return distance;
}

function rasterDistance({ rows, columns, inPixelBytes, outPixelBytes }: Raster): number {
  let distance = 0;
  // From the last pixel back: the least that is still read by a pixel or one after it.
  let least = Number.POSITIVE_INFINITY;
  for (let y = rows.out - 1; y >= 0; y--) {
    const row = firstCovered(rows, y);
    for (let x = columns.out - 1; x >= 0; x--) {
      const column = firstCovered(columns, x);
      if (row < rows.size && column < columns.size)
        least = Math.min(least, (row * columns.size + column) * inPixelBytes);
      if (least < Number.POSITIVE_INFINITY)
        distance = Math.max(distance, (y * columns.out + x + 1) * outPixelBytes - least);
    }
  }
  return distance;
}
