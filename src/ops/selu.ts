/** gamma * x for x > 0, gamma * alpha * (e^x - 1) below. */
import { unaryOperator } from './unary.ts';

export type SeluAttributes = { readonly alpha: number; readonly gamma: number };

export const selu = unaryOperator<SeluAttributes>({
  kind: 'Selu',
  real(attrs) {
    const alpha = Math.fround(attrs.alpha);
    const gamma = Math.fround(attrs.gamma);
    return (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x));
  },
});
