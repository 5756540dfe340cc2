/** Square root. */
import { unaryOperator } from './unary.ts';

export const sqrt = unaryOperator({
  kind: 'Sqrt',
  real: () => Math.sqrt,
});
