/** Stored to real: (q - zeroPoint) * scale in float32, per tensor or along one axis. */
import { unaryOperator } from './unary.ts';

export const dequantize = unaryOperator({
  kind: 'Dequantize',
  real: () => (x) => x,
  type: () => ({ dtype: 'f32' }),
});
