/**
 * ConvTranspose: each input pixel spreads over a window of the output. Seen from the output it gathers: output o
 * takes input i through tap k where i * stride - pad + k * dilation = o. So it shares Conv's kernels, with
 * weights `[Cout, kh, kw, Cin / groups]` and sums over ky, kx, ci.
 */
import { TidemarkError } from '../errors.ts';
import { channelsOf, elementCount, pixelsOf, type Tensor } from '../graph/graph.ts';
import { needsOf } from './axis-needs.ts';
import { perContext } from './context-memo.ts';
import { type ConvAttributes, convolutionKernel, convolvedShapes } from './conv.ts';
import type { OpContext, OperatorDef } from './operator.ts';
import { accumulatedType } from './product-types.ts';
import { pairOf, rasterNeeds, type Taps, type WindowAxis } from './window.ts';

export interface ConvTransposeAttributes extends ConvAttributes {
  readonly outputPadding: readonly number[];
}

export interface Spread {
  readonly batch: number;
  readonly y: WindowAxis;
  readonly x: WindowAxis;
}

export function spreadOf(inputs: readonly (Tensor | undefined)[], attrs: ConvTransposeAttributes): Spread {
  const { shape, size } = convolvedShapes(inputs, attrs, 'a transposed convolution');
  const stride = pairOf(attrs.stride, 'stride');
  const dilation = pairOf(attrs.dilation, 'dilation');
  const extra = pairOf(attrs.outputPadding, 'outputPadding', 0);
  const pads = attrs.pads ?? [0, 0, 0, 0];
  const axis = (i: number, taps: number): WindowAxis => {
    const input = shape[1 + i];
    const output = (input - 1) * stride[i] + extra[i] + (taps - 1) * dilation[i] + 1 - pads[i] - pads[i + 2];
    if (!Number.isInteger(output) || output < 1) {
      throw new TidemarkError(
        'shape-mismatch',
        `a transposed convolution with pads [${pads}] leaves no output`,
      );
    }
    return { input, output, taps, stride: stride[i], dilation: dilation[i], pad: pads[i] };
  };
  return { batch: shape[0], y: axis(0, size[0]), x: axis(1, size[1]) };
}

/** The input that output o takes through tap k; -1 where there is none. */
function inputBehind(axis: WindowAxis, o: number, k: number): number {
  const scaled = o + axis.pad - k * axis.dilation;
  return scaled >= 0 && scaled % axis.stride === 0 && scaled / axis.stride < axis.input
    ? scaled / axis.stride
    : -1;
}

function touchedBy(axis: WindowAxis, o: number): number[] {
  const inputs: number[] = [];
  for (let k = 0; k < axis.taps; k++) {
    const i = inputBehind(axis, o, k);
    if (i >= 0) inputs.push(i);
  }
  return inputs;
}

const needsFor = perContext(({ inputs, op }: OpContext<ConvTransposeAttributes>) => {
  const { batch, y, x } = spreadOf(inputs, op.attrs);
  return {
    batch,
    y: needsOf(y.input, y.output, (o) => touchedBy(y, o)),
    x: needsOf(x.input, x.output, (o) => touchedBy(x, o)),
  };
});

function spreadTaps({ y, x }: Spread): Taps {
  const size = y.taps * x.taps;
  const source = new Int32Array(size);
  const index = new Int32Array(size);
  const image = y.output * x.output;
  return {
    count: size,
    source,
    index,
    find(view, pixel) {
      const oy = Math.floor((pixel % image) / x.output);
      const firstRow = Math.floor(pixel / image) * y.input;
      let count = 0;
      for (let ky = 0; ky < y.taps; ky++) {
        const iy = inputBehind(y, oy, ky);
        if (iy < 0) continue;
        for (let kx = 0; kx < x.taps; kx++) {
          const ix = inputBehind(x, pixel % x.output, kx);
          if (ix < 0) continue;
          source[count] = view.at((firstRow + iy) * x.input + ix);
          index[count++] = ky * x.taps + kx;
        }
      }
      return count;
    },
  };
}

export const convTranspose: OperatorDef<ConvTransposeAttributes> = {
  kind: 'ConvTranspose',
  access: 'pixel',
  contiguousFrom: 1,
  infer(inputs, attrs, given) {
    const { batch, y, x } = spreadOf(inputs, attrs);
    const type = accumulatedType(inputs[0]!, inputs[1]!, inputs[1]!.shape[0], given?.[0]);
    return [{ shape: [batch, y.output, x.output, inputs[1]!.shape[0]], ...type }];
  },
  reads(ctx, index, lo, hi) {
    if (index !== 0) return { lo: 0, hi: pixelsOf(ctx.inputs[index]!.shape) };
    const { batch, y, x } = needsFor(ctx);
    return rasterNeeds(batch, y, x, lo, hi);
  },
  macs: ({ inputs }) =>
    (elementCount(inputs[0]!.shape) * elementCount(inputs[1]!.shape)) / channelsOf(inputs[0]!.shape),
  kernel(ctx) {
    return convolutionKernel(ctx, spreadTaps(spreadOf(ctx.inputs, ctx.op.attrs)));
  },
};
