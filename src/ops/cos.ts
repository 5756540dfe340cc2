/** Cosine of radians. */
import { unaryOperator } from './unary.ts';

export const cos = unaryOperator({
  kind: 'Cos',
  real: () => Math.cos,
});
