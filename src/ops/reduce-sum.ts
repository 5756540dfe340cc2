/** ReduceSum: the sum over the axes. */
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from '../arithmetic/tflite.ts';
import { reduceOperator } from './reduce.ts';
import { sumInteger, sumReal } from './reduce-sums.ts';
import { saturate } from './stored.ts';

export const reduceSum = reduceOperator('ReduceSum', (from, to, count, dialect) => {
  if (from.dtype !== 'f32' && !from.quant && !to.quant) return sumInteger();
  if (dialect !== 'tflite' || !from.quant || !to.quant) return sumReal(from, to, dialect);
  const factor = Math.fround(from.quant.scale[0]) / Math.fround(to.quant.scale[0]);
  const { multiplier, shift } = quantizeMultiplier(factor);
  const offset = from.quant.zeroPoint[0] * count;
  const zero = to.quant.zeroPoint[0];
  return sumInteger((sum) =>
    saturate(multiplyByQuantizedMultiplier((sum - offset) | 0, multiplier, shift) + zero, to.dtype),
  );
});
