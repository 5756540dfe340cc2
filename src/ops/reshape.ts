/** Reshape: the same elements under another shape. */
import { TidemarkError } from '../errors.ts';
import { channelsOf, elementCount } from '../graph/graph.ts';
import { elementIndex, mayAlias, movedQuant, movedType } from './move.ts';
import type { OperatorDef } from './operator.ts';

export type ReshapeAttributes = { readonly shape: readonly number[] };

export const reshape: OperatorDef<ReshapeAttributes> = {
  kind: 'Reshape',
  access: 'pixel',
  infer([x], { shape }, given) {
    if (elementCount(shape) !== elementCount(x!.shape)) {
      throw new TidemarkError(
        'shape-mismatch',
        `cannot reshape ${x!.name} of shape [${x!.shape}] to [${shape}]: the numbers of elements differ`,
      );
    }
    const quant = movedQuant(x!, (axis) => axisAfterReshape(x!.shape, shape, axis));
    return [{ shape, ...movedType(x!, given, quant) }];
  },
  reads({ inputs, outputs }, _index, lo, hi) {
    const from = channelsOf(inputs[0]!.shape);
    const to = channelsOf(outputs[0].shape);
    return { lo: Math.floor((lo * to) / from), hi: Math.ceil((hi * to) / from) };
  },
  inPlace: () => [0],
  macs: () => 0,
  aliases(ctx) {
    if (!mayAlias(ctx)) return [];
    const [y] = ctx.outputs;
    return [{ child: y.id, parent: ctx.inputs[0]!.id, offset: 0, pixelStride: channelsOf(y.shape) }];
  },
  kernel({ inputs, outputs }) {
    const from = channelsOf(inputs[0]!.shape);
    const to = channelsOf(outputs[0].shape);
    return ([x], [y], lo, hi) => {
      const index = elementIndex(x!, from);
      for (let p = lo; p < hi; p++) {
        const o = y.at(p);
        for (let c = 0; c < to; c++) y.data[o + c] = x!.data[index(p * to + c)];
      }
    };
  },
};

/** The axis of the new shape that runs over the same elements with the same stride. */
export function axisAfterReshape(
  from: readonly number[],
  to: readonly number[],
  axis: number,
): number | undefined {
  const inner = elementCount(from.slice(axis + 1));
  const found = to.findIndex((d, i) => d === from[axis] && elementCount(to.slice(i + 1)) === inner);
  return found < 0 ? undefined : found;
}
