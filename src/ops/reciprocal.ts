/** 1 / x. */
import { unaryOperator } from './unary.ts';

export const reciprocal = unaryOperator({
  kind: 'Reciprocal',
  real: () => (x) => 1 / x,
});
