/** From one quantisation to another. The output's type comes from the file. */
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from '../arithmetic/tflite.ts';
import { TidemarkError } from '../errors.ts';
import type { ElementType } from '../graph/graph.ts';
import { saturate, wholeQuantisation } from './stored.ts';
import { unaryOperator } from './unary.ts';

/** TFLite's Requantize: the fixed-point ratio of the scales. Both types are quantised as a whole. */
export function requantiser(from: ElementType, to: ElementType): (q: number) => number {
  const a = wholeQuantisation(from);
  const b = wholeQuantisation(to);
  if (!a || !b) throw new TidemarkError('quantisation-invalid', 'Requantize takes one scale a tensor');
  const { multiplier, shift } = quantizeMultiplier(a.scale / b.scale);
  return (q) => saturate(multiplyByQuantizedMultiplier(q - a.zero, multiplier, shift) + b.zero, to.dtype);
}

export const requantize = unaryOperator({
  kind: 'Requantize',
  real: () => (x) => x,
  stored: (_attrs, from, to, dialect) =>
    dialect === 'tflite' && wholeQuantisation(from) && wholeQuantisation(to)
      ? requantiser(from, to)
      : undefined,
});
