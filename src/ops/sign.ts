/** -1, 0 or 1. */
import { unaryOperator } from './unary.ts';

export const sign = unaryOperator({
  kind: 'Sign',
  real: () => Math.sign,
});
