/** x for x >= 0, alpha * x below. TFLite: one fixed-point factor for each side. */
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from '../arithmetic/tflite.ts';
import { saturate, wholeQuantisation } from './stored.ts';
import { unaryOperator } from './unary.ts';

export type LeakyReluAttributes = { readonly alpha: number };

export const leakyRelu = unaryOperator<LeakyReluAttributes>({
  kind: 'LeakyRelu',
  real(attrs) {
    const alpha = Math.fround(attrs.alpha);
    return (x) => (x < 0 ? x * alpha : x);
  },
  stored({ alpha }, from, to, dialect) {
    const [a, b] = [wholeQuantisation(from), wholeQuantisation(to)];
    if (dialect !== 'tflite' || !a || !b) return undefined;
    // The micro kernel forms both factors in float32.
    const below = quantizeMultiplier(Math.fround(Math.fround(a.scale * Math.fround(alpha)) / b.scale));
    const above = quantizeMultiplier(Math.fround(a.scale / b.scale));
    return (q) => {
      const x = q - a.zero;
      const { multiplier, shift } = x >= 0 ? above : below;
      return saturate(multiplyByQuantizedMultiplier(x, multiplier, shift) + b.zero, to.dtype);
    };
  },
});
