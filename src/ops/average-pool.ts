/**
 * AveragePool: the mean of each window and channel. The divisor is the number of taps inside the input, or with
 * `countPad` inside the input and its pads (as ONNX Runtime counts: what a ceil window adds beyond is left out).
 */
import { TidemarkError } from '../errors.ts';
import { type Attributes, channelsOf, type Dialect, type ElementType } from '../graph/graph.ts';
import { coreOutputType } from './core-type.ts';
import type { OperatorDef } from './operator.ts';
import { poolFold } from './pool-fold.ts';
import { type PoolAttributes, poolReads, poolWindow } from './pool-window.ts';
import { samePooledType } from './requantiser.ts';
import { dequantiser, integerRange, quantiser } from './stored.ts';
import { type WindowAxis, windowTaps } from './window.ts';

export interface AveragePoolAttributes extends PoolAttributes, Attributes {
  readonly countPad: boolean;
}

const { fround } = Math;

/** Taps of output o inside the input and its two pads. */
function paddedTaps(axis: WindowAxis, after: number, o: number): number {
  const room = axis.input + after - (o * axis.stride - axis.pad);
  return Math.min(axis.taps, Math.ceil(room / axis.dilation));
}

/** (sum of stored values, number of them, divisor) -> stored mean. */
type Mean = (sum: number, found: number, divisor: number) => number;

function meanOf(from: ElementType, to: ElementType, dialect: Dialect): Mean {
  if (from.dtype === 'f32') return (sum, _found, divisor) => fround(sum / Math.max(1, divisor));
  const [least, greatest] = integerRange(to.dtype);
  if (dialect === 'tflite') {
    return (sum, found) => {
      const half = Math.floor(found / 2);
      const mean = Math.trunc((sum > 0 ? sum + half : sum - half) / Math.max(1, found));
      return Math.min(greatest, Math.max(least, mean));
    };
  }
  // Padding counts as real zero: found values less their zero points, over the divisor.
  const decode = dequantiser({ dtype: from.dtype, quant: from.quant && { ...from.quant, zeroPoint: [0] } });
  const encode = quantiser(to, dialect);
  const zero = from.quant?.zeroPoint[0] ?? 0;
  return (sum, found, divisor) => encode(fround(decode(sum - found * zero) / Math.max(1, divisor)));
}

export const averagePool: OperatorDef<AveragePoolAttributes> = {
  kind: 'AveragePool',
  access: 'pixel',
  infer([x], attrs, given) {
    const { batch, y, x: across } = poolWindow(x, attrs);
    if (x!.dtype !== 'f32' && !x!.quant) {
      throw new TidemarkError('type-unsupported', `no average of unquantised ${x!.dtype} values`);
    }
    return [{ shape: [batch, y.output, across.output, x!.shape[3]], ...samePooledType(x!, given?.[0]) }];
  },
  reads: (ctx, _index, lo, hi) => poolReads(ctx, lo, hi),
  macs: () => 0,
  fold: poolFold(({ op, inputs, outputs, dialect }) => {
    const { y, x } = poolWindow(inputs[0], op.attrs);
    const [, , bottom, right] = op.attrs.pads ?? [0, 0, 0, 0];
    const count = y.input * x.input;
    const divisor = op.attrs.countPad ? paddedTaps(y, bottom, 0) * paddedTaps(x, right, 0) : count;
    const mean = meanOf(inputs[0]!, coreOutputType(op.epilogue, outputs[0]), dialect);
    return { start: 0, step: (sum, value) => sum + value, finish: (sum) => mean(sum, count, divisor) };
  }),
  kernel({ op, inputs, outputs, dialect }) {
    const window = poolWindow(inputs[0], op.attrs);
    const channels = channelsOf(outputs[0].shape);
    const taps = windowTaps(window);
    const { source } = taps;
    const mean = meanOf(inputs[0]!, coreOutputType(op.epilogue, outputs[0]), dialect);
    const float = inputs[0]!.dtype === 'f32';
    const { countPad } = op.attrs;
    const [, , bottom, right] = op.attrs.pads ?? [0, 0, 0, 0];
    const { y: down, x: across } = window;
    return ([x], [y], lo, hi) => {
      const xs = x!.data;
      for (let p = lo; p < hi; p++) {
        const count = taps.find(x!, p);
        const out = y.at(p);
        const divisor = countPad
          ? paddedTaps(down, bottom, Math.floor(p / across.output) % down.output) *
            paddedTaps(across, right, p % across.output)
          : count;
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          if (float) for (let t = 0; t < count; t++) sum = fround(sum + xs[source[t] + c]);
          else for (let t = 0; t < count; t++) sum += xs[source[t] + c];
          y.data[out + c] = mean(sum, count, divisor);
        }
      }
    };
  },
};
