/** Difference. TFLite: fixed point, see src/arithmetic/quantised-sum.ts. */
import { quantisedSum } from '../arithmetic/quantised-sum.ts';
import { binaryOperator } from './binary.ts';
import { wholeQuantisation } from './stored.ts';

export const sub = binaryOperator({
  kind: 'Sub',
  real: () => (a, b) => a - b,
  integer: () => (a, b) => (a - b) | 0,
  stored({ a, b, to, dialect }) {
    const [qa, qb, qy] = [a, b, to].map(wholeQuantisation);
    return dialect === 'tflite' && qa && qb && qy ? quantisedSum(qa, qb, qy, to.dtype, -1) : undefined;
  },
  run(a, i, sa, b, j, sb, y, o, count) {
    for (let e = 0; e < count; e++) y[o + e] = a[i + e * sa] - b[j + e * sb];
  },
});
