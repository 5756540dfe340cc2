/** Expand: numpy broadcasting to a shape; axes of length 1 on either side take the other's length. */
import { TidemarkError } from '../errors.ts';
import { channelsOf, pixelsOf } from '../graph/graph.ts';
import { perContext } from './context-memo.ts';
import { movedQuant, movedType, viewOfInput } from './move.ts';
import type { OpContext, OperatorDef } from './operator.ts';
import { copyKernel, type PixelMap, pixelMap, pixelStrides, ramp } from './pixel-map.ts';

export type ExpandAttributes = { readonly shape: readonly number[] };

export const expand: OperatorDef<ExpandAttributes> = {
  kind: 'Expand',
  access: 'pixel',
  infer([x], { shape }, given) {
    const rank = Math.max(shape.length, x!.shape.length);
    const from = padded(x!.shape, rank);
    const result = padded(shape, rank).map((d, k) => {
      if (d !== from[k] && d !== 1 && from[k] !== 1) {
        throw new TidemarkError(
          'shape-mismatch',
          `${x!.name} [${x!.shape}] does not broadcast to [${shape}]`,
        );
      }
      return from[k] === 1 ? d : from[k];
    });
    const moved = rank - x!.shape.length;
    const quant = movedQuant(x!, (axis) =>
      result[axis + moved] === x!.shape[axis] ? axis + moved : undefined,
    );
    return [{ shape: result, ...movedType(x!, given, quant) }];
  },
  reads: (ctx, _index, lo, hi) => mapOf(ctx).hull(lo, hi),
  macs: () => 0,
  aliases: (ctx) => viewOfInput(ctx, mapOf(ctx), channelTable(ctx)),
  kernel: (ctx) => copyKernel(mapOf(ctx), channelTable(ctx)),
};

function padded(shape: readonly number[], rank: number): number[] {
  return [...new Array(rank - shape.length).fill(1), ...shape];
}

const mapOf = perContext(({ inputs, outputs }: OpContext<ExpandAttributes>): PixelMap => {
  const to = outputs[0].shape;
  const from = padded(inputs[0]!.shape, to.length);
  const tables = pixelStrides(from).map((step, k) => ramp(to[k], from[k] === 1 ? 0 : step));
  return pixelMap(tables, pixelsOf(from));
});

function channelTable({ inputs, outputs }: OpContext<ExpandAttributes>): number[] {
  return ramp(channelsOf(outputs[0].shape), channelsOf(inputs[0]!.shape) === 1 ? 0 : 1);
}
