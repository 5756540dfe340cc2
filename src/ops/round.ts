/** Nearest integer, ties to even (both formats). */
import { roundHalfEven } from './stored.ts';
import { unaryOperator } from './unary.ts';

export const round = unaryOperator({
  kind: 'Round',
  real: () => roundHalfEven,
});
