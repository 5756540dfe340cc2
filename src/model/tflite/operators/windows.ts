/** Operators that slide a window: convolutions, pooling, resizing. */
import { TidemarkError } from '../../../errors.ts';
import { lazyConstant, type Tensor } from '../../../graph/graph.ts';
import { realWeights } from '../hybrid.ts';
import { finish, type Importer, input, type Node, numbers } from '../importer.ts';
import {
  bilinearOptions,
  blockOptions,
  conv2dOptions,
  depthwiseOptions,
  nearestOptions,
  type Padding,
  pool2dOptions,
  transposeConvOptions,
} from '../schema.ts';

type Pair = readonly [number, number];

/** Height and width of a picture; throws where the tensor is not `[N, H, W, C]`. */
function picture(x: Tensor): Pair {
  if (x.shape.length !== 4) {
    throw new TidemarkError('shape-mismatch', `tensor ${x.name} is [${x.shape}]; expected [N, H, W, C]`);
  }
  return [x.shape[1], x.shape[2]];
}

function positive(what: string, values: readonly number[]): void {
  if (values.some((v) => v < 1))
    throw new TidemarkError('operator-invalid', `its ${what} is [${values}]; expected at least 1`);
}

/**
 * Explicit pads `[top, left, bottom, right]`. SAME makes ceil(size / stride) outputs, and an odd pixel of padding
 * goes below and to the right (tensorflow/lite/kernels/padding.h).
 */
