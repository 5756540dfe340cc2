/**
 * Conv: grouped, dilated, padded 2-D convolution; weights `[Cout, kh, kw, Cin / groups]`. The kernel is chosen
 * by type: float32, integers with an int32 accumulator, or int16 activations with a wider one.
 */
import { TidemarkError } from '../errors.ts';
import { elementCount, pixelsOf, type Tensor } from '../graph/graph.ts';
import { perContext } from './context-memo.ts';
import { floatConvolution } from './conv-float.ts';
import { integerConvolution } from './conv-integer.ts';
import type { Kernel, OpContext, OperatorDef, OutputType } from './operator.ts';
import { accumulatedType, checkBias } from './product-types.ts';
import {
  pictureShape,
  rasterNeeds,
  type Taps,
  type Window,
  type WindowAttributes,
  windowNeeds,
  windowOver,
  windowTaps,
} from './window.ts';

export interface ConvAttributes extends WindowAttributes {
  readonly groups: number;
}

/** The shapes of what is convolved and of the window, with the weights and the bias checked against the input. */
export function convolvedShapes(
  inputs: readonly (Tensor | undefined)[],
  attrs: ConvAttributes,
  what: string,
): { shape: readonly number[]; size: readonly [height: number, width: number] } {
  const shape = pictureShape(inputs[0], `the input of ${what}`);
  const [cout, kh, kw, cin] = pictureShape(inputs[1], `the weights of ${what}`);
  const groups = attrs.groups ?? 1;
  if (!Number.isInteger(groups) || groups < 1 || cin * groups !== shape[3] || cout % groups !== 0) {
    throw new TidemarkError(
      'shape-mismatch',
      `weights [${inputs[1]!.shape}] with ${groups} groups do not fit an input of ${shape[3]} channels`,
    );
  }
  checkBias(inputs[2], cout, inputs[0]);
  return { shape, size: [kh, kw] };
}

function windowOf(inputs: readonly (Tensor | undefined)[], attrs: ConvAttributes): Window {
  const { shape, size } = convolvedShapes(inputs, attrs, 'a convolution');
  return windowOver(shape, size, attrs);
}

const needsOf = perContext(({ op, inputs }: OpContext<ConvAttributes>) =>
  windowNeeds(windowOf(inputs, op.attrs)),
);

/** The kernel for the input's type, over taps of any kind. */
export function convolutionKernel(ctx: OpContext, taps: Taps): Kernel {
  return ctx.inputs[0]!.dtype === 'f32' ? floatConvolution(ctx, taps) : integerConvolution(ctx, taps);
}

function infer(
  inputs: readonly (Tensor | undefined)[],
  attrs: ConvAttributes,
  given?: readonly OutputType[],
): readonly OutputType[] {
  const { batch, y, x } = windowOf(inputs, attrs);
  const type = accumulatedType(inputs[0]!, inputs[1]!, inputs[1]!.shape[0], given?.[0]);
  return [{ shape: [batch, y.output, x.output, inputs[1]!.shape[0]], ...type }];
}

export const conv: OperatorDef<ConvAttributes> = {
  kind: 'Conv',
  access: 'pixel',
  contiguousFrom: 1,
  infer,
  reads(ctx, index, lo, hi) {
    if (index !== 0) return { lo: 0, hi: pixelsOf(ctx.inputs[index]!.shape) };
    const { batch, y, x } = needsOf(ctx);
    return rasterNeeds(batch, y, x, lo, hi);
  },
  macs: ({ inputs, outputs }) =>
    (elementCount(outputs[0].shape) * elementCount(inputs[1]!.shape)) / inputs[1]!.shape[0],
  kernel(ctx: OpContext<ConvAttributes>) {
    return convolutionKernel(ctx, windowTaps(windowOf(ctx.inputs, ctx.op.attrs)));
  },
};
