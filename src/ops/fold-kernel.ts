/** The fold of what reduces each output element from inputs that come run by run: reductions, and pools of whole pictures. */
import { channelsOf, elementCount, pixelsOf } from '../graph/graph.ts';
import type { Kernel, OpContext } from './operator.ts';
import { reductionOf } from './reduce-geometry.ts';

/** How one output element is made: on stored values, the accumulator held as f32 or i32. */
export interface Reducer {
  readonly state: 'f32' | 'i32';
  readonly start: number;
  /** Takes the next stored value. */
  step(accumulator: number, value: number): number;
  /** The stored result. */
  finish(accumulator: number): number;
}

/** Adds each input pixel to the accumulators in scratch; after the last one writes the output. */
export function foldKernel(
  { inputs, outputs }: Pick<OpContext, 'inputs' | 'outputs'>,
  axes: readonly number[],
  reducer: Reducer,
): Kernel {
  const { shape } = inputs[0]!;
  const { target } = reductionOf(shape, axes);
  const pixels = pixelsOf(shape);
  const channels = channelsOf(shape);
  const results = elementCount(outputs[0].shape);
  const outputChannels = channelsOf(outputs[0].shape);
  return ([x], [y], lo, hi, scratch) => {
    const state = reducer.state === 'f32' ? scratch.f32 : scratch.i32;
    if (lo === 0) for (let e = 0; e < results; e++) state[e] = reducer.start;
    for (let p = lo; p < hi; p++) {
      const i = x!.at(p);
      for (let c = 0; c < channels; c++) {
        const e = target(p * channels + c);
        state[e] = reducer.step(state[e], x!.data[i + c]);
      }
    }
    if (hi < pixels) return;
    for (let e = 0; e < results; e++) {
      const pixel = Math.floor(e / outputChannels);
      y.data[y.at(pixel) + (e - pixel * outputChannels)] = reducer.finish(state[e]);
    }
  };
}
