/** QuantizeLinear, DequantizeLinear and the operators that take scales and zero points as inputs. */
import { TidemarkError } from '../../../errors.ts';
import type { Quantisation } from '../../../graph/graph.ts';
import { type FileType, fileType, fileTypeNamed } from '../element-type.ts';
import {
  axisIn,
  combined,
  constantInput,
  countOf,
  emit,
  type Importer,
  input,
  mapped,
  type NodeContext,
  orderFor,
  placed,
  quantisedAs,
  refuse,
  scalar,
} from '../node-context.ts';
import { isConstant, place, preferredOrder, reshaped, type Value } from '../value.ts';

/** Scale and zero point from two inputs. Undefined when they are only known at run time. */
export function quantisation(
  c: NodeContext,
  scaleAt: number,
  zeroAt = scaleAt + 1,
): Omit<Quantisation, 'axis'> | undefined {
  const zero = c.inputs[zeroAt];
  if (!isConstant(input(c, scaleAt)) || (zero && !isConstant(zero))) return undefined;
  const scale = Array.from(constantInput(c, scaleAt, 'the scale')!);
  const zeros = zero ? Array.from(constantInput(c, zeroAt, 'the zero point')!) : [0];
  if (scale.length === 0 || scale.some((s) => !(s > 0) || !Number.isFinite(s))) {
    throw new TidemarkError('quantisation-invalid', 'a scale is not a positive number');
  }
  if (zeros.length !== scale.length && zeros.length !== 1) {
    throw new TidemarkError('quantisation-invalid', `${scale.length} scales and ${zeros.length} zero points`);
  }
  return { scale, zeroPoint: scale.map((_, i) => zeros[zeros.length === 1 ? 0 : i]) };
}

/** Scale and zero point that must be constants. */
function fixed(c: NodeContext, scaleAt: number, zeroAt = scaleAt + 1): Omit<Quantisation, 'axis'> {
  const quant = quantisation(c, scaleAt, zeroAt);
  if (!quant) refuse('a scale or zero point that is only known at run time is not supported here');
  return quant;
}

function perTensorOnly(quant: Omit<Quantisation, 'axis'>): Omit<Quantisation, 'axis'> {
  if (quant.scale.length !== 1) refuse('one scale per channel is only supported for weights here');
  return quant;
}

function checkBlocks(c: NodeContext): void {
  if (c.attrs.int('block_size', 0) !== 0) refuse('blocked quantisation is not supported');
}

/** The axis that scales run along; any when there is one scale. */
function quantisedAxis(c: NodeContext, x: Value): number {
  return countOf(input(c, 1)) === 1 ? 0 : axisIn(c.attrs.int('axis', 1), x.shape.length);
}

/** A list of per-axis numbers, shaped to broadcast along `axis`. */
function alongAxis(c: NodeContext, value: Value, x: Value, axis: number): Value {
  if (value.shape.length !== 1 || value.shape[0] === 1) return reshaped(c.b, value, []);
  return reshaped(
    c.b,
    value,
    x.shape.map((_, i) => (i === axis ? value.shape[0] : 1)),
  );
}

const FLOAT = fileTypeNamed('f32');

/** Scale and zero point known at run time, or types without a quantised form: composed in float32. */
function composedDequantise(c: NodeContext, x: Value, axis: number): Value {
  const float = (v: Value, output: string) =>
    v.type.dtype === 'f32' ? v : mapped(c, 'Cast', v, { to: 'f32' }, { type: FLOAT, output });
  const zero = c.inputs[2] && alongAxis(c, c.inputs[2], x, axis);
  const scale = alongAxis(c, input(c, 1), x, axis);
  const stored = float(x, 'stored');
  const centred = zero
    ? combined(c, 'Sub', [stored, float(zero, 'zero')], {}, { output: 'centred' })
    : stored;
  return combined(c, 'Mul', [centred, scale], {}, { type: scale.type });
}

const RANGES: Record<string, readonly [number, number]> = {
  u8: [0, 255],
  i8: [-128, 127],
  u16: [0, 65535],
  i16: [-32768, 32767],
};

function composedQuantise(c: NodeContext, x: Value, axis: number, type: FileType): Value {
  const [min, max] = RANGES[type.name] ?? refuse(`quantisation to ${type.name} is not supported`);
  const zero = c.inputs[2] && alongAxis(c, c.inputs[2], x, axis);
  const ratio = combined(c, 'Div', [x, alongAxis(c, input(c, 1), x, axis)], {}, { output: 'ratio' });
  const rounded = mapped(c, 'Round', ratio, {}, { output: 'rounded' });
  const asFloat = zero && mapped(c, 'Cast', zero, { to: 'f32' }, { type: FLOAT, output: 'zero' });
  const moved = asFloat ? combined(c, 'Add', [rounded, asFloat], {}, { output: 'moved' }) : rounded;
  const clipped = mapped(c, 'Clip', moved, { min, max }, { output: 'clipped' });
  return mapped(c, 'Cast', clipped, { to: type.dtype }, { type });
}