export function explicitPads(
  padding: Padding,
  size: Pair,
  kernel: Pair,
  stride: Pair,
  dilation: Pair,
): number[] {
  if (padding === 'valid') return [0, 0, 0, 0];
  const total = [0, 1].map((i) => {
    const outputs = Math.ceil(size[i] / stride[i]);
    return Math.max(0, (outputs - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 - size[i]);
  });
  const before = total.map((t) => t >> 1);
  return [...before, total[0] - before[0], total[1] - before[1]];
}

function windowOf(
  node: Node,
  x: Tensor,
  kernel: Pair,
  options: { padding: Padding; stride: Pair; dilation: Pair },
) {
  positive('stride', options.stride);
  positive('dilation', options.dilation);
  const { dilated } = node.file;
  return {
    stride: [...options.stride],
    dilation: [...(dilated?.dilation ?? options.dilation)],
    pads: [
      ...(dilated?.pads ??
        explicitPads(options.padding, picture(x), kernel, options.stride, options.dilation)),
    ],
  };
}

const conv2d: Importer = (node) => {
  const options = conv2dOptions(node.file.options);
  const [x, w] = [input(node, 0), realWeights(node, input(node, 0), input(node, 1))];
  picture(x);
  const [kh, kw] = picture(w);
  // A filter with fewer channels than the input is a grouped convolution.
  const groups = x.shape[3] / w.shape[3];
  if (!Number.isInteger(groups)) {
    throw new TidemarkError(
      'shape-mismatch',
      `weights for ${w.shape[3]} channels on an input of ${x.shape[3]}`,
    );
  }
  const attrs = { ...windowOf(node, x, [kh, kw], options), groups };
  return finish(node, 'Conv', [x, w, node.inputs[2]], attrs, options);
};

const depthwise: Importer = (node) => {
  const options = depthwiseOptions(node.file.options);
  const [x, file] = [input(node, 0), realWeights(node, input(node, 0), input(node, 1))];
  picture(x);
  const [kh, kw] = picture(file);
  const attrs = { ...windowOf(node, x, [kh, kw], options), groups: x.shape[3] };
  return finish(node, 'Conv', [x, channelsFirst(node, file), node.inputs[2]], attrs, options);
};

/** Depthwise weights stand as `[1, kh, kw, Cout]` in the file and as `[Cout, kh, kw, 1]` in the graph. */
function channelsFirst(node: Node, w: Tensor): Tensor {
  const [batch, kh, kw, channels] = w.shape;
  if (batch !== 1)
    throw new TidemarkError(
      'shape-mismatch',
      `depthwise weights [${w.shape}]; expected [1, kh, kw, channels]`,
    );
  const { constant } = w;
  if (!constant)
    return node.builder.op('Transpose', [w], { perm: [3, 1, 2, 0] }, { name: `${node.name}:weights` });
  const quant = w.quant && { ...w.quant, axis: 0 };
  return node.builder.tensor(
    w.name,
    [channels, kh, kw, 1],
    { dtype: w.dtype, quant },
    lazyConstant(() => {
      const from = constant.load();
      const to = from.slice();
      const taps = kh * kw;
      for (let t = 0; t < taps; t++)
        for (let c = 0; c < channels; c++) to[c * taps + t] = from[t * channels + c];
      return to;
    }),
  );
}

const transposeConv: Importer = (node) => {
  const options = transposeConvOptions(node.file.options);
  const x = input(node, 2);
  const w = realWeights(node, x, input(node, 1));
  const size = numbers(node, 0, 'output shape');
  if (size.length !== 4)
    throw new TidemarkError('operator-invalid', `its output shape is [${size}]; expected four numbers`);
  positive('stride', options.stride);
  const [from, kernel, stride] = [picture(x), picture(w), options.stride];
  const out: Pair = [size[1], size[2]];
  // The pads are those of the convolution that this one is the transpose of: from the output to the input.
  const before = explicitPads(options.padding, out, kernel, stride, [1, 1]).slice(0, 2);
  const rest = [0, 1].map((i) => (from[i] - 1) * stride[i] + kernel[i] - before[i] - out[i]);
  const attrs = {
    stride: [...stride],
    dilation: [1, 1],
    pads: [...before, Math.max(0, rest[0]), Math.max(0, rest[1])],
    groups: 1,
    outputPadding: rest.map((r) => Math.max(0, -r)),
  };
  return finish(node, 'ConvTranspose', [x, w, node.inputs[3]], attrs, options);
};

function pool(kind: 'MaxPool' | 'AveragePool'): Importer {
  return (node) => {
    const options = pool2dOptions(node.file.options);
    const x = input(node, 0);
    positive('kernel', options.kernel);
    const window = windowOf(node, x, options.kernel, { ...options, dilation: [1, 1] });
    const attrs = { kernel: [...options.kernel], ...window, ceil: false };
    return finish(node, kind, [x], kind === 'AveragePool' ? { ...attrs, countPad: false } : attrs, options);
  };
}

function resize(mode: 'linear' | 'nearest'): Importer {
  return (node) => {
    const { alignCorners, halfPixel } = (mode === 'linear' ? bilinearOptions : nearestOptions)(
      node.file.options,
    );
    const x = input(node, 0);
    const size = numbers(node, 1, 'output size');
    if (size.length !== 2)
      throw new TidemarkError('operator-invalid', `its output size is [${size}]; expected height and width`);
    positive('output size', size);
    const [h, w] = picture(x);
    const half = mode === 'linear' ? 'half_pixel' : 'tf_half_pixel_for_nn';
    return finish(node, 'Resize', [x], {
      size,
      scales: [size[0] / h, size[1] / w],
      mode,
      coordinates: alignCorners ? 'align_corners' : halfPixel ? half : 'asymmetric',
      // Aligned corners round to the nearest, halves away from zero; everything else rounds down.
      nearest: alignCorners ? 'round_prefer_ceil' : 'floor',
      cubicA: -0.75,
      excludeOutside: false,
      antialias: false,
    });
  };
}

function rearrange(kind: 'DepthToSpace' | 'SpaceToDepth'): Importer {
  return (node) => {
    const { block } = blockOptions(node.file.options);
    positive('block size', [block]);
    picture(input(node, 0));
    return finish(node, kind, [input(node, 0)], { block, order: 'DCR' });
  };
}

export const windows: Record<string, Importer> = {
  CONV_2D: conv2d,
  DEPTHWISE_CONV_2D: depthwise,
  TRANSPOSE_CONV: transposeConv,
  MAX_POOL_2D: pool('MaxPool'),
  AVERAGE_POOL_2D: pool('AveragePool'),
  RESIZE_BILINEAR: resize('linear'),
  RESIZE_NEAREST_NEIGHBOR: resize('nearest'),
  DEPTH_TO_SPACE: rearrange('DepthToSpace'),
  SPACE_TO_DEPTH: rearrange('SpaceToDepth'),
};
