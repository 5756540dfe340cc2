/** Product. TFLite: the integer product of the offsets, brought to the output's scale by one multiplier. */
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from '../arithmetic/tflite.ts';
import { binaryOperator } from './binary.ts';
import { saturate, wholeQuantisation } from './stored.ts';

export const mul = binaryOperator({
  kind: 'Mul',
  real: () => (a, b) => a * b,
  integer: () => Math.imul,
  stored({ a, b, to, dialect }) {
    const [qa, qb, qy] = [a, b, to].map(wholeQuantisation);
    if (dialect !== 'tflite' || !qa || !qb || !qy) return undefined;
    const { multiplier, shift } = quantizeMultiplier((qa.scale * qb.scale) / qy.scale);
    return (x, y) => {
      const product = Math.imul(x - qa.zero, y - qb.zero);
      return saturate(multiplyByQuantizedMultiplier(product, multiplier, shift) + qy.zero, to.dtype);
    };
  },
  run(a, i, sa, b, j, sb, y, o, count) {
    for (let e = 0; e < count; e++) y[o + e] = a[i + e * sa] * b[j + e * sb];
  },
});
