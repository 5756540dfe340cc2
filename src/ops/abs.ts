/** |x|. TFLite: the distance from the zero point, by the scales' fixed-point ratio. */
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from '../arithmetic/tflite.ts';
import { saturate, wholeQuantisation } from './stored.ts';
import { unaryOperator } from './unary.ts';

export const abs = unaryOperator({
  kind: 'Abs',
  real: () => Math.abs,
  stored(_attrs, from, to, dialect) {
    const [a, b] = [wholeQuantisation(from), wholeQuantisation(to)];
    if (dialect !== 'tflite' || !a || !b) return undefined;
    const { multiplier, shift } = quantizeMultiplier(a.scale / b.scale);
    return (q) => {
      const x = multiplyByQuantizedMultiplier(Math.abs(q - a.zero), multiplier, shift);
      return saturate(x + b.zero, to.dtype);
    };
  },
});
