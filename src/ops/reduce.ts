/**
 * What the reductions share: shapes, the kernel, and the fold that consumes the input run by run. An output
 * element's accumulator takes its input elements in ascending order in both, so that both give the same bits.
 */
import { TidemarkError } from '../errors.ts';
import {
  channelsOf,
  type Dialect,
  type ElementType,
  elementCount,
  pixelsOf,
  type Tensor,
} from '../graph/graph.ts';
import { perContext } from './context-memo.ts';
import { coreOutputType } from './core-type.ts';
import { checkAxis, elementIndex, elementStrides } from './move.ts';
import type { Kernel, OpContext, OperatorDef, Scratch } from './operator.ts';

export type ReduceAttributes = { readonly axes: readonly number[]; readonly keepDims: boolean };

/** How one output element is made: on stored values, the accumulator held as f32 or i32. */
export interface Reducer {
  readonly state: 'f32' | 'i32';
  readonly start: number;
  /** Takes the next stored value. `first` is true for the first one. */
  step(accumulator: number, value: number, first: boolean): number;
  /** The stored result. */
  finish(accumulator: number): number;
}

export type MakeReducer = (from: ElementType, to: ElementType, count: number, dialect: Dialect) => Reducer;

export function reduceOperator(kind: string, make: MakeReducer): OperatorDef<ReduceAttributes> {
  const reducerOf = ({ op, inputs, outputs, dialect }: OpContext<ReduceAttributes>) => {
    const x = inputs[0]!;
    const count = elementCount(op.attrs.axes.map((axis) => x.shape[axis]));
    return make(x, coreOutputType(op.epilogue, outputs[0]), count, dialect);
  };
  return {
    kind,
    access: 'pixel',
    infer([x], { axes, keepDims }, given) {
      for (const axis of axes) checkAxis(axis, x!);
      if (new Set(axes).size !== axes.length) {
        throw new TidemarkError('operator-invalid', `the axes [${axes}] name one twice`);
      }
      const type = given?.[0] ?? x!;
      return [{ shape: reducedShape(x!, axes, keepDims), dtype: type.dtype, quant: type.quant }];
    },
    reads: (ctx, _index, lo, hi) => readsOf(ctx, lo, hi),
    macs: () => 0,
    kernel(ctx) {
      const reducer = reducerOf(ctx);
      const { starts, offsets } = geometryOf(ctx);
      const from = channelsOf(ctx.inputs[0]!.shape);
      const channels = channelsOf(ctx.outputs[0].shape);
      return ([x], [y], lo, hi) => {
        const index = elementIndex(x!, from);
        for (let p = lo; p < hi; p++) {
          const o = y.at(p);
          for (let c = 0; c < channels; c++) {
            const start = starts(p * channels + c);
            let a = reducer.start;
            for (let k = 0; k < offsets.length; k++) {
              a = reducer.step(a, x!.data[index(start + offsets[k])], k === 0);
            }
            y.data[o + c] = reducer.finish(a);
          }
        }
      };
    },
    fold: {
      stateBytes: ({ outputs }) => 4 * elementCount(outputs[0].shape),
      step: (ctx) => foldKernel(ctx, reducerOf(ctx)),
    },
  };
}

/** Adds each input pixel to the accumulators in scratch; after the last one writes the output. */
function foldKernel(ctx: OpContext<ReduceAttributes>, reducer: Reducer): Kernel {
  const { shape } = ctx.inputs[0]!;
  const { target } = geometryOf(ctx);
  const pixels = pixelsOf(shape);
  const channels = channelsOf(shape);
  const outputs = elementCount(ctx.outputs[0].shape);
  const outputChannels = channelsOf(ctx.outputs[0].shape);
  return ([x], [y], lo, hi, scratch: Scratch) => {
    const state = reducer.state === 'f32' ? scratch.f32 : scratch.i32;
    if (lo === 0) for (let e = 0; e < outputs; e++) state[e] = reducer.start;
    for (let p = lo; p < hi; p++) {
      const i = x!.at(p);
      for (let c = 0; c < channels; c++) {
        const { element, first } = target(p * channels + c);
        state[element] = reducer.step(state[element], x!.data[i + c], first);
      }
    }
    if (hi < pixels) return;
    for (let e = 0; e < outputs; e++) {
      const pixel = Math.floor(e / outputChannels);
      y.data[y.at(pixel) + (e - pixel * outputChannels)] = reducer.finish(state[e]);
    }
  };
}

/** The shape without the reduced axes, or with 1 in their place. */
export function reducedShape(x: Tensor, axes: readonly number[], keepDims: boolean): number[] {
  const kept = x.shape.map((d, k) => (axes.includes(k) ? 1 : d));
  return keepDims ? kept : kept.filter((_, k) => !axes.includes(k));
}

interface Geometry {
  /** First input element of an output element. */
  starts(output: number): number;
  /** From there to each of its elements, ascending. */
  readonly offsets: readonly number[];
  /** The output element an input element goes to, and whether it is the first to go there. */
  target(input: number): { readonly element: number; readonly first: boolean };
}

const geometryOf = perContext(({ op, inputs }: OpContext<ReduceAttributes>): Geometry => {
  const { shape } = inputs[0]!;
  const strides = elementStrides(shape);
  const kept = shape.map((d, k) => (op.attrs.axes.includes(k) ? 1 : d));
  const outer = elementStrides(kept);
  const reduced = shape.map((_, k) => k).filter((k) => op.attrs.axes.includes(k));
  let offsets = [0];
  for (const k of reduced) {
    offsets = offsets.flatMap((o) => Array.from({ length: shape[k] }, (_, i) => o + i * strides[k]));
  }
  return {
    offsets,
    starts(output) {
      let e = 0;
      for (let k = 0; k < kept.length; k++) e += (Math.floor(output / outer[k]) % kept[k]) * strides[k];
      return e;
    },
    target(input) {
      let element = 0;
      let first = true;
      for (let k = 0; k < shape.length; k++) {
        const i = Math.floor(input / strides[k]) % shape[k];
        if (kept[k] === shape[k]) element += i * outer[k];
        else if (i > 0) first = false;
      }
      return { element, first };
    },
  };
});

/**
 * Output elements ascend with their first input elements, and with their last: the hull runs from the first of
 * the run's first element to the last of its last one, when no earlier element reaches further.
 */
function readsOf(ctx: OpContext<ReduceAttributes>, lo: number, hi: number): { lo: number; hi: number } {
  const { shape } = ctx.inputs[0]!;
  const { starts, offsets } = geometryOf(ctx);
  const to = channelsOf(ctx.outputs[0].shape);
  const from = channelsOf(shape);
  if (hi <= lo || offsets.length === 0) return { lo: 0, hi: 0 };
  const span = offsets[offsets.length - 1];
  return { lo: Math.floor(starts(lo * to) / from), hi: Math.floor((starts(hi * to - 1) + span) / from) + 1 };
}
