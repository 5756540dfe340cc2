/** x * Phi(x) with the normal distribution's Phi; approximated by tanh (arXiv 1606.08415) where asked to. */
import { errorFunction } from '../arithmetic/error-function.ts';
import { unaryOperator } from './unary.ts';

/** ONNX says none or tanh, TFLite false or true. */
export type GeluAttributes = { readonly approximate: boolean | 'none' | 'tanh' };

export const gelu = unaryOperator<GeluAttributes>({
  kind: 'Gelu',
  real: ({ approximate }) =>
    approximate === true || approximate === 'tanh'
      ? (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))
      : (x) => 0.5 * x * (1 + errorFunction(x * Math.SQRT1_2)),
});
