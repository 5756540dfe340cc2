/** ReduceL2: the square root of the sum of squares over the axes. */
import { sqrt32 } from '../arithmetic/float32.ts';
import { reduceOperator } from './reduce.ts';
import { sumReal } from './reduce-sums.ts';

export const reduceL2 = reduceOperator('ReduceL2', (from, to, _count, dialect) => {
  const root = from.dtype === 'f32' || to.quant ? sqrt32 : (sum: number) => Math.trunc(sqrt32(sum));
  return sumReal(from, to, dialect, root, (x) => Math.fround(x * x));
});
