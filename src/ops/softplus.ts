/** ln(1 + e^x), safe for large x. */
import { unaryOperator } from './unary.ts';

export const softplus = unaryOperator({
  kind: 'Softplus',
  real: () => (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
});
