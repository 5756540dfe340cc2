/** Logical negation. */
import { unaryOperator } from './unary.ts';

export const not = unaryOperator({
  kind: 'Not',
  real: () => (x) => (x === 0 ? 1 : 0),
});
