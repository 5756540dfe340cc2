/** ReduceMean: the sum over the count. Global average pooling is this over rows and columns. */
import { requantise } from '../arithmetic/onnx.ts';
import { quantizedMean } from '../arithmetic/quantised-mean.ts';
import { reduceOperator } from './reduce.ts';
import { sumInteger, sumReal } from './reduce-sums.ts';
import { integerRange } from './stored.ts';

export const reduceMean = reduceOperator('ReduceMean', (from, to, count, dialect) => {
  if (!from.quant || !to.quant) {
    if (from.dtype === 'f32' || to.dtype === 'f32')
      return sumReal(from, to, dialect, (sum) => Math.fround(sum / Math.fround(count)));
    return sumInteger((sum) => Math.trunc(sum / count));
  }
  const [least, greatest] = integerRange(to.dtype);
  const zero = to.quant.zeroPoint[0];
  const offset = from.quant.zeroPoint[0] * count;
  if (dialect === 'tflite') {
    const mean = quantizedMean(from.quant.scale[0], to.quant.scale[0], count);
    return sumInteger((sum) => Math.min(greatest, Math.max(least, mean(sum - offset) + zero)));
  }
  // ONNX Runtime's QLinearGlobalAveragePool: one float32 factor for scale and count, ties to even.
  const scale = Math.fround(
    Math.fround(from.quant.scale[0]) / Math.fround(Math.fround(to.quant.scale[0]) * Math.fround(count)),
  );
  return sumInteger((sum) => requantise(sum - offset, scale, zero, least, greatest));
});
