/**
 * LpNormalization along one axis: x over its L1 or L2 norm. A norm of 0 gives 0 in ONNX; TFLite's
 * L2_NORMALIZATION holds the norm at 1e-6 at least.
 */
import { sqrt32 } from '../arithmetic/float32.ts';
import { TidemarkError } from '../errors.ts';
import { alongAxisOperator, realLine } from './along-axis.ts';

export type LpNormalizationAttributes = { readonly axis: number; readonly p: number };

export const lpNormalization = alongAxisOperator<LpNormalizationAttributes>({
  kind: 'LpNormalization',
  check({ p }) {
    if (p !== 1 && p !== 2) {
      throw new TidemarkError('operator-invalid', `p is ${p}, expected 1 or 2`);
    }
  },
  line({ op, dialect }, from, to) {
    const squares = op.attrs.p === 2;
    const least = dialect === 'tflite' ? Math.fround(1e-6) : 0;
    return realLine(from, to, dialect, (read, length) => {
      let sum = 0;
      for (let i = 0; i < length; i++) {
        const x = read(i);
        sum = Math.fround(sum + (squares ? Math.fround(x * x) : Math.abs(x)));
      }
      const norm = Math.max(squares ? sqrt32(sum) : sum, least);
      return (x) => (norm === 0 ? 0 : Math.fround(x / norm));
    });
  },
});
