/** The window of an operator, where it has one: what the closed form of a distance is made of. */
import type { AveragePoolAttributes } from '../../../ops/average-pool.ts';
import type { ConvAttributes } from '../../../ops/conv.ts';
import type { OpContext } from '../../../ops/operator.ts';
import { type PoolAttributes, poolWindow } from '../../../ops/pool-window.ts';
import { axisNeeds, type Window, windowOver } from '../../../ops/window.ts';
import type { RasterLayer } from './raster-distance.ts';

/** Rows and columns that output pixels need of input 0; undefined where the operator is no sliding window. */
export function rasterOf({ op, inputs }: OpContext): Pick<RasterLayer, 'batch' | 'y' | 'x'> | undefined {
  const window = windowOf(op.kind, inputs, op.attrs);
  return window && { batch: window.batch, y: axisNeeds(window.y), x: axisNeeds(window.x) };
}

function windowOf(kind: string, inputs: OpContext['inputs'], attrs: unknown): Window | undefined {
  switch (kind) {
    case 'Conv':
      return windowOver(inputs[0]!.shape, inputs[1]!.shape.slice(1, 3), attrs as ConvAttributes);
    case 'MaxPool':
      return poolWindow(inputs[0], attrs as PoolAttributes);
    case 'AveragePool':
      return poolWindow(inputs[0], attrs as AveragePoolAttributes);
    default:
      return undefined;
  }
}
