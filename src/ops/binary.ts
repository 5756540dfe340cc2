/**
 * What all elementwise functions of two tensors share: broadcasting, types, in-place rules, and how a function
 * of numbers acts on stored ones. A binary operator's file gives its function and calls `binaryOperator`.
 */
import { TidemarkError } from '../errors.ts';
import {
  type Attributes,
  channelsOf,
  type Dialect,
  type ElementType,
  elementBytes,
  elementCount,
  type Tensor,
  type TypedArray,
} from '../graph/graph.ts';
import { broadcastShape, type PixelMap, pixelMap } from './broadcast.ts';
import { coreOutputType } from './core-type.ts';
import type { Kernel, OpContext, OperatorDef } from './operator.ts';
import { dequantiser, quantiser, saturate } from './stored.ts';

export type Pair = (a: number, b: number) => number;

/** What a rule for stored values may look at. */
export interface PairTypes {
  readonly a: ElementType;
  readonly b: ElementType;
  readonly to: ElementType;
  readonly dialect: Dialect;
}

/** y[o + e] = f(a[i + e * sa], b[j + e * sb]) for e = 0 .. count - 1, in ascending order. */
export type PairRun = (
  a: TypedArray,
  i: number,
  sa: number,
  b: TypedArray,
  j: number,
  sb: number,
  y: TypedArray,
  o: number,
  count: number,
) => void;

export interface BinarySpec<A extends Attributes> {
  readonly kind: string;
  /** On real numbers; the result is rounded to float32. */
  readonly real: (attrs: A) => Pair;
  /** On integers without quantisation; wraps to the output's type. Left out: there is no such form. */
  readonly integer?: (attrs: A) => Pair;
  /** A rule of its own for quantised values. Left out or undefined: dequantise, apply `real`, quantise. */
  readonly stored?: (types: PairTypes, attrs: A) => Pair | undefined;
  /** Output type; left out: the first input's. */
  readonly type?: ElementType;
  /** A plain loop for float32. */
  readonly run?: PairRun;
  /** True where the inputs may differ in type. */
  readonly mixed?: boolean;
}

/** An operator on pairs of elements. */
export function binaryOperator<A extends Attributes = Attributes>(spec: BinarySpec<A>): OperatorDef<A> {
  const { kind } = spec;
  return {
    kind,
    access: 'pixel',
    infer([a, b], _attrs, given) {
      if (!a || !b) throw new TidemarkError('operator-invalid', `${kind} needs two inputs`);
      if (!spec.mixed && !agree(a, b)) {
        throw new TidemarkError(
          'type-unsupported',
          `${kind} of ${a.dtype} and ${b.dtype}: both must be of one type; cast one of them`,
        );
      }
      if (!spec.type && [a, b, given?.[0]].some((t) => t?.dtype === 'bool')) {
        throw new TidemarkError('type-unsupported', `${kind} of truth values; cast them to numbers`);
      }
      const type = spec.type ?? given?.[0] ?? a;
      return [{ shape: broadcastShape(kind, [a.shape, b.shape]), dtype: type.dtype, quant: type.quant }];
    },
    reads: ({ inputs, outputs }, index, lo, hi) =>
      pixelMap(inputs[index]!.shape, outputs[0].shape).reads(lo, hi),
    inPlace: sameShapeInputs,
    macs: () => 0,
    kernel({ op, inputs, outputs, dialect }) {
      const [a, b] = inputs as readonly Tensor[];
      const to = coreOutputType(op.epilogue, outputs[0]);
      const run = pairRun(spec, op.attrs, { a, b, to, dialect }, elementCount(outputs[0].shape));
      const { shape } = outputs[0];
      return pairKernel(run, channelsOf(shape), pixelMap(a.shape, shape), pixelMap(b.shape, shape));
    },
  };
}

/** Inputs that the output may lie over: those of its shape whose elements are not smaller. */
export function sameShapeInputs({ inputs, outputs: [y] }: OpContext): number[] {
  const same: number[] = [];
  inputs.forEach((t, i) => {
    if (!t || t.constant || t.shape.length !== y.shape.length) return;
    if (t.shape.every((d, k) => d === y.shape[k]) && elementBytes(t) >= elementBytes(y)) same.push(i);
  });
  return same;
}

function agree(a: ElementType, b: ElementType): boolean {
  if (a.quant || b.quant) return true;
  return (a.dtype === 'f32') === (b.dtype === 'f32');
}

