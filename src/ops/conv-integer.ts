/**
 * Convolutions of integers. Sums are exact: int32 (wrapping, as all references do) for 8-bit activations, a
 * double holding a whole number for 16-bit ones. Zero points are taken off both operands; taps in the padding
 * are left out, which is padding with the zero point.
 */
import { type ChannelGroups, channelGroups, overPixels } from './conv-pixels.ts';
import type { Kernel, OpContext } from './operator.ts';
import { outputStage } from './output-stage.ts';
import { weightZeros } from './weight-zeros.ts';
import type { Taps } from './window.ts';

export function integerConvolution(ctx: OpContext, taps: Taps): Kernel {
  const [input, weights] = ctx.inputs;
  const channels = channelGroups(ctx);
  const { cout, groups, perGroup, cin } = channels;
  const finish = outputStage(ctx, cout);
  if (input!.dtype === 'i16') return wide(channels, taps, finish);
  const zeros = weightZeros(weights!, cout);
  const zeroX = input!.quant?.zeroPoint[0] ?? 0;
  if (channels.depthwise) return depthwise(channels, taps, zeroX, zeros, finish);
  const span = taps.count * cin;
  const { source, index } = taps;
  return overPixels(taps, ({ xs, ws, bs, ys, w0, b0 }, count, out) => {
    for (let g = 0; g < groups; g++) {
      const end = (g + 1) * perGroup;
      let co = g * perGroup;
      for (; co + 4 <= end; co += 4) {
        const z0 = zeros[co];
        const z1 = zeros[co + 1];
        const z2 = zeros[co + 2];
        const z3 = zeros[co + 3];
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
            const v = xs[i] - zeroX;
            s0 = (s0 + Math.imul(v, ws[i0++] - z0)) | 0;
            s1 = (s1 + Math.imul(v, ws[i1++] - z1)) | 0;
            s2 = (s2 + Math.imul(v, ws[i2++] - z2)) | 0;
            s3 = (s3 + Math.imul(v, ws[i3++] - z3)) | 0;
          }
        }
        ys[out + co] = finish(s0, co);
        ys[out + co + 1] = finish(s1, co + 1);
        ys[out + co + 2] = finish(s2, co + 2);
        ys[out + co + 3] = finish(s3, co + 3);
      }
      for (; co < end; co++) {
        const z = zeros[co];
        let s = bs ? bs[b0 + co] : 0;
        const base = w0 + co * span;
        for (let t = 0; t < count; t++) {
          let j = base + index[t] * cin;
          const from = source[t] + g * cin;
          for (let i = from; i < from + cin; i++) s = (s + Math.imul(xs[i] - zeroX, ws[j++] - z)) | 0;
        }
        ys[out + co] = finish(s, co);
      }
    }
  });
}

type Finish = (sum: number, channel: number) => number;

function depthwise(
  { cout, perGroup }: ChannelGroups,
  taps: Taps,
  zeroX: number,
  zeros: Int32Array,
  finish: Finish,
): Kernel {
  const span = taps.count;
  const { source, index } = taps;
  return overPixels(taps, ({ xs, ws, bs, ys, w0, b0 }, count, out) => {
    let co = 0;
    for (; perGroup === 1 && co + 4 <= cout; co += 4) {
      const z0 = zeros[co];
      const z1 = zeros[co + 1];
      const z2 = zeros[co + 2];
      const z3 = zeros[co + 3];
      let s0 = bs ? bs[b0 + co] : 0;
      let s1 = bs ? bs[b0 + co + 1] : 0;
      let s2 = bs ? bs[b0 + co + 2] : 0;
      let s3 = bs ? bs[b0 + co + 3] : 0;
      const base = w0 + co * span;
      for (let t = 0; t < count; t++) {
        const i = source[t] + co;
        const j = base + index[t];
        s0 = (s0 + Math.imul(xs[i] - zeroX, ws[j] - z0)) | 0;
        s1 = (s1 + Math.imul(xs[i + 1] - zeroX, ws[j + span] - z1)) | 0;
        s2 = (s2 + Math.imul(xs[i + 2] - zeroX, ws[j + 2 * span] - z2)) | 0;
        s3 = (s3 + Math.imul(xs[i + 3] - zeroX, ws[j + 3 * span] - z3)) | 0;
      }
      ys[out + co] = finish(s0, co);
      ys[out + co + 1] = finish(s1, co + 1);
      ys[out + co + 2] = finish(s2, co + 2);
      ys[out + co + 3] = finish(s3, co + 3);
    }
    for (; co < cout; co++) {
      const ci = perGroup === 1 ? co : Math.floor(co / perGroup);
      const base = w0 + co * span;
      const z = zeros[co];
      let s = bs ? bs[b0 + co] : 0;
      for (let t = 0; t < count; t++) {
        s = (s + Math.imul(xs[source[t] + ci] - zeroX, ws[base + index[t]] - z)) | 0;
      }
      ys[out + co] = finish(s, co);
    }
  });
}

/** int16 activations (symmetric) with 8-bit weights: the reference sums in int64, here a double below 2^53. */
function wide({ cout, perGroup, cin }: ChannelGroups, taps: Taps, finish: Finish): Kernel {
  const span = taps.count * cin;
  const { source, index } = taps;
  return overPixels(taps, ({ xs, ws, bs, ys, w0, b0 }, count, out) => {
    for (let co = 0; co < cout; co++) {
      const first = Math.floor(co / perGroup) * cin;
      const base = w0 + co * span;
      let s = 0;
      for (let t = 0; t < count; t++) {
        let j = base + index[t] * cin;
        const from = source[t] + first;
        for (let i = from; i < from + cin; i++) s += xs[i] * ws[j++];
      }
      ys[out + co] = finish(s + (bs ? bs[b0 + co] : 0), co);
    }
  });
}
