/** Convolutions and pools. The picture is channels last; a 1-D signal is a picture of width one. */
import { TidemarkError } from '../../../errors.ts';
import type { Tensor } from '../../../graph/graph.ts';
import type { OutputType } from '../../../ops/operator.ts';
import { emit, type Importer, input, mapped, type NodeContext, refuse } from '../node-context.ts';
import { place, reshaped, transposed, type Value } from '../value.ts';

/** Dimensions after batch and channels. */
export function spatialRank(value: Value): number {
  const rank = value.shape.length - 2;
  if (rank === 1 || rank === 2) return rank;
  refuse(
    `windows over a value of shape [${value.shape}] are not supported: expected one or two spatial dimensions`,
  );
}

/** `[N, C, L]` as `[N, C, L, 1]`. */
export function asPicture(c: NodeContext, value: Value): Value {
  return value.shape.length === 3 ? reshaped(c.b, value, [...value.shape, 1]) : value;
}

/** The result back in the rank of the input. */
export function fromPicture(c: NodeContext, value: Value, spatial: number): Value {
  return spatial === 1 ? reshaped(c.b, value, value.shape.slice(0, 3)) : value;
}

export interface WindowAttributes {
  readonly kernel: number[];
  readonly stride: number[];
  readonly dilation: number[];
  /** top, left, bottom, right */
  readonly pads: number[];
}

function pair(name: string, list: number[] | undefined, spatial: number, otherwise: number): number[] {
  const values = list && list.length > 0 ? list : new Array(spatial).fill(otherwise);
  if (values.length !== spatial || values.some((v) => v < (name === 'pads' ? 0 : 1))) {
    throw new TidemarkError(
      'operator-invalid',
      `${name} is [${values}], expected ${spatial} positive numbers`,
    );
  }
  return spatial === 1 ? [values[0], otherwise] : values;
}

