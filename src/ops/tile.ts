/** Tile: the tensor repeated along each axis. */
import { TidemarkError } from '../errors.ts';
import { pixelsOf } from '../graph/graph.ts';
import { perContext } from './context-memo.ts';
import { checkPerAxis, movedQuant, movedType, viewOfInput } from './move.ts';
import type { OpContext, OperatorDef } from './operator.ts';
import { copyKernel, type PixelMap, pixelMap, pixelStrides } from './pixel-map.ts';

export type TileAttributes = { readonly repeats: readonly number[] };

export const tile: OperatorDef<TileAttributes> = {
  kind: 'Tile',
  access: 'pixel',
  infer([x], { repeats }, given) {
    checkPerAxis('repeats', repeats, x!);
    if (repeats.some((r) => !Number.isInteger(r) || r < 0)) {
      throw new TidemarkError(
        'operator-invalid',
        `repeats are [${repeats}], expected whole numbers from 0 on`,
      );
    }
    const quant = movedQuant(x!, (axis) => (repeats[axis] === 1 ? axis : undefined));
    return [{ shape: x!.shape.map((d, k) => d * repeats[k]), ...movedType(x!, given, quant) }];
  },
  reads: (ctx, _index, lo, hi) => mapOf(ctx).hull(lo, hi),
  macs: () => 0,
  aliases: (ctx) => viewOfInput(ctx, mapOf(ctx), channelTable(ctx)),
  kernel: (ctx) => copyKernel(mapOf(ctx), channelTable(ctx)),
};

const repeated = (length: number, repeats: number, step: number) =>
  Array.from({ length: length * repeats }, (_, i) => (i % length) * step);

const mapOf = perContext(({ op, inputs }: OpContext<TileAttributes>): PixelMap => {
  const { shape } = inputs[0]!;
  const tables = pixelStrides(shape).map((step, k) => repeated(shape[k], op.attrs.repeats[k], step));
  return pixelMap(tables, pixelsOf(shape));
});

function channelTable({ op, inputs }: OpContext<TileAttributes>): number[] {
  const { shape } = inputs[0]!;
  const last = shape.length - 1;
  return last < 0 ? [0] : repeated(shape[last], op.attrs.repeats[last], 1);
}
