/**
 * The float32 convolution. Each sum starts at the bias and goes over ky, kx, ci, rounded to float32 after each
 * multiplication and each addition. Taps in the padding are left out.
 */
import { type ChannelGroups, channelGroups, overPixels } from './conv-pixels.ts';
import type { Kernel, OpContext } from './operator.ts';
import type { Taps } from './window.ts';

const { fround } = Math;

/** Four output channels at a time, so that each input value is loaded once for four sums. */
export function floatConvolution(ctx: OpContext, taps: Taps): Kernel {
  const channels = channelGroups(ctx);
  if (channels.depthwise) return depthwise(channels, taps);
  const { groups, perGroup, cin } = channels;
  const span = taps.count * cin;
  const { source, index } = taps;
  return overPixels(taps, ({ xs, ws, bs, ys, w0, b0 }, count, out) => {
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
  });
}

function depthwise({ cout, perGroup }: ChannelGroups, taps: Taps): Kernel {
  const span = taps.count;
  const { source, index } = taps;
  return overPixels(taps, ({ xs, ws, bs, ys, w0, b0 }, count, out) => {
    let co = 0;
    for (; perGroup === 1 && co + 4 <= cout; co += 4) {
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
      const ci = perGroup === 1 ? co : Math.floor(co / perGroup);
      const base = w0 + co * span;
      let s = bs ? bs[b0 + co] : 0;
      for (let t = 0; t < count; t++) s = fround(s + fround(xs[source[t] + ci] * ws[base + index[t]]));
      ys[out + co] = s;
    }
  });
}
