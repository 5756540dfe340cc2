/**
 * LogSoftmax along one axis: (x - max) * beta minus the logarithm of the sum of exponentials, in float32 between
 * encodings (TFLite computes 8-bit ones in fixed point, which may differ by a step).
 */
import { exp32, log32 } from '../arithmetic/float32.ts';
import { alongAxisOperator, realLine } from './along-axis.ts';
import type { SoftmaxAttributes } from './softmax.ts';

export const logSoftmax = alongAxisOperator<SoftmaxAttributes>({
  kind: 'LogSoftmax',
  line({ op, dialect }, from, to) {
    const beta = Math.fround(op.attrs.beta);
    return realLine(from, to, dialect, (read, length) => {
      let max = -Infinity;
      for (let i = 0; i < length; i++) max = Math.max(max, read(i));
      const shifted = (x: number) => Math.fround(Math.fround(x - max) * beta);
      let sum = 0;
      for (let i = 0; i < length; i++) sum = Math.fround(sum + exp32(shifted(read(i))));
      const log = log32(sum);
      return (x) => Math.fround(shifted(x) - log);
    });
  },
});
