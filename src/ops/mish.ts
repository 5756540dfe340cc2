/** x * tanh(ln(1 + e^x)). */
import { unaryOperator } from './unary.ts';

export const mish = unaryOperator({
  kind: 'Mish',
  real: () => (x) => x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
});
