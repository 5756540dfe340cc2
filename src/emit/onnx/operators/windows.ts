/** Convolutions, pools, Resize and the block moves: channels first. */
import { TidemarkError } from '../../../errors.ts';
import { ABSENT, type Quantisation, type Tensor } from '../../../graph/graph.ts';
import {
  aside,
  type EmitContext,
  type Emitter,
  first,
  inputTensor,
  main,
  numbers,
  outputTensor,
} from '../emitter.ts';
import { fileAxis, rearranged } from '../layout.ts';

const { fround } = Math;

function windowAttributes({ attrs }: EmitContext) {
  return { strides: numbers(attrs.stride), dilations: numbers(attrs.dilation), pads: numbers(attrs.pads) };
}

/** The bias as real numbers: its scale is the product of its operands' scales, whatever it says itself. */
export function biasOf(c: EmitContext): string[] {
  const id = c.op.inputs[2] ?? ABSENT;
  if (id === ABSENT) return [];
  const b = c.values.tensor(id);
  const x = inputTensor(c, 0);
  const w = inputTensor(c, 1);
  if (b.dtype !== 'i32' || !x.quant || !w.quant) return [c.values.real(id, 'last')];
  const scale = w.quant.scale.map((s) => fround(fround(x.quant!.scale[0]) * fround(s)));
  const quant: Quantisation = { scale, zeroPoint: scale.map(() => 0), axis: 0 };
  return [c.values.dequantised(c.values.stored(id, 'last'), { dtype: 'i32', quant }, 0, b.name)];
}

/** Sums of products that leave as bare integers have no QDQ form. */
export function refuseBareSums(c: EmitContext): void {
  const y = outputTensor(c);
  if (inputTensor(c, 0).quant && !y.quant && y.dtype !== 'f32') {
    throw new TidemarkError(
      'type-unsupported',
      `operator ${c.op.name} (${c.op.kind}): an unquantised ${y.dtype} sum cannot be written as ONNX`,
    );
  }
}

const conv: Emitter = (c) => {
  refuseBareSums(c);
  const [x, w] = c.op.inputs.map((id) => (id === ABSENT ? '' : c.values.real(id, 'first')));
  const kernel = inputTensor(c, 1).shape.slice(1, 3);
  const attrs = { ...windowAttributes(c), group: Number(c.attrs.groups ?? 1), kernel_shape: kernel };
  return first(main(c, 'Conv', [x, w, ...biasOf(c)], attrs));
};

/** From `[Cout, kh, kw, Cin / groups]` to ONNX's `[Cin, Cout / groups, kh, kw]`. */
function transposedWeights(c: EmitContext, w: Tensor, groups: number): string {
  const { nodes } = c.values;
  const [cout, kh, kw, cin] = w.shape;
  const shape = [cin * groups, cout / groups, kh, kw];
  if (!w.constant) {
    const split = aside(c, 'Reshape', [
      c.values.real(w.id, 'last'),
      nodes.integers([groups, cout / groups, kh, kw, cin]),
    ]);
    const turned = aside(c, 'Transpose', [split], { perm: [0, 4, 1, 2, 3] });
    return aside(c, 'Reshape', [turned, nodes.integers(shape)]);
  }
  const values = rearranged(w.constant.load(), [groups, cout / groups, kh, kw, cin], [0, 4, 1, 2, 3]);
  const perChannel = w.quant !== undefined && w.quant.scale.length > 1;
  if (!perChannel || groups === 1) {
    const stored = nodes.initializer(w.name, shape, values, w.dtype);
    return w.quant ? c.values.dequantised(stored, w, 1, w.name) : stored;
  }
  // The scales of a group's channels repeat over its inputs: no single axis holds them, so the numbers are written.
  const { scale, zeroPoint } = w.quant!;
  const each = (cout / groups) * kh * kw;
  const real = Float32Array.from(values, (q, i) => {
    const group = Math.floor(i / (each * cin));
    const channel = group * (cout / groups) + Math.floor((i % each) / (kh * kw));
    return fround(fround(scale[channel]) * (q - zeroPoint[channel]));
  });
  return nodes.initializer(w.name, shape, real, 'f32');
}

const convTranspose: Emitter = (c) => {
  refuseBareSums(c);
  const group = Number(c.attrs.groups ?? 1);
  const w = inputTensor(c, 1);
  const inputs = [c.values.real(c.op.inputs[0], 'first'), transposedWeights(c, w, group), ...biasOf(c)];
  const attrs = {
    ...windowAttributes(c),
    group,
    kernel_shape: w.shape.slice(1, 3),
    output_padding: numbers(c.attrs.outputPadding),
  };
  return first(main(c, 'ConvTranspose', inputs, attrs));
};

