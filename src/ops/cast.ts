/**
 * From one element type to another by value; quantisation is not looked at (as in both formats). Reals are
 * truncated, saturate at 32 bits and then wrap to the narrower type; NaN becomes 0.
 */
import type { DType } from '../graph/graph.ts';
import { unaryOperator } from './unary.ts';

export type CastAttributes = { readonly to: DType };

function caster(to: DType): (x: number) => number {
  const whole = (x: number) => (x >= 2147483647 ? 2147483647 : x <= -2147483648 ? -2147483648 : x | 0);
  switch (to) {
    case 'f32':
      return Math.fround;
    case 'bool':
      return (x) => (x !== 0 ? 1 : 0);
    case 'i8':
      return (x) => (whole(x) << 24) >> 24;
    case 'i16':
      return (x) => (whole(x) << 16) >> 16;
    case 'u8':
      return (x) => whole(x) & 255;
    default:
      return whole;
  }
}

export const cast = unaryOperator<CastAttributes>({
  kind: 'Cast',
  real: ({ to }) => caster(to),
  stored: ({ to }) => caster(to),
  type: (_input, { to }) => ({ dtype: to }),
});
