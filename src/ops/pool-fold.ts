/**
 * The fold of a pool whose one window is the whole picture: it takes its input run by run into an accumulator a
 * channel. Pixels come in raster order, as the window takes its taps, so that both give the same bits.
 */
import { channelsOf, elementCount, pixelsOf } from '../graph/graph.ts';
import type { Fold, Kernel, OpContext } from './operator.ts';
import { type PoolAttributes, poolWindow } from './pool-window.ts';
import { integerRange } from './stored.ts';
import { endTap, firstTap, type WindowAxis } from './window.ts';

/** On stored values, the accumulator held as f32 or i32. */
export interface Accumulation {
  readonly start: number;
  step(accumulator: number, value: number): number;
  finish(accumulator: number): number;
}

/** `accumulation` is called for pools that can fold, when one is run. */
export function poolFold<A extends PoolAttributes>(
  accumulation: (ctx: OpContext<A>) => Accumulation,
): Fold<A> {
  return {
    stateBytes: (ctx) => (poolFolds(ctx) ? 4 * elementCount(ctx.outputs[0].shape) : Number.POSITIVE_INFINITY),
    step: (ctx) => stepOf(ctx, accumulation(ctx)),
  };
}

/** Whether the one window of each picture holds all of it, and a sum of its values fits an accumulator. */
export function poolFolds({ op, inputs }: OpContext<PoolAttributes>): boolean {
  const { dtype } = inputs[0]!;
  const { y, x } = poolWindow(inputs[0], op.attrs);
  const largest = dtype === 'f32' ? 0 : 1 - integerRange(dtype)[0] + integerRange(dtype)[1];
  return holdsAll(y) && holdsAll(x) && y.input * x.input * largest < 2 ** 31;
}

function holdsAll(axis: WindowAxis): boolean {
  return axis.output === 1 && endTap(axis, 0) - firstTap(axis, 0) === axis.input;
}

function stepOf(ctx: OpContext<PoolAttributes>, { start, step, finish }: Accumulation): Kernel {
  const { shape, dtype } = ctx.inputs[0]!;
  const channels = channelsOf(shape);
  const total = pixelsOf(shape);
  const picture = shape[1] * shape[2];
  return ([x], [y], lo, hi, scratch) => {
    const state = dtype === 'f32' ? scratch.f32 : scratch.i32;
    if (lo === 0) state.fill(start, 0, shape[0] * channels);
    for (let p = lo; p < hi; p++) {
      const from = x!.at(p);
      const first = Math.floor(p / picture) * channels;
      for (let c = 0; c < channels; c++) state[first + c] = step(state[first + c], x!.data[from + c]);
    }
    if (hi < total) return;
    for (let n = 0; n < shape[0]; n++) {
      const to = y.at(n);
      for (let c = 0; c < channels; c++) y.data[to + c] = finish(state[n * channels + c]);
    }
  };
}
