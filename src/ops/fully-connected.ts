/**
 * FullyConnected: y = x * w^T + bias with w `[N, K]`. Sums start at the bias and go over k in order. Of a single
 * row (batch 1) it can fold: consume its input pixel by pixel, keeping N sums.
 */
import { TidemarkError } from '../errors.ts';
import { type Attributes, channelsOf, elementCount, pixelsOf, type Tensor } from '../graph/graph.ts';
import type { Kernel, OpContext, OperatorDef, PixelRange, Scratch } from './operator.ts';
import { outputStage } from './output-stage.ts';
import { sumBlock } from './product-sums.ts';
import { accumulatedType, checkBias } from './product-types.ts';
import { weightZeros } from './weight-zeros.ts';

export interface FullyConnectedAttributes extends Attributes {
  /** Take x as `[batch, K]` whatever its shape. */
  readonly flatten: boolean;
}

type Context = OpContext<FullyConnectedAttributes>;

/** [N, K] */
function weightShape(inputs: readonly (Tensor | undefined)[]): readonly [number, number] {
  const w = inputs[1];
  if (w?.shape.length !== 2) {
    const found = w ? `[${w.shape}]` : 'nothing';
    throw new TidemarkError('shape-mismatch', `fully connected weights must be [N, K], found ${found}`);
  }
  return [w.shape[0], w.shape[1]];
}

function batchOf(x: Tensor, depth: number): number {
  return elementCount(x.shape) / depth;
}

/** Pixels of x that make up one row of K elements. */
function pixelsPerRow(x: Tensor, depth: number): number {
  return depth / channelsOf(x.shape);
}

export const fullyConnected: OperatorDef<FullyConnectedAttributes> = {
  kind: 'FullyConnected',
  access: 'pixel',
  contiguousFrom: 1,
  infer(inputs, attrs, given) {
    const [n, k] = weightShape(inputs);
    const x = inputs[0];
    if (!x) throw new TidemarkError('shape-mismatch', 'a fully connected operator without an input');
    const batch = batchOf(x, k);
    const fits = attrs.flatten
      ? Number.isInteger(batch) && k % channelsOf(x.shape) === 0
      : channelsOf(x.shape) === k;
    if (!fits) {
      throw new TidemarkError(
        'shape-mismatch',
        `an input of [${x.shape}] does not fit weights of [${n},${k}]`,
      );
    }
    checkBias(inputs[2], n, inputs[0]);
    const shape = attrs.flatten ? [batch, n] : [...x.shape.slice(0, -1), n];
    return [{ shape, ...accumulatedType(x, inputs[1]!, n, given?.[0]) }];
  },
  reads({ inputs }, index, lo, hi): PixelRange {
    const t = inputs[index]!;
    if (index !== 0) return { lo: 0, hi: pixelsOf(t.shape) };
    const each = pixelsPerRow(t, weightShape(inputs)[1]);
    return { lo: lo * each, hi: Math.max(lo, hi) * each };
  },
  macs: ({ inputs, outputs }) => elementCount(outputs[0].shape) * weightShape(inputs)[1],
  fold: {
    // Several rows are computed one by one instead: keeping all their sums would save nothing.
    stateBytes: (ctx) =>
      pixelsOf(ctx.outputs[0].shape) === 1 ? stateWords(ctx) * 4 : Number.POSITIVE_INFINITY,
    step: foldStep,
  },
  kernel(ctx) {
    const depth = weightShape(ctx.inputs)[1];
    const each = pixelsPerRow(ctx.inputs[0]!, depth);
    const { channels, block, rows, sums, select, finish } = prepare(ctx);
    return ([x, w, b], [y], lo, hi) => {
      const w0 = w!.at(0);
      const b0 = b ? b.at(0) : 0;
      for (let p = lo; p < hi; p++) {
        const out = y.at(p);
        for (let co = 0; co < channels; co += 4) {
          const end = Math.min(4, channels - co);
          select(co, w0, 0);
          for (let r = 0; r < end; r++) sums[r] = b ? b.data[b0 + co + r] : 0;
          block(x!, p * each, (p + 1) * each, w!.data, rows, sums);
          for (let r = 0; r < end; r++) y.data[out + co + r] = finish(sums[r], co + r);
        }
      }
    };
  },
};

/** What both kernels use: four rows of weights at a time (the last ones repeated), and how sums become output. */
function prepare(ctx: Context) {
  const { inputs, outputs } = ctx;
  const x = inputs[0]!;
  const channels = channelsOf(outputs[0].shape);
  const depth = weightShape(inputs)[1];
  const rows = { start: new Int32Array(4), zero: new Int32Array(4) };
  const zeros = weightZeros(inputs[1]!, channels);
  const select = (co: number, base: number, k: number) => {
    for (let r = 0; r < 4; r++) {
      const row = Math.min(co + r, channels - 1);
      rows.start[r] = base + row * depth + k;
      rows.zero[r] = zeros[row];
    }
  };
  const finish = x.dtype === 'f32' ? (sum: number) => sum : outputStage(ctx, channels);
  const block = sumBlock(x.dtype, channelsOf(x.shape), x.quant?.zeroPoint[0] ?? 0);
  return { channels, block, rows, sums: new Float64Array(4), select, finish };
}

/** 32-bit words of the running sums: one each, two where sums are wider than int32. */
function stateWords({ inputs, outputs }: Context): number {
  return channelsOf(outputs[0].shape) * (inputs[0]!.dtype === 'i16' ? 2 : 1);
}

/** Consumes input pixels [lo, hi) of the only row; the last one writes the output. */
function foldStep(ctx: Context): Kernel {
  const x0 = ctx.inputs[0]!;
  const pixels = pixelsOf(x0.shape);
  const depth = channelsOf(x0.shape);
  const { channels, block, rows, sums, select, finish } = prepare(ctx);
  const float = x0.dtype === 'f32';
  const wide = x0.dtype === 'i16';
  const load = (scratch: Scratch, co: number) =>
    float
      ? scratch.f32[co]
      : wide
        ? scratch.i32[2 * co] * 2 ** 32 + (scratch.i32[2 * co + 1] >>> 0)
        : scratch.i32[co];
  const store = (scratch: Scratch, co: number, sum: number) => {
    if (float) scratch.f32[co] = sum;
    else if (wide) {
      scratch.i32[2 * co] = Math.floor(sum / 2 ** 32);
      scratch.i32[2 * co + 1] = sum - Math.floor(sum / 2 ** 32) * 2 ** 32;
    } else scratch.i32[co] = sum;
  };
  return ([x, w, b], [y], lo, hi, scratch) => {
    for (let co = 0; co < channels; co += 4) {
      const end = Math.min(4, channels - co);
      select(co, w!.at(0), lo * depth);
      for (let r = 0; r < end; r++)
        sums[r] = lo > 0 ? load(scratch, co + r) : b ? b.data[b.at(0) + co + r] : 0;
      block(x!, lo, hi, w!.data, rows, sums);
      for (let r = 0; r < end; r++) {
        if (hi < pixels) store(scratch, co + r, sums[r]);
        else y.data[y.at(0) + co + r] = finish(sums[r], co + r);
      }
    }
  };
}
