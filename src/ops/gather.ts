/**
 * Gather: slices of x along one axis, at given indices; negative ones count from the end. Constant indices on an
 * axis before the last move whole pixels; a list of them on the last axis selects channels.
 */
import { TidemarkError } from '../errors.ts';
import { channelsOf, elementCount, pixelsOf } from '../graph/graph.ts';
import { perContext } from './context-memo.ts';
import {
  checkAxis,
  checkIndices,
  elementIndex,
  elementStrides,
  movedQuant,
  movedType,
  viewOfInput,
} from './move.ts';
import type { Kernel, OpContext, OperatorDef } from './operator.ts';
import { copyKernel, elementsToPixels, type PixelMap, pixelMap, pixelStrides, ramp } from './pixel-map.ts';

export type GatherAttributes = { readonly axis: number };

export const gather: OperatorDef<GatherAttributes> = {
  kind: 'Gather',
  access: 'pixel',
  infer([x, indices], { axis }, given) {
    checkAxis(axis, x!);
    checkIndices(indices!);
    const shape = [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)];
    const shift = indices!.shape.length - 1;
    const quant = movedQuant(x!, (a) => (a === axis ? undefined : a < axis ? a : a + shift));
    return [{ shape, ...movedType(x!, given, quant) }];
  },
  reads(ctx, index, lo, hi) {
    const elements = index === 0 ? elementsOf(ctx) : undefined;
    if (!elements) return { lo: 0, hi: hi > lo ? pixelsOf(ctx.inputs[index]!.shape) : 0 };
    const to = channelsOf(ctx.outputs[0].shape);
    return elementsToPixels(elements.hull(lo * to, hi * to), channelsOf(ctx.inputs[0]!.shape));
  },
  macs: () => 0,
  aliases(ctx) {
    const moves = movesOf(ctx);
    return moves ? viewOfInput(ctx, moves.map, moves.channels) : [];
  },
  kernel(ctx) {
    const moves = movesOf(ctx);
    return moves ? copyKernel(moves.map, moves.channels) : elementKernel(ctx);
  },
};

/** An index from 0 on; throws where it is outside the axis. */
export function insideAxis(index: number, length: number): number {
  const i = index < 0 ? index + length : index;
  if (!(i >= 0 && i < length)) {
    throw new TidemarkError('input-invalid', `index ${index} is outside an axis of length ${length}`);
  }
  return i;
}

interface Moves {
  readonly map: PixelMap;
  readonly channels: readonly number[];
}

/** Whole pixels or channels to move, where the indices are constant and pixels stay pixels. */
const movesOf = perContext((ctx: OpContext<GatherAttributes>): Moves | undefined => {
  const [x, indices] = ctx.inputs;
  const { axis } = ctx.op.attrs;
  const last = x!.shape.length - 1;
  if (!indices!.constant || (axis === last && indices!.shape.length !== 1)) return undefined;
  const taken = Array.from(indices!.constant.load(), (i) => insideAxis(i, x!.shape[axis]));
  const tables = pixelStrides(x!.shape).map((step, k) =>
    k === axis ? taken.map((i) => i * step) : ramp(x!.shape[k], step),
  );
  return {
    map: pixelMap(tables, pixelsOf(x!.shape)),
    channels: axis === last ? taken : ramp(channelsOf(x!.shape), 1),
  };
});

/** Where each element comes from, where the indices are constant. */
const elementsOf = perContext((ctx: OpContext<GatherAttributes>): PixelMap | undefined => {
  const [x, indices] = ctx.inputs;
  const { axis } = ctx.op.attrs;
  if (!indices!.constant) return undefined;
  const taken = Array.from(indices!.constant.load(), (i) => insideAxis(i, x!.shape[axis]));
  const tables = elementStrides(x!.shape).map((step, k) =>
    k === axis ? taken.map((i) => i * step) : ramp(x!.shape[k], step),
  );
  return pixelMap(tables, elementCount(x!.shape));
});

function elementKernel({ op, inputs, outputs }: OpContext<GatherAttributes>): Kernel {
  const { shape } = inputs[0]!;
  const { axis } = op.attrs;
  const inner = elementCount(shape.slice(axis + 1));
  const count = elementCount(inputs[1]!.shape);
  const channels = channelsOf(outputs[0].shape);
  return ([x, indices], [y], lo, hi) => {
    const from = elementIndex(x!, channelsOf(shape));
    const which = elementIndex(indices!, channelsOf(inputs[1]!.shape));
    for (let p = lo; p < hi; p++) {
      const o = y.at(p);
      for (let c = 0; c < channels; c++) {
        const e = p * channels + c;
        const slice = Math.floor(e / inner);
        const taken = insideAxis(indices!.data[which(slice % count)], shape[axis]);
        const start = (Math.floor(slice / count) * shape[axis] + taken) * inner;
        y.data[o + c] = x!.data[from(start + (e % inner))];
      }
    }
  };
}
