/**
 * LpNormalization along one axis: x over its L1 or L2 norm. A norm of 0 gives 0 in ONNX; TFLite's
 * L2_NORMALIZATION holds the norm at 1e-6 at least, and for 8-bit tensors is all integer (output scale 1/128).
 */
import { sqrt32 } from '../arithmetic/float32.ts';
import { inverseSqrt } from '../arithmetic/inverse-sqrt.ts';
import { multiplyByQuantizedMultiplier } from '../arithmetic/tflite.ts';
import { TidemarkError } from '../errors.ts';
import type { ElementType } from '../graph/graph.ts';
import { alongAxisOperator, type LineFunction, realLine } from './along-axis.ts';
import { saturate } from './stored.ts';

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
    if (dialect === 'tflite' && squares && from.quant && to.quant) return integerLine(from, to);
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

/** TFLite's reference kernel: the sum of squares, its inverse root as a multiplier, one product an element. */
function integerLine(from: ElementType, to: ElementType): LineFunction {
  const zero = from.quant!.zeroPoint[0];
  const middle = to.quant!.zeroPoint[0];
  return (read, length) => {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += (read(i) - zero) ** 2;
    const { multiplier, shift } = inverseSqrt(sum);
    // int8 puts the output's 2^7 into the shift, uint8 into the factor: their roundings differ.
    return to.dtype === 'i8'
      ? (q) => saturate(multiplyByQuantizedMultiplier(q - zero, multiplier, shift + 7) + middle, 'i8')
      : (q) =>
          saturate(multiplyByQuantizedMultiplier(128 * (q - zero), multiplier, shift) + middle, to.dtype);
  };
}
