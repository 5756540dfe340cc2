/** Hardmax along one axis: 1 at the first maximum, 0 elsewhere. */
import { alongAxisOperator, realLine } from './along-axis.ts';
import type { SoftmaxAttributes } from './softmax.ts';

export const hardmax = alongAxisOperator<SoftmaxAttributes>({
  kind: 'Hardmax',
  line({ dialect }, from, to) {
    return realLine(from, to, dialect, (read, length) => {
      let best = 0;
      for (let i = 1; i < length; i++) if (read(i) > read(best)) best = i;
      return (_, i) => (i === best ? 1 : 0);
    });
  },
});
