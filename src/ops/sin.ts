/** Sine of radians. */
import { unaryOperator } from './unary.ts';

export const sin = unaryOperator({
  kind: 'Sin',
  real: () => Math.sin,
});
