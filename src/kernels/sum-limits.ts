/** How large the sums of products of a layer can become, channel by channel, whatever its input. */

import { integerRange } from '../ops/stored.ts';
import { weightZeros } from '../ops/weight-zeros.ts';
import type { Task } from './kernel.ts';

export interface SumLimits {
  readonly from: number;
  readonly to: number;
}

/** The least and the greatest sum of each channel; undefined where weights or biases are computed at run time, or lie in another order. */
export function sumLimits({ ctx }: Task, channels: number): readonly SumLimits[] | undefined {
  const [x, w, bias] = ctx.inputs;
  if (!x || !w?.constant || (bias && !bias.constant)) return undefined;
  if ((ctx.op.kind !== 'Conv' && ctx.op.kind !== 'FullyConnected') || (x.dtype !== 'i8' && x.dtype !== 'u8'))
    return undefined;
  const values = w.constant.load() as ArrayLike<number>;
  const zeros = weightZeros(w, channels);
  const biases = bias?.constant?.load() as ArrayLike<number> | undefined;
  const [least, greatest] = integerRange(x.dtype);
  const zero = x.quant?.zeroPoint[0] ?? 0;
  const each = values.length / channels;
  return Array.from({ length: channels }, (_, c) => {
    let from = biases?.[c] ?? 0;
    let to = from;
    for (let k = c * each; k < (c + 1) * each; k++) {
      const [a, b] = [(least - zero) * (values[k] - zeros[c]), (greatest - zero) * (values[k] - zeros[c])];
      from += Math.min(a, b);
      to += Math.max(a, b);
    }
    return { from, to };
  });
}