/** The function on stored values. */
export function pairFunction<A extends Attributes>(spec: BinarySpec<A>, attrs: A, types: PairTypes): Pair {
  const { a, b, to, dialect } = types;
  const quantised = a.quant || b.quant || to.quant;
  if (!quantised && a.dtype !== 'f32') {
    if (!spec.integer) {
      throw new TidemarkError('type-unsupported', `${spec.kind} has no form for ${a.dtype}; cast to float32`);
    }
    return spec.integer(attrs);
  }
  const real = spec.real(attrs);
  if (!quantised) return to.dtype === 'f32' ? (x, y) => Math.fround(real(x, y)) : real;
  const stored = spec.stored?.(types, attrs);
  if (stored) return stored;
  for (const t of [a, b, to]) {
    if (t.quant && t.quant.scale.length > 1) {
      throw new TidemarkError(
        'quantisation-invalid',
        `${spec.kind} takes one scale a tensor, not one a channel`,
      );
    }
  }
  const decodeA = dequantiser(a);
  const decodeB = dequantiser(b);
  const encode = to.quant
    ? quantiser(to, dialect)
    : (x: number) => (to.dtype === 'f32' ? x : saturate(x, to.dtype));
  return (x, y) => encode(Math.fround(real(decodeA(x, 0), decodeB(y, 0))), 0);
}

/** The loop over a run: the float32 one where given, a table of all pairs for large 8-bit tensors. */
function pairRun<A extends Attributes>(
  spec: BinarySpec<A>,
  attrs: A,
  types: PairTypes,
  elements: number,
): PairRun {
  const { a, b, to } = types;
  if (spec.run && a.dtype === 'f32' && b.dtype === 'f32' && to.dtype === 'f32') return spec.run;
  const f = pairFunction(spec, attrs, types);
  const bytes = [a, b, to].every((t) => elementBytes(t) === 1);
  if (bytes && elements >= 65536) return tabledRun(f, a, b, to);
  return (x, i, sx, y, j, sy, z, o, count) => {
    for (let e = 0; e < count; e++) z[o + e] = f(x[i + e * sx], y[j + e * sy]);
  };
}

/** All 65,536 results of a function of two bytes, made on first use. */
function tabledRun(f: Pair, a: ElementType, b: ElementType, to: ElementType): PairRun {
  let table: Int8Array | Uint8Array | undefined;
  const fill = () => {
    const all = to.dtype === 'i8' ? new Int8Array(65536) : new Uint8Array(65536);
    const value = (byte: number, t: ElementType) => (t.dtype === 'i8' ? (byte << 24) >> 24 : byte);
    for (let p = 0; p < 65536; p++) all[p] = f(value(p >> 8, a), value(p & 255, b));
    return all;
  };
  return (x, i, sx, y, j, sy, z, o, count) => {
    table ??= fill();
    for (let e = 0; e < count; e++) {
      z[o + e] = table[((x[i + e * sx] & 255) << 8) | (y[j + e * sy] & 255)];
    }
  };
}

/** One run for all pixels where everything lies side by side, else one a pixel. */
export function pairKernel(run: PairRun, channels: number, mapA: PixelMap, mapB: PixelMap): Kernel {
  const flat = (m: PixelMap) => m.form === 'same' && m.channelStep === 1;
  // An operand with one element in all: step 0 over any run.
  const single = (m: PixelMap) => m.form === 'one' && (m.channelStep === 0 || channels === 1);
  const whole = (flat(mapA) || single(mapA)) && (flat(mapB) || single(mapB));
  const stepA = single(mapA) ? 0 : mapA.channelStep;
  const stepB = single(mapB) ? 0 : mapB.channelStep;
  return ([a, b], [y], lo, hi) => {
    if (hi <= lo) return;
    if (whole && a!.contiguous && b!.contiguous && y.contiguous) {
      const i = a!.at(mapA.at(lo));
      const j = b!.at(mapB.at(lo));
      run(a!.data, i, stepA, b!.data, j, stepB, y.data, y.at(lo), (hi - lo) * channels);
      return;
    }
    for (let p = lo; p < hi; p++) {
      const i = a!.at(mapA.at(p));
      const j = b!.at(mapB.at(p));
      run(a!.data, i, stepA, b!.data, j, stepB, y.data, y.at(p), channels);
    }
  };
}

/** The operators of two tensors, element by element. */
export const BINARY_KINDS = [
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Min',
  'Max',
  'Pow',
  'SquaredDifference',
  'FloorDiv',
  'Mod',
  'PRelu',
  'Equal',
  'Greater',
  'GreaterOrEqual',
  'Less',
  'LessOrEqual',
  'And',
  'Or',
  'Xor',
] as const;
