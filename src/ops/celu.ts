/** x for x >= 0, alpha * (e^(x / alpha) - 1) below. */
import { unaryOperator } from './unary.ts';

export type CeluAttributes = { readonly alpha: number };

export const celu = unaryOperator<CeluAttributes>({
  kind: 'Celu',
  real(attrs) {
    const alpha = Math.fround(attrs.alpha);
    return (x) => (x < 0 ? alpha * Math.expm1(x / alpha) : x);
  },
});
