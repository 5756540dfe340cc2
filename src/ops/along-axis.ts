/**
 * Operators that treat each line of a tensor along one axis by itself (softmax, normalisations): the shape stays,
 * every output element depends on its whole line. Along the last axis a line is a pixel.
 */

import {
  type Attributes,
  channelsOf,
  type Dialect,
  type ElementType,
  elementBytes,
  elementCount,
  pixelsOf,
  type Tensor,
} from '../graph/graph.ts';
import { coreOutputType } from './core-type.ts';
import { checkAxis } from './move.ts';
import type { OpContext, OperatorDef, OutputType, PixelRange } from './operator.ts';
import { dequantiser, quantiser } from './stored.ts';

/** Looks at a whole line, then maps its elements one by one. Values are stored ones. */
export type LineFunction = (
  read: (i: number) => number,
  length: number,
) => (value: number, i: number) => number;

/** A line function on real numbers, with stored values decoded before it and encoded after it. */
export function realLine(
  from: ElementType,
  to: ElementType,
  dialect: Dialect,
  line: LineFunction,
): LineFunction {
  const decode = dequantiser(from);
  const encode = quantiser(to, dialect);
  return (read, length) => {
    const map = line((i) => decode(read(i), 0), length);
    return (value, i) => encode(map(decode(value, 0), i), 0);
  };
}

export interface AlongAxis<A extends Attributes> {
  readonly kind: string;
  /** Output type where the file declares none; left out: the input's. Throws where there is no such operator of the input's type. */
  readonly type?: (x: Tensor) => ElementType;
  /** Throws where the attributes make no sense. */
  readonly check?: (attrs: A) => void;
  line(ctx: OpContext<A>, from: ElementType, to: ElementType): LineFunction;
}

export function alongAxisOperator<A extends Attributes & { readonly axis: number }>(
  spec: AlongAxis<A>,
): OperatorDef<A> {
  const isLast = ({ op, inputs }: OpContext<A>) => op.attrs.axis === Math.max(0, inputs[0]!.shape.length - 1);
  return {
    kind: spec.kind,
    access: 'pixel',
    infer([x], attrs, given): readonly OutputType[] {
      const { axis } = attrs;
      spec.check?.(attrs);
      if (x!.shape.length > 0 || axis !== 0) checkAxis(axis, x!);
      const own = spec.type?.(x!) ?? x!;
      const type = given?.[0] ?? own;
      return [{ shape: x!.shape, dtype: type.dtype, quant: type.quant }];
    },
    reads(ctx, _index, lo, hi) {
      return isLast(ctx) ? { lo, hi } : linesTouched(ctx.inputs[0]!.shape, ctx.op.attrs.axis, lo, hi);
    },
    inPlace: (ctx) =>
      isLast(ctx) && elementBytes(ctx.inputs[0]!) === elementBytes(ctx.outputs[0]) ? [0] : [],
    macs: () => 0,
    kernel(ctx) {
      const { shape } = ctx.inputs[0]!;
      const { axis } = ctx.op.attrs;
      const line = spec.line(ctx, ctx.inputs[0]!, coreOutputType(ctx.op.epilogue, ctx.outputs[0]));
      const channels = channelsOf(shape);
      if (isLast(ctx)) {
        return ([x], [y], lo, hi) => {
          for (let p = lo; p < hi; p++) {
            const i = x!.at(p);
            const o = y.at(p);
            const map = line((c) => x!.data[i + c], channels);
            for (let c = 0; c < channels; c++) y.data[o + c] = map(x!.data[i + c], c);
          }
        };
      }
      const length = shape[axis];
      const inner = elementCount(shape.slice(axis + 1, -1));
      return ([x], [y], lo, hi) => {
        for (let p = lo; p < hi; p++) {
          // A line is treated at its first pixel in the run.
          const along = Math.floor(p / inner) % length;
          if (along > 0 && p - inner >= lo) continue;
          const start = p - along * inner;
          for (let c = 0; c < channels; c++) {
            const map = line((k) => x!.data[x!.at(start + k * inner) + c], length);
            for (let q = p, k = along; k < length && q < hi; k++, q += inner) {
              y.data[y.at(q) + c] = map(x!.data[x!.at(q) + c], k);
            }
          }
        }
      };
    },
  };
}

/** Pixels of the lines along an axis (not the last) that pass through [lo, hi), as a range that moves forward. */
function linesTouched(shape: readonly number[], axis: number, lo: number, hi: number): PixelRange {
  const length = shape[axis];
  const inner = elementCount(shape.slice(axis + 1, -1));
  const block = length * inner;
  const pixels = pixelsOf(shape);
  const base = (p: number) => Math.floor(p / block) * block;
  const along = (p: number) => Math.floor((p % block) / inner);
  // Further on in the block stands a line through its first pixel; further back one through its last.
  const lowest = (p: number) => base(p) + (along(p) < length - 1 ? 0 : p % inner);
  const highest = (p: number) => base(p) + (along(p) > 0 ? block - 1 : block - inner + (p % inner));
  return { lo: lo >= pixels ? pixels : lowest(lo), hi: hi <= 0 ? 0 : highest(hi - 1) + 1 };
}
