/** alpha * x + beta held in [0, 1]. */
import { unaryOperator } from './unary.ts';

export type HardSigmoidAttributes = { readonly alpha: number; readonly beta: number };

export const hardSigmoid = unaryOperator<HardSigmoidAttributes>({
  kind: 'HardSigmoid',
  real(attrs) {
    const alpha = Math.fround(attrs.alpha);
    const beta = Math.fround(attrs.beta);
    return (x) => Math.max(0, Math.min(1, Math.fround(Math.fround(x * alpha) + beta)));
  },
});
