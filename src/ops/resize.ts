/** Resize: height and width sampled anew. Each output pixel is a weighted sum of a few input pixels. */
import { TidemarkError } from '../errors.ts';
import { channelsOf, type Tensor } from '../graph/graph.ts';
import { needsOf } from './axis-needs.ts';
import { perContext } from './context-memo.ts';
import { coreOutputType } from './core-type.ts';
import type { Kernel, OpContext, OperatorDef } from './operator.ts';
import { requantiser, samePooledType } from './requantiser.ts';
import { type ResizeAttributes, resizeAxis, type Samples } from './resize-axis.ts';
import { fixedPointResize, fixedSamples } from './resize-fixed.ts';
import { dequantiser, integerRange, quantiser } from './stored.ts';
import { pairOf, pictureShape, rasterNeeds } from './window.ts';

const { fround } = Math;

type Context = OpContext<ResizeAttributes>;

/** TFLite interpolates int8 and int16 in fixed point. */
export function isFixed({ op, inputs, dialect }: Context): boolean {
  const { dtype } = inputs[0]!;
  return dialect === 'tflite' && op.attrs.mode === 'linear' && (dtype === 'i8' || dtype === 'i16');
}

/** Samples of both directions, computed once a context. */
export const samplesFor = perContext((ctx: Context): readonly [Samples[], Samples[]] => {
  const [, h, w] = ctx.inputs[0]!.shape;
  const { attrs } = ctx.op;
  if (isFixed(ctx)) return [fixedSamples(attrs, h, 0), fixedSamples(attrs, w, 1)];
  return [resizeAxis(attrs, h, 0, ctx.dialect), resizeAxis(attrs, w, 1, ctx.dialect)];
});

const needsFor = perContext((ctx: Context) => {
  const [rows, columns] = samplesFor(ctx);
  const [, h, w] = ctx.inputs[0]!.shape;
  return [
    needsOf(h, rows.length, (o) => rows[o].inputs),
    needsOf(w, columns.length, (o) => columns[o].inputs),
  ] as const;
});

function checkAttributes(
  x: Tensor | undefined,
  attrs: ResizeAttributes,
): readonly [number, number, number, number] {
  const shape = pictureShape(x, 'the input of Resize');
  pairOf(attrs.size, 'size');
  if (attrs.scales && (attrs.scales.length !== 2 || !attrs.scales.every((s) => s > 0))) {
    throw new TidemarkError('operator-invalid', `scales is [${attrs.scales}], expected two positive numbers`);
  }
  resizeAxis({ ...attrs, size: [1, 1] }, 1, 0, 'onnx'); // refuses modes that do not exist
  return shape;
}

export const resize: OperatorDef<ResizeAttributes> = {
  kind: 'Resize',
  access: 'pixel',
  infer([x], attrs, given) {
    const [n, h, w, c] = checkAttributes(x, attrs);
    if (h * w === 0 && attrs.size[0] * attrs.size[1] > 0)
      throw new TidemarkError('shape-mismatch', `nothing to resize in [${x!.shape}]`);
    return [{ shape: [n, attrs.size[0], attrs.size[1], c], ...samePooledType(x!, given?.[0]) }];
  },
  reads(ctx, _index, lo, hi) {
    const [y, x] = needsFor(ctx);
    return rasterNeeds(ctx.inputs[0]!.shape[0], y, x, lo, hi);
  },
  macs: () => 0,
  kernel(ctx) {
    const [rows, columns] = samplesFor(ctx);
    if (isFixed(ctx)) return fixedPointResize(ctx, rows, columns);
    return ctx.op.attrs.mode === 'nearest' ? nearest(ctx, rows, columns) : weighted(ctx, rows, columns);
  },
};

function nearest({ op, inputs, outputs, dialect }: Context, rows: Samples[], columns: Samples[]): Kernel {
  const [, h, w] = inputs[0]!.shape;
  const channels = channelsOf(outputs[0].shape);
  const fromRow = Int32Array.from(rows, (s) => s.inputs[0]);
  const fromColumn = Int32Array.from(columns, (s) => s.inputs[0]);
  const convert = requantiser(inputs[0]!, coreOutputType(op.epilogue, outputs[0]), dialect);
  return ([x], [y], lo, hi) => {
    for (let p = lo; p < hi; p++) {
      const row = Math.floor(p / columns.length);
      const iy = Math.floor(row / rows.length) * h + fromRow[row % rows.length];
      const from = x!.at(iy * w + fromColumn[p % columns.length]);
      const to = y.at(p);
      for (let c = 0; c < channels; c++) {
        const v = x!.data[from + c];
        y.data[to + c] = convert ? convert(v) : v;
      }
    }
  };
}

/**
 * Sums of samples in float32, columns outermost, each value times its row's weight, then its column's (the order
 * of TFLite's reference kernel, whose uint8 form cuts the fraction off after adding a half and so shows every rounding).
 */
function weighted(ctx: Context, rows: Samples[], columns: Samples[]): Kernel {
  const { inputs, outputs } = ctx;
  const [, h, w] = inputs[0]!.shape;
  const channels = channelsOf(outputs[0].shape);
  const finish = weightedOutput(ctx);
  const most = (samples: Samples[]) => samples.reduce((n, s) => Math.max(n, s.inputs.length), 1);
  const size = most(rows) * most(columns);
  const from = new Int32Array(size);
  const rowWeight = new Float32Array(size);
  const columnWeight = new Float32Array(size);
  return ([x], [y], lo, hi) => {
    const xs = x!.data;
    for (let p = lo; p < hi; p++) {
      const row = Math.floor(p / columns.length);
      const firstRow = Math.floor(row / rows.length) * h;
      const down = rows[row % rows.length];
      const across = columns[p % columns.length];
      let taps = 0;
      for (let i = 0; i < across.inputs.length; i++) {
        for (let j = 0; j < down.inputs.length; j++) {
          from[taps] = x!.at((firstRow + down.inputs[j]) * w + across.inputs[i]);
          rowWeight[taps] = down.weights[j];
          columnWeight[taps++] = across.weights[i];
        }
      }
      const to = y.at(p);
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0; k < taps; k++) {
          sum = fround(sum + fround(fround(xs[from[k] + c] * rowWeight[k]) * columnWeight[k]));
        }
        y.data[to + c] = finish(sum);
      }
    }
  };
}

/** From a weighted mean of stored values to the output. TFLite's uint8 adds a half and cuts the fraction off. */
function weightedOutput({ op, inputs, outputs, dialect }: Context): (mean: number) => number {
  const from = inputs[0]!;
  const to = coreOutputType(op.epilogue, outputs[0]);
  if (from.dtype === 'f32') return (mean) => mean;
  const [least, greatest] = integerRange(to.dtype);
  if (dialect === 'tflite')
    return (mean) => Math.min(greatest, Math.max(least, Math.trunc(fround(mean + 0.5))));
  const decode = dequantiser(from);
  const encode = quantiser(to, dialect);
  return to.quant
    ? (mean) => encode(decode(mean))
    : (mean) => Math.min(greatest, Math.max(least, Math.trunc(mean)));
}
