/** ArgMax and ArgMin: the index of the greatest or least element along an axis, as i32. Stored values are compared. */
import { channelsOf } from '../graph/graph.ts';
import { checkAxis, elementIndex } from './move.ts';
import type { OperatorDef } from './operator.ts';
import { reducedShape, reductionOf, reductionReads } from './reduce-geometry.ts';

export type ArgAttributes = {
  readonly axis: number;
  readonly keepDims: boolean;
  readonly selectLast: boolean;
};

function argOperator(kind: string, better: (a: number, b: number) => boolean): OperatorDef<ArgAttributes> {
  return {
    kind,
    access: 'pixel',
    infer([x], { axis, keepDims }) {
      checkAxis(axis, x!);
      return [{ shape: reducedShape(x!.shape, [axis], keepDims), dtype: 'i32' }];
    },
    reads: ({ op, inputs, outputs }, _index, lo, hi) =>
      reductionReads(inputs[0]!.shape, [op.attrs.axis], outputs[0].shape, lo, hi),
    macs: () => 0,
    kernel({ op, inputs, outputs }) {
      const { axis, selectLast } = op.attrs;
      const { starts, offsets } = reductionOf(inputs[0]!.shape, [axis]);
      const from = channelsOf(inputs[0]!.shape);
      const channels = channelsOf(outputs[0].shape);
      return ([x], [y], lo, hi) => {
        const index = elementIndex(x!, from);
        for (let p = lo; p < hi; p++) {
          const o = y.at(p);
          for (let c = 0; c < channels; c++) {
            const start = starts(p * channels + c);
            let best = 0;
            let bestValue = x!.data[index(start)];
            for (let k = 1; k < offsets.length; k++) {
              const v = x!.data[index(start + offsets[k])];
              if (better(v, bestValue) || (selectLast && v === bestValue)) {
                best = k;
                bestValue = v;
              }
            }
            y.data[o + c] = best;
          }
        }
      };
    },
  };
}

export const argMax = argOperator('ArgMax', (a, b) => a > b);
export const argMin = argOperator('ArgMin', (a, b) => a < b);
