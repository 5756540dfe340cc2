/** Softmax along one axis: exp((x - max) * beta) over its sum. */
import { exp32 } from '../arithmetic/float32.ts';
import { softmaxFixedPoint, softmaxOutputType } from '../arithmetic/softmax-fixed-point.ts';
import { softmaxInt16 } from '../arithmetic/softmax-int16.ts';
import { TidemarkError } from '../errors.ts';
import { elementBytes } from '../graph/graph.ts';
import { alongAxisOperator, type LineFunction, realLine } from './along-axis.ts';

export type SoftmaxAttributes = { readonly axis: number; readonly beta: number };

export const softmax = alongAxisOperator<SoftmaxAttributes>({
  kind: 'Softmax',
  type(x) {
    if (x.dtype === 'f32') return x;
    if (!x.quant || elementBytes(x) > 2)
      throw new TidemarkError(
        'type-unsupported',
        `no softmax of ${x.dtype}, expected f32, or quantised to 8 or 16 bits`,
      );
    return softmaxOutputType(x.dtype);
  },
  line({ op, dialect }, from, to): LineFunction {
    const { beta } = op.attrs;
    if (dialect === 'tflite' && from.quant && to.quant) {
      return from.dtype === 'i16'
        ? softmaxInt16(beta, from.quant.scale[0])
        : softmaxFixedPoint(beta, from.quant.scale[0], to.dtype);
    }
    return realLine(from, to, dialect, softmaxFloat(Math.fround(beta)));
  },
});

/** The float32 softmax: maximum, sum of exponentials in ascending order, quotient. */
function softmaxFloat(beta: number) {
  return (read: (i: number) => number, length: number) => {
    let max = -Infinity;
    for (let i = 0; i < length; i++) max = Math.max(max, read(i));
    const power = (x: number) => exp32(Math.fround(Math.fround(x - max) * beta));
    let sum = 0;
    for (let i = 0; i < length; i++) sum = Math.fround(sum + power(read(i)));
    return (x: number) => Math.fround(power(x) / sum);
  };
}
