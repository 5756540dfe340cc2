/** Stored to real: (q - zeroPoint) * scale in float32, per tensor or along one axis. */
import { TidemarkError } from '../errors.ts';
import { unaryOperator } from './unary.ts';

export const dequantize = unaryOperator({
  kind: 'Dequantize',
  real: () => (x) => x,
  type: () => ({ dtype: 'f32' }),
  result(to) {
    if (to.dtype !== 'f32')
      throw new TidemarkError('type-unsupported', `Dequantize gives real numbers, not ${to.dtype}`);
  },
});
