/** x * Phi(x) with the normal distribution's Phi; `approximate`: by tanh, as in the paper (arXiv 1606.08415). */
import { errorFunction } from '../arithmetic/error-function.ts';
import { unaryOperator } from './unary.ts';

export type GeluAttributes = { readonly approximate: boolean };

export const gelu = unaryOperator<GeluAttributes>({
  kind: 'Gelu',
  real: ({ approximate }) =>
    approximate
      ? (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))
      : (x) => 0.5 * x * (1 + errorFunction(x * Math.SQRT1_2)),
});