/** kernel, stride, dilation and pads in two dimensions; auto_pad resolved. */
export function windowAttributes(
  c: NodeContext,
  shape: readonly number[],
  kernelShape: readonly number[],
): WindowAttributes {
  const spatial = shape.length - 2;
  const kernel = pair('kernel_shape', [...kernelShape], spatial, 1);
  const stride = pair('strides', c.attrs.ints('strides'), spatial, 1);
  const dilation = pair('dilations', c.attrs.ints('dilations'), spatial, 1);
  const auto = c.attrs.string('auto_pad', 'NOTSET') || 'NOTSET';
  let before = [0, 0];
  let after = [0, 0];
  if (auto === 'NOTSET') {
    const pads = c.attrs.ints('pads') ?? [];
    if (pads.length !== 0 && pads.length !== 2 * spatial) {
      throw new TidemarkError('operator-invalid', `pads is [${pads}], expected ${2 * spatial} numbers`);
    }
    if (pads.some((p) => p < 0)) refuse('negative pads of a window are not supported');
    before = [pads[0] ?? 0, spatial === 2 ? (pads[1] ?? 0) : 0];
    after = [pads[spatial] ?? 0, spatial === 2 ? (pads[3] ?? 0) : 0];
  } else if (auto !== 'VALID') {
    const sizes = [shape[2], shape[3] ?? 1];
    for (const i of [0, 1]) {
      const output = Math.ceil(sizes[i] / stride[i]);
      const total = Math.max(0, (output - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 - sizes[i]);
      const small = Math.floor(total / 2);
      before[i] = auto === 'SAME_LOWER' ? total - small : small;
      after[i] = total - before[i];
    }
  }
  return { kernel, stride, dilation, pads: [before[0], before[1], after[0], after[1]] };
}

/** `[Cout, Cin / groups, kh, kw]` as `[Cout, kh, kw, Cin / groups]`. */
function convWeights(c: NodeContext, weights: Value): Tensor {
  return place(c.b, asPicture(c, weights), 'last');
}

/** One convolution; `given` is the declared output type where it is quantised. */
export function convolution(
  c: NodeContext,
  x: Value,
  weights: Value,
  bias: Value | undefined,
  given?: Omit<OutputType, 'shape'>,
): Value {
  const spatial = spatialRank(x);
  if (weights.shape.length !== x.shape.length) {
    throw new TidemarkError(
      'shape-mismatch',
      `weights [${weights.shape}] do not fit an input of shape [${x.shape}]`,
    );
  }
  const groups = c.attrs.int('group', 1);
  if (weights.shape[1] * groups !== x.shape[1] || groups < 1 || weights.shape[0] % groups !== 0) {
    throw new TidemarkError(
      'shape-mismatch',
      `weights [${weights.shape}] with ${groups} groups do not fit an input of ${x.shape[1]} channels`,
    );
  }
  const { stride, dilation, pads } = windowAttributes(c, x.shape, weights.shape.slice(2));
  const tensors = [
    place(c.b, asPicture(c, x), 'last'),
    convWeights(c, weights),
    bias && place(c.b, bias, 'file'),
  ];
  const type = x.type;
  const made = emit(
    c,
    'Conv',
    tensors,
    { stride, dilation, pads, groups },
    {
      order: 'last',
      type,
      given: given && {
        ...given,
        shape: convShape(x, weights, { stride, dilation, pads, kernel: weights.shape.slice(2) }),
      },
    },
  );
  return fromPicture(c, made, spatial);
}

function convShape(x: Value, w: Value, { stride, dilation, pads }: WindowAttributes): number[] {
  const size = [x.shape[2], x.shape[3] ?? 1];
  const kernel = [w.shape[2], w.shape[3] ?? 1];
  const out = size.map(
    (n, i) => Math.floor((n + pads[i] + pads[i + 2] - dilation[i] * (kernel[i] - 1) - 1) / stride[i]) + 1,
  );
  return [x.shape[0], out[0], out[1], w.shape[0]];
}

const conv: Importer = (c) => [convolution(c, input(c, 0), input(c, 1), c.inputs[2])];

/** Weights `[Cin, Cout / groups, kh, kw]`; the graph wants `[Cout, kh, kw, Cin / groups]`. */
const convTranspose: Importer = (c) => {
  const x = input(c, 0);
  const w = input(c, 1);
  const spatial = spatialRank(x);
  const groups = c.attrs.int('group', 1);
  if (w.shape[0] !== x.shape[1] || groups < 1 || x.shape[1] % groups !== 0) {
    throw new TidemarkError(
      'shape-mismatch',
      `weights [${w.shape}] do not fit an input of ${x.shape[1]} channels`,
    );
  }
  const [cin, perGroup, ...kernelShape] = w.shape;
  const kernel = spatial === 1 ? [kernelShape[0], 1] : kernelShape;
  const parts = reshaped(c.b, w, [groups, cin / groups, perGroup, kernel[0], kernel[1]]);
  const turned = reshaped(c.b, transposed(parts, [0, 2, 3, 4, 1]), [
    groups * perGroup,
    kernel[0],
    kernel[1],
    cin / groups,
  ]);
  const { stride, dilation } = windowAttributes(c, x.shape, kernelShape);
  const { pads, outputPadding } = transposePads(c, x, kernel, stride, dilation);
  const made = emit(
    c,
    'ConvTranspose',
    [
      place(c.b, asPicture(c, x), 'last'),
      place(c.b, turned, 'file'),
      c.inputs[2] && place(c.b, c.inputs[2], 'file'),
    ],
    { stride, dilation, pads, groups, outputPadding },
    { order: 'last', type: x.type },
  );
  return [fromPicture(c, made, spatial)];
};

/** Pads of ConvTranspose: given, or what makes the output `output_shape` or (auto_pad) input times stride. */
function transposePads(
  c: NodeContext,
  x: Value,
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
) {
  const spatial = x.shape.length - 2;
  const extra = c.attrs.ints('output_padding') ?? [];
  const outputPadding = [extra[0] ?? 0, spatial === 2 ? (extra[1] ?? 0) : 0];
  const auto = c.attrs.string('auto_pad', 'NOTSET') || 'NOTSET';
  const wanted = c.attrs.ints('output_shape')?.slice(-spatial);
  const sizes = [x.shape[2], x.shape[3] ?? 1];
  const full = sizes.map(
    (n, i) => stride[i] * (n - 1) + outputPadding[i] + (kernel[i] - 1) * dilation[i] + 1,
  );
  if (!wanted && (auto === 'NOTSET' || auto === 'VALID')) {
    const given = auto === 'VALID' ? [] : (c.attrs.ints('pads') ?? []);
    const pads = [
      given[0] ?? 0,
      spatial === 2 ? (given[1] ?? 0) : 0,
      given[spatial] ?? 0,
      spatial === 2 ? (given[3] ?? 0) : 0,
    ];
    return { pads, outputPadding };
  }
  const target = sizes.map((n, i) => wanted?.[i] ?? (i < spatial ? n * stride[i] : 1));
  const total = full.map((n, i) => Math.max(0, n - target[i]));
  const start = total.map((t) => (auto === 'SAME_UPPER' ? Math.floor(t / 2) : t - Math.floor(t / 2)));
  for (const i of [0, 1]) outputPadding[i] += Math.max(0, target[i] - full[i]);
  return { pads: [start[0], start[1], total[0] - start[0], total[1] - start[1]], outputPadding };
}

function pool(kind: 'MaxPool' | 'AveragePool'): Importer {
  return (c) => {
    const x = input(c, 0);
    const spatial = spatialRank(x);
    if (c.outputs[1]) refuse('the Indices output of MaxPool is not supported');
    const window = windowAttributes(c, x.shape, c.attrs.ints('kernel_shape') ?? []);
    const ceil = c.attrs.int('ceil_mode', 0) === 1;
    const attrs =
      kind === 'MaxPool'
        ? { ...window, ceil }
        : { ...window, ceil, countPad: c.attrs.int('count_include_pad', 0) !== 0 };
    const made = emit(c, kind, [place(c.b, asPicture(c, x), 'last')], attrs, { order: 'last', type: x.type });
    return [fromPicture(c, made, spatial)];
  };
}

function globalPool(kind: 'ReduceMean' | 'ReduceMax'): Importer {
  return (c) => {
    const x = input(c, 0);
    if (x.shape.length < 3)
      refuse(`an input of shape [${x.shape}]; expected pictures, channels and one direction or more`);
    const ones: number[] = new Array(x.shape.length - 2).fill(1);
    const flat =
      x.shape.length === 4
        ? x
        : reshaped(c.b, x, [x.shape[0], x.shape[1], x.shape.slice(2).reduce((a, d) => a * d, 1), 1]);
    const made = emit(
      c,
      kind,
      [place(c.b, flat, 'last')],
      { axes: [1, 2], keepDims: true },
      { order: 'last', type: x.type },
    );
    return [reshaped(c.b, made, [x.shape[0], x.shape[1], ...ones])];
  };
}

const ACTIVATIONS: Record<string, (c: NodeContext, x: Value) => Value> = {
  Relu: (c, x) => mapped(c, 'Clip', x, { min: 0, max: null }, { output: 'activation' }),
  Sigmoid: (c, x) => mapped(c, 'Sigmoid', x, {}, { output: 'activation' }),
  Tanh: (c, x) => mapped(c, 'Tanh', x, {}, { output: 'activation' }),
  LeakyRelu: (c, x) =>
    mapped(
      c,
      'LeakyRelu',
      x,
      { alpha: c.attrs.floats('activation_params')?.[0] ?? 0.01 },
      { output: 'activation' },
    ),
  Clip: (c, x) => {
    const [min = null, max = null] = c.attrs.floats('activation_params') ?? [];
    return mapped(c, 'Clip', x, { min, max }, { output: 'activation' });
  },
  HardSigmoid: (c, x) => {
    const [alpha = 0.2, beta = 0.5] = c.attrs.floats('activation_params') ?? [];
    return mapped(c, 'HardSigmoid', x, { alpha, beta }, { output: 'activation' });
  },
};

/** ONNX Runtime's convolution with an activation behind it. */
const fusedConv: Importer = (c) => {
  if (c.inputs[3]) refuse('FusedConv with a summand is not supported');
  const [y] = conv(c);
  const activation = c.attrs.string('activation', '');
  if (activation === '') return [y];
  const apply = ACTIVATIONS[activation] ?? refuse(`FusedConv with activation ${activation} is not supported`);
  return [apply(c, y)];
};

/** A pool over a channels-last file tensor. */
const nhwcMaxPool: Importer = (c) => {
  const x = transposed(input(c, 0), [0, 3, 1, 2]);
  const [y] = pool('MaxPool')({ ...c, inputs: [x] });
  return [transposed(y, [0, 2, 3, 1])];
};

export const windowImporters: Record<string, Importer> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool('MaxPool'),
  AveragePool: pool('AveragePool'),
  GlobalAveragePool: globalPool('ReduceMean'),
  GlobalMaxPool: globalPool('ReduceMax'),
  'com.microsoft:FusedConv': fusedConv,
  'com.microsoft:NhwcMaxPool': nhwcMaxPool,
};
