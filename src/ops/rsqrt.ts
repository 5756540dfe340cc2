/** 1 / sqrt(x). TFLite: fixed point; zero gives the greatest stored value. */
import { inverseSqrt } from '../arithmetic/inverse-sqrt.ts';
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from '../arithmetic/tflite.ts';
import { integerRange, saturate, wholeQuantisation } from './stored.ts';
import { unaryOperator } from './unary.ts';

/** Left shift that keeps the root's fraction while it is an integer. */
const FRACTION_BITS = 20;

export const rsqrt = unaryOperator({
  kind: 'Rsqrt',
  real: () => (x) => 1 / Math.fround(Math.sqrt(x)),
  stored(_attrs, from, to, dialect) {
    const [a, b] = [wholeQuantisation(from), wholeQuantisation(to)];
    if (dialect !== 'tflite' || !a || !b) return undefined;
    const scale = quantizeMultiplier(1 / (Math.sqrt(a.scale) * b.scale));
    return (q) => {
      const x = q - a.zero;
      if (x <= 0) return integerRange(to.dtype)[1];
      const { multiplier, shift } = inverseSqrt(x);
      const root = multiplyByQuantizedMultiplier(1, multiplier, shift + FRACTION_BITS);
      const y = multiplyByQuantizedMultiplier(root, scale.multiplier, scale.shift - FRACTION_BITS);
      return saturate(y + b.zero, to.dtype);
    };
  },
});
