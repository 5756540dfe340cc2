/**
 * Remainder. It has the divisor's sign (ONNX integers, TFLite FLOOR_MOD), or with `truncated` the dividend's
 * (ONNX fmod = 1). Of integers 0 where the divisor is 0.
 */
import { binaryOperator } from './binary.ts';

export type ModAttributes = { readonly truncated?: boolean };

function floored(a: number, b: number): number {
  const r = a % b;
  return r !== 0 && r < 0 !== b < 0 ? r + b : r;
}

export const mod = binaryOperator<ModAttributes>({
  kind: 'Mod',
  real: ({ truncated }) => (truncated ? (a, b) => a % b : floored),
  integer: ({ truncated }) => (truncated ? (a, b) => (a % b) | 0 : (a, b) => floored(a, b) | 0),
});
