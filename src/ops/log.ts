/** Natural logarithm. */
import { unaryOperator } from './unary.ts';

export const log = unaryOperator({
  kind: 'Log',
  real: () => Math.log,
});
