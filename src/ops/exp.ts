/** e^x. */
import { unaryOperator } from './unary.ts';

export const exp = unaryOperator({
  kind: 'Exp',
  real: () => Math.exp,
});
