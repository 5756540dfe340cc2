/** Normalisation layers and the softmax family. */
import { TidemarkError } from '../../../errors.ts';
import { elementCount } from '../../../graph/graph.ts';
import {
  axisIn,
  combined,
  constant,
  constantInput,
  emit,
  type Importer,
  input,
  mapped,
  type NodeContext,
  orderFor,
  placed,
  refuse,
  scalar,
} from '../node-context.ts';
import { liesIn, place, reshaped, type Value } from '../value.ts';

/** The value with its spatial dimensions made one, where there are more than two: `[N, C, L]`. */
function withChannels(c: NodeContext, x: Value): Value {
  if (x.shape.length <= 4 && x.shape.length >= 2) return x;
  if (x.shape.length === 1) return reshaped(c.b, x, [x.shape[0], 1]);
  return reshaped(c.b, x, [x.shape[0], x.shape[1], elementCount(x.shape.slice(2))]);
}

/** y = x * scale[c] + shift[c], for dimension 1 of x. */
export function channelAffine(
  c: NodeContext,
  x: Value,
  scale: readonly number[],
  shift: readonly number[],
  output: number | string = 0,
): Value {
  const flat = withChannels(c, x);
  const made = emit(
    c,
    'ChannelAffine',
    [place(c.b, flat, 'last')],
    { scale, shift },
    { order: 'last', type: x.type, output },
  );
  return reshaped(c.b, made, x.shape);
}

const batchNormalization: Importer = (c) => {
  const x = input(c, 0);
  if (c.attrs.int('training_mode', 0) !== 0) refuse('BatchNormalization in training mode is not supported');
  if (c.attrs.int('spatial', 1) !== 1) refuse('BatchNormalization with spatial = 0 is not supported');
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) =>
    constantInput(c, i, 'a parameter of BatchNormalization'),
  );
  const channels = x.shape.length > 1 ? x.shape[1] : 1;
  for (const list of [scale, bias, mean, variance]) {
    if (list?.length !== channels) {
      throw new TidemarkError(
        'shape-mismatch',
        `a parameter has ${list?.length ?? 0} values, the input ${channels} channels`,
      );
    }
  }
  const epsilon = c.attrs.float('epsilon', 1e-5);
  const factor = Array.from(scale!, (s, i) => s / Math.sqrt(variance![i] + epsilon));
  const shift = factor.map((f, i) => bias![i] - mean![i] * f);
  return [channelAffine(c, x, factor.map(Math.fround), shift.map(Math.fround))];
};

const instanceNormalization: Importer = (c) => {
  const x = input(c, 0);
  const epsilon = c.attrs.float('epsilon', 1e-5);
  const tensors = [
    place(c.b, withChannels(c, x), 'last'),
    place(c.b, input(c, 1), 'file'),
    place(c.b, input(c, 2), 'file'),
  ];
  const made = emit(c, 'InstanceNormalization', tensors, { epsilon }, { order: 'last', type: x.type });
  return [reshaped(c.b, made, x.shape)];
};

/** Each group normalised as one channel, then scaled by group (operator set 18) or by channel (21). */
const groupNormalization: Importer = (c) => {
  const x = input(c, 0);
  const groups = c.attrs.int('num_groups', 1);
  const channels = x.shape[1];
  const scale = constantInput(c, 1, 'scale');
  const bias = constantInput(c, 2, 'bias');
  if (!scale || !bias || channels % groups !== 0)
    throw new TidemarkError('operator-invalid', `${channels} channels do not make ${groups} groups`);
  const parts = reshaped(c.b, x, [x.shape[0], groups, elementCount(x.shape.slice(1)) / groups]);
  const ones = constant(c, [groups], new Float32Array(groups).fill(1));
  const zeros = constant(c, [groups], new Float32Array(groups));
  const made = emit(
    c,
    'InstanceNormalization',
    [place(c.b, parts, 'last'), place(c.b, ones, 'file'), place(c.b, zeros, 'file')],
    { epsilon: c.attrs.float('epsilon', 1e-5) },
    { order: 'last', type: x.type, output: 'groups' },
  );
  const of = (list: ArrayLike<number>) =>
    Array.from(
      { length: channels },
      (_, i) => list[list.length === channels ? i : Math.floor((i * groups) / channels)],
    );
  return [channelAffine(c, reshaped(c.b, made, x.shape), of(scale), of(bias))];
};

const layerNormalization: Importer = (c) => {
  const x = input(c, 0);
  const axis = axisIn(c.attrs.int('axis', -1), x.shape.length);
  const epsilon = c.attrs.float('epsilon', 1e-5);
  const inner = elementCount(x.shape.slice(axis));
  const rows = reshaped(c.b, x, [...x.shape.slice(0, axis), inner]);
  const flat = (v: Value | undefined) => v && place(c.b, reshaped(c.b, v, [inner]), 'file');
  const tensors = [place(c.b, rows, 'file'), flat(c.inputs[1]), flat(c.inputs[2])];
  const made = reshaped(
    c.b,
    emit(c, 'LayerNormalization', tensors, { axis, epsilon }, { type: x.type }),
    x.shape,
  );
  return c.outputs.length === 1 ? [made] : [made, ...statistics(c, rows, axis, epsilon, x.shape)];
};

