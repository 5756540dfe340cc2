/**
 * a to the power of b; the result has a's type. 1^b and (-1)^infinity are 1, as in C. Whole numbers are truncated and
 * end at 31 bits and a sign, as a conversion from floats does in WebAssembly; ONNX leaves it open.
 */
import { binaryOperator } from './binary.ts';

function power(a: number, b: number): number {
  if (a === 1) return 1;
  return a === -1 && (b === Infinity || b === -Infinity) ? 1 : a ** b;
}

export const pow = binaryOperator({
  kind: 'Pow',
  mixed: true,
  real: () => power,
  integer: () => (a, b) => Math.trunc(Math.max(-2147483648, Math.min(2147483647, power(a, b)))),
});
