/** The stored values as they are. */
import { unaryOperator } from './unary.ts';

export const copy = unaryOperator({
  kind: 'Copy',
  real: () => (x) => x,
  stored: () => (q) => q,
  run: () => (from, i, to, o, count) => {
    for (let e = 0; e < count; e++) to[o + e] = from[i + e];
  },
});
