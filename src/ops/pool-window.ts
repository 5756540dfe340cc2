/** What the pools share: their attributes and window. */
import type { Tensor } from '../graph/graph.ts';
import { perContext } from './context-memo.ts';
import type { OpContext, PixelRange } from './operator.ts';
import {
  pictureShape,
  rasterNeeds,
  type Window,
  type WindowAttributes,
  windowNeeds,
  windowOver,
} from './window.ts';

export interface PoolAttributes extends WindowAttributes {
  readonly kernel: readonly number[];
  readonly ceil: boolean;
}

/** The window of a pool. */
export function poolWindow(x: Tensor | undefined, attrs: PoolAttributes): Window {
  return windowOver(pictureShape(x, 'the input of a pool'), attrs.kernel, attrs, attrs.ceil);
}

const needsOf = perContext(({ op, inputs }: OpContext<PoolAttributes>) =>
  windowNeeds(poolWindow(inputs[0], op.attrs)),
);

/** Input pixels behind output pixels [lo, hi). */
export function poolReads(ctx: OpContext<PoolAttributes>, lo: number, hi: number): PixelRange {
  const { batch, y, x } = needsOf(ctx);
  return rasterNeeds(batch, y, x, lo, hi);
}
