/** x * sigmoid(x), also called swish. */
import { unaryOperator } from './unary.ts';

export const silu = unaryOperator({
  kind: 'Silu',
  real: () => (x) => x / (1 + Math.exp(-x)),
});
