/** Logical and. */
import { binaryOperator } from './binary.ts';

export const and = binaryOperator({
  kind: 'And',
  type: { dtype: 'bool' },
  real: () => (a, b) => (a !== 0 && b !== 0 ? 1 : 0),
  integer: () => (a, b) => (a !== 0 && b !== 0 ? 1 : 0),
});
