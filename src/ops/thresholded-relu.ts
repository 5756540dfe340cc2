/** x for x > alpha, else 0. */
import { unaryOperator } from './unary.ts';

export type ThresholdedReluAttributes = { readonly alpha: number };

export const thresholdedRelu = unaryOperator<ThresholdedReluAttributes>({
  kind: 'ThresholdedRelu',
  real(attrs) {
    const alpha = Math.fround(attrs.alpha);
    return (x) => (x > alpha ? x : 0);
  },
});
