/**
 * What the reductions share: shapes, the kernel, and the fold that consumes the input run by run. An output
 * element's accumulator takes its input elements in ascending order in both, so that both give the same bits.
 */
import { TidemarkError } from '../errors.ts';
import { channelsOf, type Dialect, type ElementType, elementCount } from '../graph/graph.ts';
import { coreOutputType } from './core-type.ts';
import { foldKernel, type Reducer } from './fold-kernel.ts';
import { checkAxis, elementIndex } from './move.ts';
import type { OpContext, OperatorDef } from './operator.ts';
import { reducedShape, reductionOf, reductionReads } from './reduce-geometry.ts';

export type ReduceAttributes = { readonly axes: readonly number[]; readonly keepDims: boolean };

export type MakeReducer = (from: ElementType, to: ElementType, count: number, dialect: Dialect) => Reducer;

export function reduceOperator(kind: string, make: MakeReducer): OperatorDef<ReduceAttributes> {
  const reducerOf = ({ op, inputs, outputs, dialect }: OpContext<ReduceAttributes>) => {
    const x = inputs[0]!;
    const count = elementCount(op.attrs.axes.map((axis) => x.shape[axis]));
    return make(x, coreOutputType(op.epilogue, outputs[0]), count, dialect);
  };
  return {
    kind,
    access: 'pixel',
    infer([x], { axes, keepDims }, given) {
      for (const axis of axes) checkAxis(axis, x!);
      if (new Set(axes).size !== axes.length) {
        throw new TidemarkError('operator-invalid', `the axes [${axes}] name one twice`);
      }
      const type = given?.[0] ?? x!;
      // Of real numbers the mean is then NaN; integers have nothing of the kind.
      if (type.quant && axes.some((axis) => x!.shape[axis] === 0))
        throw new TidemarkError('shape-mismatch', `nothing to reduce in [${x!.shape}] along [${axes}]`);
      return [{ shape: reducedShape(x!.shape, axes, keepDims), dtype: type.dtype, quant: type.quant }];
    },
    reads: ({ op, inputs, outputs }, _index, lo, hi) =>
      reductionReads(inputs[0]!.shape, op.attrs.axes, outputs[0].shape, lo, hi),
    macs: () => 0,
    kernel(ctx) {
      const reducer = reducerOf(ctx);
      const { starts, offsets } = reductionOf(ctx.inputs[0]!.shape, ctx.op.attrs.axes);
      const from = channelsOf(ctx.inputs[0]!.shape);
      const channels = channelsOf(ctx.outputs[0].shape);
      return ([x], [y], lo, hi) => {
        const index = elementIndex(x!, from);
        for (let p = lo; p < hi; p++) {
          const o = y.at(p);
          for (let c = 0; c < channels; c++) {
            const start = starts(p * channels + c);
            let a = reducer.start;
            for (let k = 0; k < offsets.length; k++) {
              a = reducer.step(a, x!.data[index(start + offsets[k])]);
            }
            y.data[o + c] = reducer.finish(a);
          }
        }
      };
    },
    fold: {
      stateBytes: ({ outputs }) => 4 * elementCount(outputs[0].shape),
      step: (ctx) => foldKernel(ctx, ctx.op.attrs.axes, reducerOf(ctx)),
    },
  };
}
