/** Slice: along each axis `sizes` elements from `starts` on, `steps` apart (steps may be negative). */
import { TidemarkError } from '../errors.ts';
import { elementCount, pixelsOf, type Tensor } from '../graph/graph.ts';
import { perContext } from './context-memo.ts';
import { checkPerAxis, movedType, viewOfInput } from './move.ts';
import type { OpContext, OperatorDef } from './operator.ts';
import { copyKernel, type PixelMap, pixelMap, pixelStrides, ramp } from './pixel-map.ts';

export type SliceAttributes = {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  readonly sizes: readonly number[];
};

export const slice: OperatorDef<SliceAttributes> = {
  kind: 'Slice',
  access: 'pixel',
  infer([x], attrs, given) {
    const { starts, steps, sizes } = attrs;
    for (const name of ['starts', 'steps', 'sizes'] as const) checkPerAxis(name, attrs[name], x!);
    sizes.forEach((size, axis) => {
      const last = starts[axis] + (size - 1) * steps[axis];
      const inside = (i: number) => Number.isInteger(i) && i >= 0 && i < x!.shape[axis];
      if (size < 0 || (size > 0 && !(inside(starts[axis]) && inside(last)))) {
        throw new TidemarkError(
          'operator-invalid',
          `a slice of ${size} from ${starts[axis]} with step ${steps[axis]} leaves axis ${axis} of ${x!.name} (${x!.shape[axis]})`,
        );
      }
    });
    return [{ shape: sizes, ...movedType(x!, given, slicedQuant(x!, attrs)) }];
  },
  reads: (ctx, _index, lo, hi) => mapOf(ctx).hull(lo, hi),
  macs: () => 0,
  aliases: (ctx) => viewOfInput(ctx, mapOf(ctx), channelsTaken(ctx)),
  kernel: (ctx) => copyKernel(mapOf(ctx), channelsTaken(ctx)),
};

const mapOf = perContext((ctx: OpContext<SliceAttributes>): PixelMap => {
  const { starts, steps, sizes } = ctx.op.attrs;
  const x = ctx.inputs[0]!;
  const tables = pixelStrides(x.shape).map((s, k) => ramp(sizes[k], steps[k] * s, starts[k] * s));
  return pixelMap(tables, pixelsOf(x.shape));
});

function channelsTaken({ op }: OpContext<SliceAttributes>): number[] {
  const { starts, steps, sizes } = op.attrs;
  const last = sizes.length - 1;
  return last < 0 ? [0] : ramp(sizes[last], steps[last], starts[last]);
}

/** Per-axis entries are sliced with their axis. */
function slicedQuant({ quant }: Tensor, { starts, steps, sizes }: SliceAttributes): Tensor['quant'] {
  if (!quant || quant.scale.length === 1) return quant;
  const { axis } = quant;
  const taken = ramp(sizes[axis], steps[axis], starts[axis]);
  const pick = (list: readonly number[]) => (list.length === 1 ? list : taken.map((i) => list[i]));
  return elementCount(sizes) === 0
    ? quant
    : { axis, scale: pick(quant.scale), zeroPoint: pick(quant.zeroPoint) };
}