function pool(opType: 'MaxPool' | 'AveragePool'): Emitter {
  return (c) => {
    const { dilations, ...window } = windowAttributes(c);
    const common = { ...window, kernel_shape: numbers(c.attrs.kernel), ceil_mode: c.attrs.ceil ? 1 : 0 };
    const dilated = opType === 'MaxPool' || dilations.some((d) => d !== 1) ? { dilations } : {};
    const counted = opType === 'AveragePool' ? { count_include_pad: c.attrs.countPad ? 1 : 0 } : {};
    return first(
      main(c, opType, [c.values.real(c.op.inputs[0], 'first')], { ...common, ...dilated, ...counted }),
    );
  };
}

const resize: Emitter = (c) => {
  const { attrs } = c;
  const { nodes } = c.values;
  const [n, h, w, channels] = inputTensor(c, 0).shape;
  const size = numbers(attrs.size);
  const scales = attrs.scales ? numbers(attrs.scales).map(fround) : undefined;
  const byScale = scales && Math.floor(h * scales[0]) === size[0] && Math.floor(w * scales[1]) === size[1];
  // Sizes alone say how they came about only where they are the scales' exact result.
  const exact = scales?.every((scale, i) => Math.abs(scale * [h, w][i] - size[i]) < 1e-4 * size[i]) ?? true;
  if (!byScale && !exact && attrs.coordinates !== 'align_corners')
    throw new TidemarkError(
      'operator-unsupported',
      `scales [${scales}] from [${h},${w}] to [${size}] have no ONNX form`,
    );
  const target = byScale ? [nodes.floats([1, 1, ...scales])] : ['', nodes.integers([n, channels, ...size])];
  const mode = String(attrs.mode);
  return first(
    main(c, 'Resize', [c.values.real(c.op.inputs[0], 'first'), '', ...target], {
      mode,
      coordinate_transformation_mode: String(attrs.coordinates),
      nearest_mode: mode === 'nearest' ? String(attrs.nearest) : undefined,
      cubic_coeff_a: mode === 'cubic' ? { float: Number(attrs.cubicA) } : undefined,
      exclude_outside: attrs.excludeOutside ? 1 : undefined,
      antialias: attrs.antialias ? 1 : undefined,
    }),
  );
};

const depthToSpace: Emitter = (c) => {
  const attrs = { blocksize: Number(c.attrs.block), mode: String(c.attrs.order) };
  return first(main(c, 'DepthToSpace', [c.values.real(c.op.inputs[0], 'first')], attrs));
};

const spaceToDepth: Emitter = (c) => {
  const x = c.values.real(c.op.inputs[0], 'first');
  const b = Number(c.attrs.block);
  if (c.attrs.order !== 'CRD') return first(main(c, 'SpaceToDepth', [x], { blocksize: b }));
  // ONNX's own puts the block before the channels only.
  const { nodes } = c.values;
  const [n, h, w, channels] = inputTensor(c, 0).shape;
  const split = aside(c, 'Reshape', [x, nodes.integers([n, channels, h / b, b, w / b, b])]);
  const turned = aside(c, 'Transpose', [split], { perm: [0, 1, 3, 5, 2, 4] });
  return first(main(c, 'Reshape', [turned, nodes.integers([n, channels * b * b, h / b, w / b])]));
};

const channelShuffle: Emitter = (c) => {
  const { nodes } = c.values;
  const { shape } = inputTensor(c, 0);
  const groups = Number(c.attrs.groups);
  const rank = shape.length;
  const layout = rank === 4 ? 'first' : 'last';
  const at = fileAxis(rank - 1, rank, layout);
  const dims = layout === 'first' ? [shape[0], shape[3], shape[1], shape[2]] : [...shape];
  const split = [...dims.slice(0, at), groups, dims[at] / groups, ...dims.slice(at + 1)];
  const perm = split.map((_, i) => (i === at ? at + 1 : i === at + 1 ? at : i));
  const x = aside(c, 'Reshape', [c.values.real(c.op.inputs[0], layout), nodes.integers(split)]);
  return { value: main(c, 'Reshape', [aside(c, 'Transpose', [x], { perm }), nodes.integers(dims)]), layout };
};

export const windows: Readonly<Record<string, Emitter>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool('MaxPool'),
  AveragePool: pool('AveragePool'),
  Resize: resize,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  ChannelShuffle: channelShuffle,
};
