/**
 * What all reference kernels of Conv and ConvTranspose have in common: how channels fall into groups, and the way over the
 * output's pixels. How the sums of a pixel are made is each kernel's own.
 */
import { channelsOf, type TypedArray } from '../graph/graph.ts';
import type { Kernel, OpContext } from './operator.ts';
import type { Taps } from './window.ts';

export interface ChannelGroups {
  readonly cout: number;
  readonly groups: number;
  /** Output channels of a group. */
  readonly perGroup: number;
  /** Input channels of a group. */
  readonly cin: number;
  /** One input channel a group: `perGroup` outputs of each. */
  readonly depthwise: boolean;
}

export function channelGroups({ inputs, outputs, op }: OpContext): ChannelGroups {
  const cout = channelsOf(outputs[0].shape);
  const groups = (op.attrs.groups as number | undefined) ?? 1;
  const cin = channelsOf(inputs[1]!.shape);
  return { cout, groups, perGroup: cout / groups, cin, depthwise: cin === 1 && groups > 1 };
}

/** Input, weights, bias (which may be absent) and output of one call. */
export interface Operands {
  readonly xs: TypedArray;
  readonly ws: TypedArray;
  readonly bs: TypedArray | undefined;
  readonly ys: TypedArray;
  /** Index of the first weight and of the first bias. */
  readonly w0: number;
  readonly b0: number;
}

/** Writes one output pixel, whose channel 0 is element `out`; so many of the taps lie in the picture. */
type PixelSums = (operands: Operands, count: number, out: number) => void;

export function overPixels(taps: Taps, sums: PixelSums): Kernel {
  return ([x, w, b], [y], lo, hi) => {
    const operands = {
      xs: x!.data,
      ws: w!.data,
      bs: b?.data,
      ys: y.data,
      w0: w!.at(0),
      b0: b ? b.at(0) : 0,
    };
    for (let p = lo; p < hi; p++) sums(operands, taps.find(x!, p), y.at(p));
  };
}
