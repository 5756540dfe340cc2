/** Pad: each axis grows by `before` and `after`, filled by a constant or from the input (or cut, where negative). */
import { TidemarkError } from '../errors.ts';
import { pixelsOf } from '../graph/graph.ts';
import { perContext } from './context-memo.ts';
import { coreOutputType } from './core-type.ts';
import { checkPerAxis, movedQuant, movedType, viewOfInput } from './move.ts';
import type { OpContext, OperatorDef } from './operator.ts';
import { copyKernel, FILL, type PixelMap, pixelMap, pixelStrides } from './pixel-map.ts';
import { quantiser } from './stored.ts';

export type PadMode = 'constant' | 'edge' | 'reflect' | 'symmetric';

export type PadAttributes = {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly mode: PadMode;
  /** Real value of the fill; a quantised output stores its encoding (0 is the zero point). */
  readonly value: number;
};

export const pad: OperatorDef<PadAttributes> = {
  kind: 'Pad',
  access: 'pixel',
  infer([x], { before, after, mode }, given) {
    checkPerAxis('before', before, x!);
    checkPerAxis('after', after, x!);
    const shape = x!.shape.map((d, k) => d + before[k] + after[k]);
    for (const [k, d] of x!.shape.entries()) {
      const most =
        mode === 'constant' ? Infinity : mode === 'edge' && d > 0 ? Infinity : mode === 'reflect' ? d - 1 : d;
      if (shape[k] < 0 || Math.max(before[k], after[k]) > Math.max(most, 0)) {
        throw new TidemarkError(
          'operator-invalid',
          `${mode} padding of ${before[k]} and ${after[k]} does not fit axis ${k} of ${x!.name} (${d})`,
        );
      }
    }
    const whole = (axis: number) => (before[axis] === 0 && after[axis] === 0 ? axis : undefined);
    return [{ shape, ...movedType(x!, given, movedQuant(x!, whole)) }];
  },
  reads: (ctx, _index, lo, hi) => mapOf(ctx).hull(lo, hi),
  macs: () => 0,
  aliases: (ctx) => viewOfInput(ctx, mapOf(ctx), channelTable(ctx)),
  kernel(ctx) {
    const { op, outputs, dialect } = ctx;
    const encode = quantiser(coreOutputType(op.epilogue, outputs[0]), dialect);
    return copyKernel(mapOf(ctx), channelTable(ctx), encode(Math.fround(op.attrs.value), 0));
  },
};

/** Source coordinate of each coordinate of the padded axis. */
function sources(length: number, before: number, after: number, mode: PadMode): number[] {
  return Array.from({ length: length + before + after }, (_, i) => {
    const at = i - before;
    if (at >= 0 && at < length) return at;
    switch (mode) {
      case 'constant':
        return FILL;
      case 'edge':
        return at < 0 ? 0 : length - 1;
      case 'reflect':
        return at < 0 ? -at : 2 * (length - 1) - at;
      default:
        return at < 0 ? -at - 1 : 2 * length - 1 - at;
    }
  });
}

const mapOf = perContext(({ op, inputs }: OpContext<PadAttributes>): PixelMap => {
  const { before, after, mode } = op.attrs;
  const { shape } = inputs[0]!;
  const tables = pixelStrides(shape).map((step, k) =>
    sources(shape[k], before[k], after[k], mode).map((i) => (i < 0 ? FILL : i * step)),
  );
  return pixelMap(tables, pixelsOf(shape));
});

function channelTable({ op, inputs }: OpContext<PadAttributes>): number[] {
  const { before, after, mode } = op.attrs;
  const { shape } = inputs[0]!;
  const last = shape.length - 1;
  return last < 0 ? [0] : sources(shape[last], before[last], after[last], mode);
}
