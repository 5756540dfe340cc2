/** a to the power of b; the result has a's type. 1^b and (-1)^infinity are 1, as in C. */
import { binaryOperator } from './binary.ts';

function power(a: number, b: number): number {
  if (a === 1) return 1;
  return a === -1 && (b === Infinity || b === -Infinity) ? 1 : a ** b;
}

export const pow = binaryOperator({
  kind: 'Pow',
  mixed: true,
  real: () => power,
  integer: () => (a, b) => Math.trunc(power(a, b)),
});
