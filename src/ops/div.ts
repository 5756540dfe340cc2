/** Quotient; of integers truncated towards zero, and 0 where the divisor is 0. */
import { binaryOperator } from './binary.ts';

export const div = binaryOperator({
  kind: 'Div',
  real: () => (a, b) => a / b,
  integer: () => (a, b) => (a / b) | 0,
  run(a, i, sa, b, j, sb, y, o, count) {
    for (let e = 0; e < count; e++) y[o + e] = a[i + e * sa] / b[j + e * sb];
  },
});
