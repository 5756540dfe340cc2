/** x for x >= 0, x * slope below; the slope broadcasts. TFLite: one fixed-point factor for each side. */
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from '../arithmetic/tflite.ts';
import { binaryOperator } from './binary.ts';
import { saturate, wholeQuantisation } from './stored.ts';

export const pRelu = binaryOperator({
  kind: 'PRelu',
  real: () => (x, slope) => (x < 0 ? x * slope : x),
  stored({ a, b, to, dialect }) {
    const [qa, qb, qy] = [a, b, to].map(wholeQuantisation);
    if (dialect !== 'tflite' || !qa || !qb || !qy) return undefined;
    const above = quantizeMultiplier(qa.scale / qy.scale);
    const below = quantizeMultiplier((qa.scale * qb.scale) / qy.scale);
    return (q, s) => {
      const x = q - qa.zero;
      const y =
        x >= 0
          ? multiplyByQuantizedMultiplier(x, above.multiplier, above.shift)
          : multiplyByQuantizedMultiplier(Math.imul(x, s - qb.zero), below.multiplier, below.shift);
      return saturate(y + qy.zero, to.dtype);
    };
  },
});
