/** MaxPool: the greatest value of each window and channel. The padding never wins. */
import { TidemarkError } from '../errors.ts';
import { channelsOf, type Tensor } from '../graph/graph.ts';
import { coreOutputType } from './core-type.ts';
import type { OperatorDef } from './operator.ts';
import { poolFold } from './pool-fold.ts';
import { type PoolAttributes, poolReads, poolWindow } from './pool-window.ts';
import { requantiser, samePooledType } from './requantiser.ts';
import { integerRange, sameQuantisation } from './stored.ts';
import { windowTaps } from './window.ts';

/** What a window that meets no input gives, and what any value is at least. */
function startOf({ dtype }: Tensor): number {
  return dtype === 'f32' ? Number.NEGATIVE_INFINITY : integerRange(dtype)[0];
}

export const maxPool: OperatorDef<PoolAttributes> = {
  kind: 'MaxPool',
  access: 'pixel',
  infer([x], attrs, given) {
    const window = poolWindow(x, attrs);
    if (x!.dtype === 'bool') throw new TidemarkError('type-unsupported', 'no maximum of bool values');
    const type = samePooledType(x!, given?.[0]);
    if (x!.dtype === 'i32' && !sameQuantisation(x!.quant, type.quant))
      throw new TidemarkError('type-unsupported', 'no maximum of i32 values of one scale into another');
    return [
      {
        shape: [window.batch, window.y.output, window.x.output, x!.shape[3]],
        ...type,
      },
    ];
  },
  reads: (ctx, _index, lo, hi) => poolReads(ctx, lo, hi),
  macs: () => 0,
  fold: poolFold(({ op, inputs, outputs, dialect }) => {
    const x = inputs[0]!;
    const convert = requantiser(x, coreOutputType(op.epilogue, outputs[0]), dialect);
    return {
      start: startOf(x),
      step: (best, value) => (value > best ? value : best),
      finish: convert ?? ((best) => best),
    };
  }),
  kernel({ op, inputs, outputs, dialect }) {
    const window = poolWindow(inputs[0], op.attrs);
    const channels = channelsOf(outputs[0].shape);
    const taps = windowTaps(window);
    const { source } = taps;
    const convert = requantiser(inputs[0]!, coreOutputType(op.epilogue, outputs[0]), dialect);
    const start = startOf(inputs[0]!);
    return ([x], [y], lo, hi) => {
      const xs = x!.data;
      const ys = y.data;
      for (let p = lo; p < hi; p++) {
        const count = taps.find(x!, p);
        const out = y.at(p);
        for (let c = 0; c < channels; c++) {
          let best = start;
          for (let t = 0; t < count; t++) {
            const v = xs[source[t] + c];
            if (v > best) best = v;
          }
          ys[out + c] = convert ? convert(best) : best;
        }
      }
    };
  },
};
