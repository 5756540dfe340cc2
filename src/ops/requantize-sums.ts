/**
 * RequantizeSums: int32 sums of products, gathered by several operators, rounded to the output as the one operator that
 * they stand for would have rounded them. `from` is the type of that operator's input.
 */
import { TidemarkError } from '../errors.ts';
import { channelsOf, type DType } from '../graph/graph.ts';
import { sameShapeInputs } from './binary.ts';
import type { OpContext, OperatorDef } from './operator.ts';
import { outputStage } from './output-stage.ts';

export type RequantizeSumsAttributes = {
  readonly from: string;
  readonly inputScale: number;
  /** One, or one a channel. */
  readonly weightScales: readonly number[];
};

export const requantizeSums: OperatorDef<RequantizeSumsAttributes> = {
  kind: 'RequantizeSums',
  access: 'pixel',
  infer([x], _attrs, given) {
    const type = given?.[0];
    if (x?.dtype !== 'i32' || !type?.quant) {
      throw new TidemarkError('type-unsupported', `RequantizeSums takes int32 sums to a quantised type`);
    }
    return [{ shape: x.shape, dtype: type.dtype, quant: type.quant }];
  },
  reads: (_ctx, _index, lo, hi) => ({ lo, hi }),
  inPlace: sameShapeInputs,
  macs: () => 0,
  kernel(ctx) {
    const channels = channelsOf(ctx.outputs[0].shape);
    const finish = outputStage(asProduct(ctx), channels);
    return ([x], [y], lo, hi) => {
      for (let p = lo; p < hi; p++) {
        const i = x!.at(p);
        const o = y.at(p);
        for (let c = 0; c < channels; c++) y.data[o + c] = finish(x!.data[i + c], c);
      }
    };
  },
};

/** The operator that the sums stand for, as far as its rounding goes. */
export function asProduct(ctx: OpContext<RequantizeSumsAttributes>): OpContext {
  const { from, inputScale, weightScales } = ctx.op.attrs;
  const [x] = ctx.inputs;
  const zeros = weightScales.map(() => 0);
  return {
    ...ctx,
    op: { ...ctx.op, kind: 'Conv' },
    inputs: [
      { ...x!, dtype: from as DType, quant: { scale: [inputScale], zeroPoint: [0], axis: 0 } },
      { ...x!, dtype: 'i8', quant: { scale: weightScales, zeroPoint: zeros, axis: 0 } },
    ],
  };
}
