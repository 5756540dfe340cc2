/** GatherND: each row of the indices' last axis names a slice of x by its leading coordinates. */
import { TidemarkError } from '../errors.ts';
import { channelsOf, elementCount } from '../graph/graph.ts';
import { insideAxis } from './gather.ts';
import { checkIndices, elementIndex, elementStrides, movedQuant, movedType } from './move.ts';
import type { OperatorDef } from './operator.ts';

export const gatherND: OperatorDef = {
  kind: 'GatherND',
  access: 'whole',
  infer([x, indices], _attrs, given) {
    checkIndices(indices!);
    const depth = indices!.shape.at(-1) ?? 0;
    if (indices!.shape.length === 0 || depth > x!.shape.length) {
      throw new TidemarkError(
        'shape-mismatch',
        `indices of shape [${indices!.shape}] do not fit ${x!.name} [${x!.shape}]`,
      );
    }
    const shape = [...indices!.shape.slice(0, -1), ...x!.shape.slice(depth)];
    const moved = indices!.shape.length - 1 - depth;
    const quant = movedQuant(x!, (axis) => (axis < depth ? undefined : axis + moved));
    return [{ shape, ...movedType(x!, given, quant) }];
  },
  macs: () => 0,
  kernel({ inputs, outputs }) {
    const { shape } = inputs[0]!;
    const depth = channelsOf(inputs[1]!.shape);
    const strides = elementStrides(shape);
    const inner = elementCount(shape.slice(depth));
    const channels = channelsOf(outputs[0].shape);
    return ([x, indices], [y], lo, hi) => {
      const from = elementIndex(x!, channelsOf(shape));
      for (let p = lo; p < hi; p++) {
        const o = y.at(p);
        for (let c = 0; c < channels; c++) {
          const e = p * channels + c;
          const row = indices!.at(Math.floor(e / inner));
          let start = 0;
          for (let k = 0; k < depth; k++) start += insideAxis(indices!.data[row + k], shape[k]) * strides[k];
          y.data[o + c] = x!.data[from(start + (e % inner))];
        }
      }
    };
  },
};
