/**
 * What all elementwise functions of one tensor share: shapes, kernel, and how a function of real numbers acts
 * on stored ones. A unary operator's file gives its function and calls `unaryOperator`.
 */
import {
  type Attributes,
  channelsOf,
  type Dialect,
  type DType,
  type ElementType,
  elementBytes,
} from '../graph/graph.ts';
import type { OperatorDef, Unary } from './operator.ts';

/** Least and greatest stored value of an integer type. */
export function integerRange(dtype: DType): readonly [number, number] {
  switch (dtype) {
    case 'i8':
      return [-128, 127];
    case 'u8':
      return [0, 255];
    case 'i16':
      return [-32768, 32767];
    case 'bool':
      return [0, 1];
    default:
      return [-2147483648, 2147483647];
  }
}

/** Nearest integer, ties to even: what ONNX Runtime and IEEE hardware do. */
export function roundHalfEven(x: number): number {
  const r = Math.round(x);
  return r - x === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

/** real -> stored: round(x / scale) + zeroPoint, saturated (ONNX QuantizeLinear). Float32 division. */
export function quantiser(to: ElementType, channel = 0): (x: number) => number {
  const { quant, dtype } = to;
  if (!quant) return (x) => x;
  const [lo, hi] = integerRange(dtype);
  const i = quant.scale.length > 1 ? channel : 0;
  const scale = Math.fround(quant.scale[i]);
  const zero = quant.zeroPoint[i];
  return (x) => Math.min(hi, Math.max(lo, roundHalfEven(Math.fround(x / scale)) + zero));
}

/** stored -> real: (q - zeroPoint) * scale, in float32. */
export function dequantiser(from: ElementType, channel = 0): (q: number) => number {
  const { quant } = from;
  if (!quant) return (q) => q;
  const i = quant.scale.length > 1 ? channel : 0;
  const scale = Math.fround(quant.scale[i]);
  const zero = quant.zeroPoint[i];
  return (q) => Math.fround((q - zero) * scale);
}

/** The function on stored values: a table for 8-bit types, else the composition itself. */
export function storedFunction<A extends Attributes>(
  unary: Unary<A>,
  attrs: A,
  from: ElementType,
  to: ElementType,
  dialect: Dialect,
): (stored: number, channel: number) => number {
  const f = unary.stored?.(attrs, from, to, dialect);
  if (f) return f;
  const real = unary.real(attrs);
  if (!from.quant && !to.quant) {
    return to.dtype === 'f32' ? (x, c) => Math.fround(real(x, c)) : real;
  }
  const decode = dequantiser(from);
  const encode = quantiser(to);
  return (q, c) => encode(Math.fround(real(decode(q), c)));
}

/** An operator that maps each element of its input by itself, the output of the same shape. */
export function unaryOperator<A extends Attributes = Attributes>(spec: {
  readonly kind: string;
  readonly real: Unary<A>['real'];
  readonly stored?: Unary<A>['stored'];
  /** Output type where it is not the input's. */
  readonly type?: (input: ElementType, attrs: A) => ElementType;
}): OperatorDef<A> {
  const unary: Unary<A> = { real: spec.real, stored: spec.stored };
  return {
    kind: spec.kind,
    access: 'pixel',
    unary,
    infer([x], attrs, given) {
      if (given) return given;
      const type = spec.type ? spec.type(x!, attrs) : { dtype: x!.dtype, quant: x!.quant };
      return [{ shape: x!.shape, ...type }];
    },
    reads: (_ctx, _index, lo, hi) => ({ lo, hi }),
    inPlace: (ctx) => (elementBytes(ctx.inputs[0]!) >= elementBytes(ctx.outputs[0]) ? [0] : []),
    macs: () => 0,
    kernel({ op, inputs, outputs, dialect }) {
      const channels = channelsOf(outputs[0].shape);
      const f = storedFunction(unary, op.attrs, inputs[0]!, coreType(op, outputs[0]), dialect);
      const byte = elementBytes(inputs[0]!) === 1;
      const table = byte ? byteTable(f, inputs[0]!.dtype, channels) : undefined;
      return ([x], [y], lo, hi) => {
        const from = x!.data;
        const to = y.data;
        for (let p = lo; p < hi; p++) {
          const i = x!.at(p);
          const o = y.at(p);
          if (table) for (let c = 0; c < channels; c++) to[o + c] = table[from[i + c] & 255];
          else for (let c = 0; c < channels; c++) to[o + c] = f(from[i + c], c);
        }
      };
    },
  };
}

function coreType(op: { readonly epilogue?: readonly { readonly from: ElementType }[] }, output: ElementType): ElementType {
  return op.epilogue && op.epilogue.length > 0 ? op.epilogue[0].from : output;
}

/** All 256 values of a function of one byte; undefined where it depends on the channel. */
function byteTable(f: (q: number, c: number) => number, dtype: DType, channels: number): Float64Array | undefined {
  const table = new Float64Array(256);
  for (let b = 0; b < 256; b++) {
    const q = dtype === 'i8' ? (b << 24) >> 24 : b;
    table[b] = f(q, 0);
    if (channels > 1 && f(q, channels - 1) !== table[b] && !Number.isNaN(table[b])) return undefined;
  }
  return table;
}
