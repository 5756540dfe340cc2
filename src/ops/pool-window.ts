/** What the pools share: their attributes and window. */
import type { Tensor } from '../graph/graph.ts';
import { pictureShape, type Window, type WindowAttributes, windowOver } from './window.ts';

export interface PoolAttributes extends WindowAttributes {
  readonly kernel: readonly number[];
  readonly ceil: boolean;
}

/** The window of a pool. */
export function poolWindow(x: Tensor | undefined, attrs: PoolAttributes): Window {
  return windowOver(pictureShape(x, 'the input of a pool'), attrs.kernel, attrs, attrs.ceil);
}
