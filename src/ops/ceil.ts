/** Least integer not below x. */
import { unaryOperator } from './unary.ts';

export const ceil = unaryOperator({
  kind: 'Ceil',
  real: () => Math.ceil,
});
