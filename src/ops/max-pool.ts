/** MaxPool: the greatest value of each window and channel. The padding never wins. */
import { TidemarkError } from '../errors.ts';
import { channelsOf } from '../graph/graph.ts';
import { coreOutputType } from './core-type.ts';
import type { OperatorDef } from './operator.ts';
import { poolFold } from './pool-fold.ts';
import { type PoolAttributes, poolWindow } from './pool-window.ts';
import { requantiser, samePooledType } from './requantiser.ts';
import { integerRange } from './stored.ts';
import { axisNeeds, rasterNeeds, windowTaps } from './window.ts';

export const maxPool: OperatorDef<PoolAttributes> = {
  kind: 'MaxPool',
  access: 'pixel',
  infer([x], attrs, given) {
    const window = poolWindow(x, attrs);
    if (x!.dtype === 'bool') throw new TidemarkError('type-unsupported', 'no maximum of bool values');
    return [
      {
        shape: [window.batch, window.y.output, window.x.output, x!.shape[3]],
        ...samePooledType(x!, given?.[0]),
      },
    ];
  },
  reads({ op, inputs }, _index, lo, hi) {
    const { batch, y, x } = poolWindow(inputs[0], op.attrs);
    return rasterNeeds(batch, axisNeeds(y), axisNeeds(x), lo, hi);
  },
  macs: () => 0,
  fold: poolFold(({ op, inputs, outputs, dialect }) => {
    const x = inputs[0]!;
    const convert = requantiser(x, coreOutputType(op.epilogue, outputs[0]), dialect);
    return {
      start: x.dtype === 'f32' ? Number.NEGATIVE_INFINITY : integerRange(x.dtype)[0],
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
    return ([x], [y], lo, hi) => {
      const xs = x!.data;
      const ys = y.data;
      for (let p = lo; p < hi; p++) {
        const count = taps.find(x!, p);
        const out = y.at(p);
        for (let c = 0; c < channels; c++) {
          // -Infinity becomes the least stored value where the window meets no input
          let best = Number.NEGATIVE_INFINITY;
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
