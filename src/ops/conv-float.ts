/**
 * The float32 convolution. Each sum starts at the bias and goes over ky, kx, ci, rounded to float32 after each
 * multiplication and each addition. Taps in the padding are left out.
 */
import { channelsOf } from '../graph/graph.ts';
import type { Kernel, OpContext } from './operator.ts';
import type { Taps } from './window.ts';

const { fround } = Math;

/** Four output channels at a time, so that each input value is loaded once for four sums. */
export function floatConvolution({ inputs, outputs, op }: OpContext, taps: Taps): Kernel {
  const cout = channelsOf(outputs[0].shape);
  const groups = (op.attrs.groups as number | undefined) ?? 1;
  const cin = channelsOf(inputs[1]!.shape);
  if (cin === 1 && groups > 1) return depthwise(taps, cout, cout / groups);
  const span = taps.count * cin;
  const perGroup = cout / groups;
  const { source, index } = taps;
  return ([x, w, b], [y], lo, hi) => {
    const xs = x!.data;
    const ws = w!.data;
    const ys = y.data;
    const bs = b?.data;
    const w0 = w!.at(0);
    const b0 = b ? b.at(0) : 0;
    for (let p = lo; p < hi; p++) {
      const count = taps.find(x!, p);
      const out = y.at(p);
      for (let g = 0; g < groups; g++) {
        const end = (g + 1) * perGroup;
        let co = g * perGroup;
        for (; co + 4 <= end; co += 4) {
          let s0 = bs ? bs[b0 + co] : 0;
          let s1 = bs ? bs[b0 + co + 1] : 0;
          let s2 = bs ? bs[b0 + co + 2] : 0;
          let s3 = bs ? bs[b0 + co + 3] : 0;
          const base = w0 + co * span;
          for (let t = 0; t < count; t++) {
            let i0 = base + index[t] * cin;
            let i1 = i0 + span;
            let i2 = i1 + span;
            let i3 = i2 + span;
            const from = source[t] + g * cin;
            for (let i = from; i < from + cin; i++) {
              const v = xs[i];
              s0 = fround(s0 + fround(v * ws[i0++]));
              s1 = fround(s1 + fround(v * ws[i1++]));
              s2 = fround(s2 + fround(v * ws[i2++]));
              s3 = fround(s3 + fround(v * ws[i3++]));
            }
          }
          ys[out + co] = s0;
          ys[out + co + 1] = s1;
          ys[out + co + 2] = s2;
          ys[out + co + 3] = s3;
        }
        for (; co < end; co++) {
          let s = bs ? bs[b0 + co] : 0;
          const base = w0 + co * span;
          for (let t = 0; t < count; t++) {
            let j = base + index[t] * cin;
            const from = source[t] + g * cin;
            for (let i = from; i < from + cin; i++) s = fround(s + fround(xs[i] * ws[j++]));
          }
          ys[out + co] = s;
        }
      }
    }
  };
}

/** One input channel a group: `multiplier` outputs of each. */
function depthwise(taps: Taps, cout: number, multiplier: number): Kernel {
  const span = taps.count;
  const { source, index } = taps;
  return ([x, w, b], [y], lo, hi) => {
    const xs = x!.data;
    const ws = w!.data;
    const ys = y.data;
    const bs = b?.data;
    const w0 = w!.at(0);
    const b0 = b ? b.at(0) : 0;
    for (let p = lo; p < hi; p++) {
      const count = taps.find(x!, p);
      const out = y.at(p);
      let co = 0;
      for (; multiplier === 1 && co + 4 <= cout; co += 4) {
        let s0 = bs ? bs[b0 + co] : 0;
        let s1 = bs ? bs[b0 + co + 1] : 0;
        let s2 = bs ? bs[b0 + co + 2] : 0;
        let s3 = bs ? bs[b0 + co + 3] : 0;
        const base = w0 + co * span;
        for (let t = 0; t < count; t++) {
          const i = source[t] + co;
          const j = base + index[t];
          s0 = fround(s0 + fround(xs[i] * ws[j]));
          s1 = fround(s1 + fround(xs[i + 1] * ws[j + span]));
          s2 = fround(s2 + fround(xs[i + 2] * ws[j + 2 * span]));
          s3 = fround(s3 + fround(xs[i + 3] * ws[j + 3 * span]));
        }
        ys[out + co] = s0;
        ys[out + co + 1] = s1;
        ys[out + co + 2] = s2;
        ys[out + co + 3] = s3;
      }
      for (; co < cout; co++) {
        const ci = multiplier === 1 ? co : Math.floor(co / multiplier);
        const base = w0 + co * span;
        let s = bs ? bs[b0 + co] : 0;
        for (let t = 0; t < count; t++) s = fround(s + fround(xs[source[t] + ci] * ws[base + index[t]]));
        ys[out + co] = s;
      }
    }
  };
}
