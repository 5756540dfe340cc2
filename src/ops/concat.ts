/** Concat: parts side by side along one axis. A view where all parts lie at one stride, else copies. */
import { TidemarkError } from '../errors.ts';
import { channelsOf, type ElementType, pixelsOf, type Tensor } from '../graph/graph.ts';
import { requantiser } from './concat-requantise.ts';
import { perContext } from './context-memo.ts';
import { coreOutputType } from './core-type.ts';
import { checkAxis, movedQuant } from './move.ts';
import type { Alias, OpContext, OperatorDef } from './operator.ts';
import { FILL, type PixelMap, pixelMap, pixelStrides, ramp } from './pixel-map.ts';
import { sameType } from './stored.ts';

export type ConcatAttributes = { readonly axis: number };

export const concat: OperatorDef<ConcatAttributes> = {
  kind: 'Concat',
  access: 'pixel',
  infer(inputs, { axis }, given) {
    const [first] = inputs as Tensor[];
    checkAxis(axis, first);
    let length = 0;
    for (const part of inputs as Tensor[]) {
      const fits =
        part.shape.length === first.shape.length &&
        part.shape.every((d, k) => k === axis || d === first.shape[k]);
      if (!fits) {
        throw new TidemarkError(
          'shape-mismatch',
          `cannot join ${first.name} [${first.shape}] and ${part.name} [${part.shape}] along axis ${axis}`,
        );
      }
      if (part.dtype !== first.dtype) {
        throw new TidemarkError(
          'type-unsupported',
          `cannot join ${first.name} (${first.dtype}) and ${part.name} (${part.dtype})`,
        );
      }
      length += part.shape[axis];
    }
    const declared = given?.[0];
    if (declared && declared.dtype !== first.dtype) {
      throw new TidemarkError(
        'type-unsupported',
        `the output is declared ${declared.dtype}, the parts are ${first.dtype}`,
      );
    }
    const shape = first.shape.map((d, k) => (k === axis ? length : d));
    const quant = declared?.quant ?? movedQuant(first, (a) => (a === axis ? undefined : a));
    return [{ shape, dtype: first.dtype, quant }];
  },
  reads: (ctx, index, lo, hi) => partsOf(ctx)[index].map.hull(lo, hi),
  macs: () => 0,
  aliases(ctx) {
    const { op, inputs, outputs } = ctx;
    const [y] = outputs;
    const parts = inputs as readonly Tensor[];
    const plain = !op.epilogue?.length && new Set(op.inputs).size === parts.length;
    if (!plain || parts.some((part) => part.constant || !sameType(part, y))) return [];
    const found: Alias[] = [];
    for (const [index, part] of parts.entries()) {
      const { place, channel } = partsOf(ctx)[index];
      const affine = place.affine();
      if (!affine) return [];
      const channels = channelsOf(y.shape);
      found.push({
        child: part.id,
        parent: y.id,
        offset: affine.offset * channels + channel,
        pixelStride: affine.stride * channels,
        ...(affine.rows
          ? { rows: { pixels: affine.rows.pixels, stride: affine.rows.stride * channels } }
          : {}),
      });
    }
    return found;
  },
  kernel(ctx) {
    const { op, inputs, outputs, dialect } = ctx;
    const to: ElementType = coreOutputType(op.epilogue, outputs[0]);
    const copies = partsOf(ctx).map(({ map, channel }, index) => {
      const part = inputs[index]!;
      return { map, channel, count: channelsOf(part.shape), convert: requantiser(part, to, dialect) };
    });
    return (views, [y], lo, hi) => {
      copies.forEach(({ map, channel, count, convert }, index) => {
        const x = views[index]!;
        for (let p = lo; p < hi; p++) {
          const source = map.source(p);
          if (source < 0) continue;
          const i = x.at(source);
          const o = y.at(p) + channel;
          for (let c = 0; c < count; c++) {
            const v = x.data[i + c];
            y.data[o + c] = convert ? convert(v) : v;
          }
        }
      });
    };
  },
};

interface Part {
  /** Output pixel to the part's pixel. */
  readonly map: PixelMap;
  /** The part's pixel to output pixel. */
  readonly place: PixelMap;
  /** First channel in the output. */
  readonly channel: number;
}

const partsOf = perContext(({ op, inputs, outputs }: OpContext<ConcatAttributes>): Part[] => {
  const { axis } = op.attrs;
  const { shape } = outputs[0];
  const lastAxis = axis === shape.length - 1;
  const outer = pixelStrides(shape);
  let before = 0;
  return inputs.map((tensor) => {
    const part = tensor!;
    const length = part.shape[axis];
    const inner = pixelStrides(part.shape);
    const tables = inner.map((step, k) => {
      if (k !== axis) return ramp(shape[k], step);
      const own = (i: number) => (i >= before && i < before + length ? (i - before) * step : FILL);
      return ramp(shape[k], 1).map(own);
    });
    const places = outer.map((step, k) => ramp(part.shape[k], step, k === axis ? before * step : 0));
    const channel = lastAxis ? before : 0;
    before += length;
    return { map: pixelMap(tables, pixelsOf(part.shape)), place: pixelMap(places, pixelsOf(shape)), channel };
  });
});
