/**
 * What all elementwise functions of one tensor share: shapes, kernel, and how a function of real numbers acts
 * on stored ones. A unary operator's file gives its function and calls `unaryOperator`.
 */
import { TidemarkError } from '../errors.ts';
import {
  type Attributes,
  channelsOf,
  type Dialect,
  type DType,
  type ElementType,
  elementBytes,
  elementCount,
  type TypedArray,
} from '../graph/graph.ts';
import { coreOutputType } from './core-type.ts';
import type { Kernel, OperatorDef, Unary, UnaryRun } from './operator.ts';
import { dequantiser, type ElementFunction, quantiser } from './stored.ts';

export { dequantiser, integerRange, quantiser, roundHalfEven } from './stored.ts';

/** The function on stored values: the operator's own rule, else dequantise, apply, quantise. */
export function storedFunction<A extends Attributes>(
  unary: Unary<A>,
  attrs: A,
  from: ElementType,
  to: ElementType,
  dialect: Dialect,
): ElementFunction {
  const f = unary.stored?.(attrs, from, to, dialect);
  if (f) return f;
  const real = unary.real(attrs);
  if (!from.quant && !to.quant) {
    return to.dtype === 'f32' ? (x, c) => Math.fround(real(x, c)) : real;
  }
  const decode = dequantiser(from);
  const encode = quantiser(to, dialect);
  return (q, c) => encode(Math.fround(real(decode(q, c), c)), c);
}

export interface UnarySpec<A extends Attributes> extends Unary<A> {
  readonly kind: string;
  /** Output type where it is not the input's. Throws when it is not known. */
  readonly type?: (input: ElementType, attrs: A) => ElementType;
  /** Throws where the output cannot be of the type that a file gives it. */
  readonly result?: (output: ElementType) => void;
  /** Throws when the attributes do not fit the input. */
  readonly check?: (attrs: A, shape: readonly number[]) => void;
}

/** An operator that maps each element of its input by itself, the output of the same shape. */
export function unaryOperator<A extends Attributes = Attributes>(spec: UnarySpec<A>): OperatorDef<A> {
  return {
    kind: spec.kind,
    access: 'pixel',
    unary: spec,
    infer([x], attrs, given) {
      if (!x) throw new TidemarkError('operator-invalid', `${spec.kind} has no input; give it one tensor`);
      spec.check?.(attrs, x.shape);
      const type = given?.[0] ?? (spec.type ? spec.type(x, attrs) : x);
      spec.result?.(type);
      return [{ shape: x.shape, dtype: type.dtype, quant: type.quant }];
    },
    reads: (_ctx, _index, lo, hi) => ({ lo, hi }),
    inPlace: (ctx) => (elementBytes(ctx.inputs[0]!) >= elementBytes(ctx.outputs[0]) ? [0] : []),
    macs: () => 0,
    kernel({ op, inputs, outputs, dialect }) {
      const from = inputs[0]!;
      const to = coreOutputType(op.epilogue, outputs[0]);
      const { shape } = outputs[0];
      const axis = quantisedAxis(from, shape) ?? quantisedAxis(to, shape);
      if (axis !== undefined && axis !== shape.length - 1) {
        return alongAxis(storedFunction(spec, op.attrs, from, to, dialect), shape, axis);
      }
      const run = unaryRun(spec, op.attrs, from, to, dialect, elementCount(shape));
      if (run) return runs(run, channelsOf(shape));
      return channelwise(storedFunction(spec, op.attrs, from, to, dialect), channelsOf(shape));
    },
  };
}

/** The loop over elements that are all treated alike; undefined where the channel matters. */
export function unaryRun<A extends Attributes>(
  unary: Unary<A>,
  attrs: A,
  from: ElementType,
  to: ElementType,
  dialect: Dialect,
  elements: number,
): UnaryRun | undefined {
  const many = (t: ElementType) => t.quant !== undefined && t.quant.scale.length > 1;
  if (unary.perChannel || many(from) || many(to)) return undefined;
  const run = unary.run?.(attrs, from, to, dialect);
  if (run) return run;
  return uniformRun(storedFunction(unary, attrs, from, to, dialect), from.dtype, to.dtype, elements);
}

/** The axis along which a tensor has more than one scale. */
function quantisedAxis(type: ElementType, shape: readonly number[]): number | undefined {
  return type.quant && type.quant.scale.length > 1 && shape.length > 0 ? type.quant.axis : undefined;
}

/** A kernel of runs: one for all pixels where they lie side by side, else one a pixel. */
function runs(run: UnaryRun, channels: number): Kernel {
  return ([x], [y], lo, hi) => {
    if (hi <= lo) return;
    if (x!.contiguous && y.contiguous) {
      run(x!.data, x!.at(lo), y.data, y.at(lo), (hi - lo) * channels);
      return;
    }
    for (let p = lo; p < hi; p++) run(x!.data, x!.at(p), y.data, y.at(p), channels);
  };
}

function channelwise(f: ElementFunction, channels: number): Kernel {
  return ([x], [y], lo, hi) => {
    const from = x!.data;
    const to = y.data;
    for (let p = lo; p < hi; p++) {
      const i = x!.at(p);
      const o = y.at(p);
      for (let c = 0; c < channels; c++) to[o + c] = f(from[i + c], c);
    }
  };
}

/** One scale for each index of an axis other than the last: all channels of a pixel share it. */
function alongAxis(f: ElementFunction, shape: readonly number[], axis: number): Kernel {
  const channels = channelsOf(shape);
  const size = shape[axis];
  const inner = elementCount(shape.slice(axis + 1)) / channels;
  return ([x], [y], lo, hi) => {
    for (let p = lo; p < hi; p++) {
      const index = Math.floor(p / inner) % size;
      const i = x!.at(p);
      const o = y.at(p);
      for (let c = 0; c < channels; c++) y.data[o + c] = f(x!.data[i + c], index);
    }
  };
}

/** A run of one function: by table for types of one byte, and for two where the tensor is worth one. */
export function uniformRun(f: ElementFunction, from: DType, to: DType, elements: number): UnaryRun {
  const entries = from === 'i8' || from === 'u8' || from === 'bool' ? 256 : from === 'i16' ? 65536 : 0;
  if (entries === 0 || (entries > 256 && elements < entries / 4)) {
    return (x, i, y, o, count) => {
      for (let e = 0; e < count; e++) y[o + e] = f(x[i + e], 0);
    };
  }
  let table: TypedArray | undefined;
  const mask = entries - 1;
  return (x, i, y, o, count) => {
    table ??= tableOf(f, from, to, entries);
    for (let e = 0; e < count; e++) y[o + e] = table[x[i + e] & mask];
  };
}

function tableOf(f: ElementFunction, from: DType, to: DType, entries: number): TypedArray {
  const table = to === 'f32' ? new Float32Array(entries) : new Int32Array(entries);
  for (let b = 0; b < entries; b++) {
    table[b] = f(from === 'i8' ? (b << 24) >> 24 : from === 'i16' ? (b << 16) >> 16 : b, 0);
  }
  return table;
}
