/**
 * The fold of a pool whose one window is the whole picture: it takes its input run by run into an accumulator a
 * channel. Pixels come in raster order, as the window takes its taps, so that both give the same bits.
 */
import { elementCount } from '../graph/graph.ts';
import { foldKernel, type Reducer } from './fold-kernel.ts';
import type { Fold, OpContext } from './operator.ts';
import { type PoolAttributes, poolWindow } from './pool-window.ts';
import { integerRange } from './stored.ts';
import { endTap, firstTap, type WindowAxis } from './window.ts';

/** How one output is made of its window's values. */
export type Accumulation = Omit<Reducer, 'state'>;

/** Height and width of a picture. */
const PICTURE = [1, 2];

/** `accumulation` is called for pools that can fold, when one is run. */
export function poolFold<A extends PoolAttributes>(
  accumulation: (ctx: OpContext<A>) => Accumulation,
): Fold<A> {
  return {
    stateBytes: (ctx) => (poolFolds(ctx) ? 4 * elementCount(ctx.outputs[0].shape) : Number.POSITIVE_INFINITY),
    step: (ctx) =>
      foldKernel(ctx, PICTURE, {
        ...accumulation(ctx),
        state: ctx.inputs[0]!.dtype === 'f32' ? 'f32' : 'i32',
      }),
  };
}

/** Whether the one window of each picture holds all of it, and a sum of its values fits an accumulator. */
function poolFolds({ op, inputs }: OpContext<PoolAttributes>): boolean {
  const { dtype } = inputs[0]!;
  const { y, x } = poolWindow(inputs[0], op.attrs);
  const largest = dtype === 'f32' ? 0 : 1 - integerRange(dtype)[0] + integerRange(dtype)[1];
  return holdsAll(y) && holdsAll(x) && y.input * x.input * largest < 2 ** 31;
}

function holdsAll(axis: WindowAxis): boolean {
  return axis.output === 1 && endTap(axis, 0) - firstTap(axis, 0) === axis.input;
}