const quantizeLinear: Importer = (c) => {
  checkBlocks(c);
  const x = input(c, 0);
  const declared = c.attrs.int('output_dtype', 0);
  const type = c.inputs[2]?.type ?? (declared ? fileType(declared) : fileTypeNamed('u8'));
  const quant = quantisation(c, 1);
  const rank = x.shape.length;
  const axis = quantisedAxis(c, x);
  const integer = type.name === 'u8' || type.name === 'i8' || type.name === 'i16';
  if (!quant || !integer || x.type.dtype !== 'f32') return [composedQuantise(c, x, axis, type)];
  if (quant.scale.length === 1) {
    return [mapped(c, 'Quantize', x, {}, { type, dtype: type.dtype, quant: { ...quant, axis: 0 } })];
  }
  const order = orderFor([x], rank);
  const tensor = place(c.b, x, order);
  const given = {
    shape: tensor.shape,
    dtype: type.dtype,
    quant: { ...quant, axis: placed(axis, rank, order) },
  };
  return [emit(c, 'Quantize', [tensor], {}, { order, type, given })];
};

const dequantizeLinear: Importer = (c) => {
  checkBlocks(c);
  const x = input(c, 0);
  const quant = quantisation(c, 1);
  const rank = x.shape.length;
  const type = input(c, 1).type;
  const axis = quantisedAxis(c, x);
  const wide = x.type.name === 'u16';
  if (!quant || wide) return [composedDequantise(c, x, axis)];
  if (isConstant(x))
    return [
      {
        ...quantisedAs(c, x, quant.scale, quant.zeroPoint, axis),
        name: c.outputs[0],
        type,
        dequantise: true,
      },
    ];
  if (quant.scale.length === 1) {
    return [mapped(c, 'Dequantize', quantisedAs(c, x, quant.scale, quant.zeroPoint), {}, { type })];
  }
  const order = preferredOrder(x);
  const tensor = place(c.b, x, order);
  const stored = c.b.op(
    'Reshape',
    [tensor],
    { shape: tensor.shape },
    {
      name: `${c.name}/stored`,
      given: [
        { shape: tensor.shape, dtype: tensor.dtype, quant: { ...quant, axis: placed(axis, rank, order) } },
      ],
    },
  );
  return [emit(c, 'Dequantize', [stored], {}, { order, type })];
};

/** Scale and zero point found from the values: y, scale, zero point, all at run time. */
const dynamicQuantizeLinear: Importer = (c) => {
  const x = input(c, 0);
  const axes = [...x.shape.keys()];
  const order = orderFor([x], x.shape.length);
  const extreme = (kind: string, output: string) =>
    reshaped(
      c.b,
      emit(c, kind, [place(c.b, x, order)], { axes, keepDims: true }, { order, type: FLOAT, output }),
      [],
    );
  const low = mapped(c, 'Clip', extreme('ReduceMin', 'least'), { min: null, max: 0 }, { output: 'low' });
  const high = mapped(c, 'Clip', extreme('ReduceMax', 'most'), { min: 0, max: null }, { output: 'high' });
  const span = combined(c, 'Sub', [high, low], {}, { output: 'span' });
  const scale = combined(c, 'Div', [span, scalar(c, 255)], {}, { output: 1 });
  const negative = mapped(
    c,
    'Neg',
    combined(c, 'Div', [low, scale], {}, { output: 'offset' }),
    {},
    { output: 'negative' },
  );
  const bounded = mapped(
    c,
    'Clip',
    mapped(c, 'Round', negative, {}, { output: 'nearest' }),
    { min: 0, max: 255 },
    { output: 'zero' },
  );
  const u8 = fileTypeNamed('u8');
  const zero = mapped(c, 'Cast', bounded, { to: 'u8' }, { type: u8, output: 2 });
  const ratio = mapped(
    c,
    'Round',
    combined(c, 'Div', [x, scale], {}, { output: 'ratio' }),
    {},
    { output: 'rounded' },
  );
  const moved = combined(c, 'Add', [ratio, bounded], {}, { output: 'moved' });
  const clipped = mapped(c, 'Clip', moved, { min: 0, max: 255 }, { output: 'clipped' });
  return [mapped(c, 'Cast', clipped, { to: 'u8' }, { type: u8 }), scale, zero];
};

/** A quantised input made of three inputs of the node: values, scale, zero point. */
export function quantisedInput(c: NodeContext, at: number): Value {
  const { scale, zeroPoint } = perTensorOnly(fixed(c, at + 1));
  return quantisedAs(c, input(c, at), scale, zeroPoint);
}

/** The declared output type from the inputs of scale and zero point. */
export function declaredOutput(
  c: NodeContext,
  scaleAt: number,
  like: Value,
): { type: FileType; given: { dtype: FileType['dtype']; quant: Quantisation } } {
  const type = c.inputs[scaleAt + 1]?.type ?? like.type;
  return { type, given: { dtype: type.dtype, quant: { ...perTensorOnly(fixed(c, scaleAt)), axis: 0 } } };
}

/** A constant or value that has zero points but no scales (the integer operators). */
export function zeroedInput(c: NodeContext, at: number, zeroAt: number, axis: number): Value {
  const x = input(c, at);
  const zero = c.inputs[zeroAt] ? Array.from(constantInput(c, zeroAt, 'the zero point')!) : [0];
  return quantisedAs(
    c,
    x,
    zero.map(() => 1),
    zero,
    axis,
  );
}

export const quantisationImporters: Record<string, Importer> = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantizeLinear,
  'com.microsoft:QuantizeLinear': quantizeLinear,
  'com.microsoft:DequantizeLinear': dequantizeLinear,
};
