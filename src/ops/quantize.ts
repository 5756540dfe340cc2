/** Real to stored: per tensor or along one axis. Ties to even (ONNX) or away from zero (TFLite). */
import { TidemarkError } from '../errors.ts';
import { unaryOperator } from './unary.ts';

export const quantize = unaryOperator({
  kind: 'Quantize',
  real: () => (x) => x,
  type() {
    throw new TidemarkError('operator-invalid', 'Quantize needs the scale and zero point of its output');
  },
});
