/** Real to stored: per tensor or along one axis. Ties to even (ONNX) or away from zero (TFLite). */
import { TidemarkError } from '../errors.ts';
import { integerRange, wholeQuantisation } from './stored.ts';
import { unaryOperator } from './unary.ts';

/** Adding and taking away 1.5 * 2^52 leaves the nearest integer, ties to even, of anything that matters here. */
const TIES_TO_EVEN = 6755399441055744;

export const quantize = unaryOperator({
  kind: 'Quantize',
  real: () => (x) => x,
  type() {
    throw new TidemarkError('operator-invalid', 'Quantize needs the scale and zero point of its output');
  },
  run(_attrs, from, to, dialect) {
    const whole = wholeQuantisation(to);
    if (dialect !== 'onnx' || from.dtype !== 'f32' || !whole) return undefined;
    const { scale, zero } = whole;
    const [lo, hi] = integerRange(to.dtype);
    return (x, i, y, o, count) => {
      for (let e = 0; e < count; e++) {
        const q = Math.fround(x[i + e] / scale) + TIES_TO_EVEN - TIES_TO_EVEN + zero;
        y[o + e] = q >= lo ? Math.min(hi, q) : lo;
      }
    };
  },
});
