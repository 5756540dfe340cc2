/** 1 / (1 + e^-x). */
import { unaryOperator } from './unary.ts';

export const sigmoid = unaryOperator({
  kind: 'Sigmoid',
  real: () => (x) => 1 / (1 + Math.exp(-x)),
});
