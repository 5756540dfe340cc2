/**
 * Transpose: output axis k is input axis `perm[k]`. A view where only axes of length 1 move. Where the channels
 * stay last, whole pixels move; else single elements.
 */
import { TidemarkError } from '../errors.ts';
import { channelsOf, elementCount, pixelsOf } from '../graph/graph.ts';
import { perContext } from './context-memo.ts';
import { elementIndex, elementStrides, mayAlias, movedQuant, movedType } from './move.ts';
import type { OpContext, OperatorDef } from './operator.ts';
import { copyKernel, elementsToPixels, type PixelMap, pixelMap, pixelStrides, ramp } from './pixel-map.ts';

export type TransposeAttributes = { readonly perm: readonly number[] };

export const transpose: OperatorDef<TransposeAttributes> = {
  kind: 'Transpose',
  access: 'pixel',
  infer([x], { perm }, given) {
    const sorted = [...perm].sort((a, b) => a - b);
    if (perm.length !== x!.shape.length || sorted.some((axis, k) => axis !== k)) {
      throw new TidemarkError(
        'operator-invalid',
        `[${perm}] is no permutation of the ${x!.shape.length} axes of ${x!.name}`,
      );
    }
    const quant = movedQuant(x!, (axis) => perm.indexOf(axis));
    return [{ shape: perm.map((axis) => x!.shape[axis]), ...movedType(x!, given, quant) }];
  },
  reads(ctx, _index, lo, hi) {
    const to = channelsOf(ctx.outputs[0].shape);
    return elementsToPixels(elementsOf(ctx).hull(lo * to, hi * to), channelsOf(ctx.inputs[0]!.shape));
  },
  macs: () => 0,
  aliases(ctx) {
    if (!mayAlias(ctx) || !keepsOrder(ctx)) return [];
    const [y] = ctx.outputs;
    return [{ child: y.id, parent: ctx.inputs[0]!.id, offset: 0, pixelStride: channelsOf(y.shape) }];
  },
  kernel(ctx) {
    const map = mapOf(ctx);
    return map ? copyKernel(map, ramp(channelsOf(ctx.outputs[0].shape), 1)) : elementKernel(ctx);
  },
};

/** Elements one by one, counting up the output's coordinates. */
function elementKernel({
  op,
  inputs,
  outputs,
}: OpContext<TransposeAttributes>): ReturnType<typeof copyKernel> {
  const { shape } = outputs[0];
  const from = elementStrides(inputs[0]!.shape);
  const steps = op.attrs.perm.map((axis) => from[axis]);
  const channels = channelsOf(shape);
  const channelStep = steps[shape.length - 1] ?? 1;
  const strides = pixelStrides(shape);
  return ([x], [y], lo, hi) => {
    const index = elementIndex(x!, channelsOf(inputs[0]!.shape));
    for (let p = lo; p < hi; p++) {
      let e = 0;
      for (let k = 0; k < strides.length; k++) e += (Math.floor(p / strides[k]) % shape[k]) * steps[k];
      const o = y.at(p);
      for (let c = 0; c < channels; c++) y.data[o + c] = x!.data[index(e + c * channelStep)];
    }
  };
}

/** True when the elements stay in their order: only axes of length 1 move. */
function keepsOrder({ op, inputs }: OpContext<TransposeAttributes>): boolean {
  const { shape } = inputs[0]!;
  if (elementCount(shape) === 0) return true;
  const long = op.attrs.perm.filter((axis) => shape[axis] !== 1);
  return long.every((axis, k) => k === 0 || axis > long[k - 1]);
}

/** The movement of whole pixels, where the last axis stays in place. */
const mapOf = perContext(({ op, inputs }: OpContext<TransposeAttributes>): PixelMap | undefined => {
  const { perm } = op.attrs;
  const { shape } = inputs[0]!;
  const last = shape.length - 1;
  if (last < 0) return pixelMap([], 1);
  if (perm[last] !== last) return undefined;
  const strides = pixelStrides(shape);
  return pixelMap(
    perm.slice(0, last).map((axis) => ramp(shape[axis], strides[axis])),
    pixelsOf(shape),
  );
});

/** The movement of single elements. */
const elementsOf = perContext(({ op, inputs }: OpContext<TransposeAttributes>): PixelMap => {
  const { shape } = inputs[0]!;
  const strides = elementStrides(shape);
  return pixelMap(
    op.attrs.perm.map((axis) => ramp(shape[axis], strides[axis])),
    elementCount(shape),
  );
});
