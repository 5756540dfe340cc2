/** -x. */
import { unaryOperator } from './unary.ts';

export const neg = unaryOperator({
  kind: 'Neg',
  real: () => (x) => -x,
});
