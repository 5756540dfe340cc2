/** x for x >= 0, alpha * (e^x - 1) below. */
import { lookupEntry } from './lookup.ts';
import { unaryOperator } from './unary.ts';

export type EluAttributes = { readonly alpha: number };

export const elu = unaryOperator<EluAttributes>({
  kind: 'Elu',
  real(attrs) {
    const alpha = Math.fround(attrs.alpha);
    return (x) => (x < 0 ? alpha * Math.expm1(x) : x);
  },
  // The reference takes e^x and subtracts 1, each rounded to float32, in its table of 256 values.
  stored: (_attrs, from, to, dialect) =>
    lookupEntry((x) => (x < 0 ? Math.fround(Math.exp(x)) - 1 : x), from, to, dialect),
});
