/** Quotient rounded down; of integers 0 where the divisor is 0. */
import { binaryOperator } from './binary.ts';

export const floorDiv = binaryOperator({
  kind: 'FloorDiv',
  real: () => (a, b) => Math.floor(Math.fround(a / b)),
  integer: () => (a, b) => (b === 0 ? 0 : Math.floor(a / b) | 0),
});