/** The further outputs of LayerNormalization: mean and inverse standard deviation of each row. */
function statistics(
  c: NodeContext,
  rows: Value,
  axis: number,
  epsilon: number,
  shape: readonly number[],
): Value[] {
  const kept = shape.map((d, i) => (i < axis ? d : 1));
  const mean = (v: Value, output: number | string) =>
    emit(
      c,
      'ReduceMean',
      [place(c.b, v, 'file')],
      { axes: [axis], keepDims: true },
      { type: v.type, output },
    );
  const centre = mean(rows, 1);
  const away = combined(c, 'Sub', [rows, centre], {}, { output: 'centred' });
  const variance = mean(combined(c, 'Mul', [away, away], {}, { output: 'squares' }), 'variance');
  const shifted = combined(c, 'Add', [variance, scalar(c, epsilon)], {}, { output: 'bounded' });
  const inverse = mapped(c, 'Rsqrt', shifted, {}, { output: 2 });
  return [reshaped(c.b, centre, kept), reshaped(c.b, inverse, kept)];
}

/** (x - mean) / (standard deviation + 1e-9) over `axes`, composed. */
const meanVarianceNormalization: Importer = (c) => {
  const x = input(c, 0);
  const rank = x.shape.length;
  const order = orderFor([x], rank);
  const axes = (c.attrs.ints('axes') ?? [0, 2, 3])
    .map((a) => placed(axisIn(a, rank), rank, order))
    .sort((a, b) => a - b);
  const mean = (v: Value, output: string) =>
    emit(c, 'ReduceMean', [place(c.b, v, order)], { axes, keepDims: true }, { order, type: x.type, output });
  const centred = combined(c, 'Sub', [x, mean(x, 'mean')], {}, { output: 'centred' });
  const variance = mean(combined(c, 'Mul', [centred, centred], {}, { output: 'squares' }), 'variance');
  const deviation = mapped(c, 'Sqrt', variance, {}, { output: 'deviation' });
  const bounded = combined(c, 'Add', [deviation, scalar(c, 1e-9)], {}, { output: 'bounded' });
  return [combined(c, 'Div', [centred, bounded])];
};

const lrn: Importer = (c) => {
  const x = input(c, 0);
  const attrs = {
    size: c.attrs.int('size', 1),
    alpha: c.attrs.float('alpha', 1e-4),
    beta: c.attrs.float('beta', 0.75),
    bias: c.attrs.float('bias', 1),
  };
  return [emit(c, 'LRN', [place(c.b, x, 'last')], attrs, { order: 'last', type: x.type })];
};

const lpNormalization: Importer = (c) => {
  const x = input(c, 0);
  const rank = x.shape.length;
  const order = orderFor([x], rank);
  const axis = placed(axisIn(c.attrs.int('axis', -1), rank), rank, order);
  return [
    emit(
      c,
      'LpNormalization',
      [place(c.b, x, order)],
      { axis, p: c.attrs.int('p', 2) },
      { order, type: x.type },
    ),
  ];
};

/** Softmax, LogSoftmax, Hardmax: over one axis since operator set 13, over all axes from it on before. */
function overAxis(kind: string): Importer {
  return (c) => {
    const x = input(c, 0);
    const rank = x.shape.length;
    const axis = axisIn(c.attrs.int('axis', c.opset < 13 ? 1 : -1), rank);
    const extra: Record<string, number> = kind === 'Hardmax' ? {} : { beta: 1 };
    const inner = x.shape.map((d, i) => ({ d, i })).filter(({ d, i }) => d > 1 && i >= axis);
    if (c.opset >= 13 || inner.length <= 1) {
      const only = c.opset >= 13 ? axis : (inner[0]?.i ?? axis);
      return [alongAxis(c, kind, x, only, extra)];
    }
    const rows = elementCount(x.shape.slice(0, axis));
    const flat = reshaped(c.b, x, [rows, elementCount(x.shape.slice(axis))]);
    const made = emit(c, kind, [place(c.b, flat, 'file')], { axis: 1, ...extra }, { type: x.type });
    return [reshaped(c.b, made, x.shape)];
  };
}

/** In the order at hand: where that puts the axis last, each pixel is on its own. */
function alongAxis(
  c: NodeContext,
  kind: string,
  x: Value,
  axis: number,
  extra: Record<string, number>,
): Value {
  const { atoms, dims } = x.view;
  const scattered = !liesIn(x, 'file') && !liesIn(x, 'last') && !x.dequantise;
  if (scattered && dims[axis].length === 1 && dims[axis][0] === atoms.length - 1) {
    const tensor = x.source.tensor;
    const last = tensor.shape.length - 1;
    if (tensor.shape[last] === x.shape[axis]) {
      return {
        ...emit(c, kind, [tensor], { axis: last, ...extra }, { type: x.type }),
        shape: x.shape,
        view: x.view,
      };
    }
  }
  const rank = x.shape.length;
  const order = orderFor([x], rank);
  return emit(
    c,
    kind,
    [place(c.b, x, order)],
    { axis: placed(axis, rank, order), ...extra },
    { order, type: x.type },
  );
}

export const normalisationImporters: Record<string, Importer> = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  LayerNormalization: layerNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
  LRN: lrn,
  LpNormalization: lpNormalization,
  Softmax: overAxis('Softmax'),
  LogSoftmax: overAxis('LogSoftmax'),
  Hardmax: overAxis('Hardmax'),
};
