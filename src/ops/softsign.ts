/** x / (1 + |x|). */
import { unaryOperator } from './unary.ts';

export const softsign = unaryOperator({
  kind: 'Softsign',
  real: () => (x) => x / (1 + Math.abs(x)),
});
