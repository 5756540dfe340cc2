/**
 * Quotient; of integers truncated towards zero, and 0 where the divisor is 0. TFLite's 8-bit form multiplies by
 * the divisor's reciprocal in fixed point.
 */
import { headroom, reciprocalOf } from '../arithmetic/reciprocal.ts';
import { highProduct, quantizeMultiplier, roundingShiftRight } from '../arithmetic/tflite.ts';
import { binaryOperator } from './binary.ts';
import { integerRange, saturate, wholeQuantisation } from './stored.ts';

export const div = binaryOperator({
  kind: 'Div',
  real: () => (a, b) => a / b,
  integer: () => (a, b) => (a / b) | 0,
  stored({ a, b, to, dialect }) {
    const [qa, qb, qy] = [a, b, to].map(wholeQuantisation);
    if (dialect !== 'tflite' || !qa || !qb || !qy) return undefined;
    const out = quantizeMultiplier(Math.fround(qa.scale / Math.fround(qb.scale * qy.scale)));
    const [least, greatest] = integerRange(to.dtype);
    return (x, y) => {
      const divisor = y - qb.zero;
      const dividend = divisor < 0 ? qa.zero - x : x - qa.zero;
      // The reference leaves division by zero open: here the sign's extreme.
      if (divisor === 0) return dividend === 0 ? qy.zero : dividend < 0 ? least : greatest;
      if (dividend === 0) return qy.zero;
      const { fraction, bits } = reciprocalOf(Math.abs(divisor));
      const room = headroom(dividend);
      const quotient = highProduct(dividend << room, fraction);
      const right = bits + room - out.shift;
      const scaled = highProduct(quotient, out.multiplier);
      const q = right > 31 ? 0 : right < 0 ? scaled * 2 ** -right : roundingShiftRight(scaled, right);
      return saturate(q + qy.zero, to.dtype);
    };
  },
  run(a, i, sa, b, j, sb, y, o, count) {
    for (let e = 0; e < count; e++) y[o + e] = a[i + e * sa] / b[j + e * sb];
  },
});
