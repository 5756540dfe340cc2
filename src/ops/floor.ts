/** Greatest integer not above x. */
import { unaryOperator } from './unary.ts';

export const floor = unaryOperator({
  kind: 'Floor',
  real: () => Math.floor,
});
