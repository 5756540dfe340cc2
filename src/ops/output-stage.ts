/**
 * From an integer sum of products to the stored output: the rounding of the graph's dialect, per channel where
 * the weights' scale is. An unquantised int32 output is the sum itself.
 */
import { requantisationScale, requantise } from '../arithmetic/onnx.ts';
import {
  multiplyByQuantizedMultiplier,
  type QuantizedMultiplier,
  quantizeMultiplier,
} from '../arithmetic/tflite.ts';
import { MOST_WIDE_SHIFT, multiplyWide } from '../arithmetic/tflite-wide.ts';
import type { ElementType, Quantisation } from '../graph/graph.ts';
import { coreOutputType } from './core-type.ts';
import type { OpContext } from './operator.ts';
import { integerRange } from './stored.ts';

const { fround } = Math;

const scaleOf = (quant: Quantisation | undefined, channel: number) =>
  quant ? quant.scale[quant.scale.length > 1 ? channel : 0] : 1;

/** The function (sum, channel) -> stored value of an operator with input 0 times input 1. */
export function outputStage(ctx: OpContext, channels: number): (sum: number, channel: number) => number {
  const output = coreOutputType(ctx.op.epilogue, ctx.outputs[0]);
  if (output.dtype === 'i32' || !output.quant) return (sum) => sum | 0;
  const [least, greatest] = integerRange(output.dtype);
  const zero = output.quant.zeroPoint[0];
  const x = ctx.inputs[0]!;
  const w = ctx.inputs[1]!;
  const sx = fround(scaleOf(x.quant, 0));
  const sy = fround(output.quant.scale[0]);
  if (ctx.dialect === 'onnx') {
    const scales = new Float32Array(channels);
    for (let c = 0; c < channels; c++) scales[c] = requantisationScale(sx, scaleOf(w.quant, c), sy);
    return (sum, c) => requantise(sum, scales[c], zero, least, greatest);
  }
  const factors = fixedFactors(ctx.op.kind, x, w, output, channels);
  const multipliers = Int32Array.from(factors, (f) => f.multiplier);
  const shifts = Int32Array.from(factors, (f) => f.shift);
  const multiply = x.dtype === 'i16' ? multiplyWide : multiplyByQuantizedMultiplier;
  return (sum, c) => {
    const q = multiply(sum, multipliers[c], shifts[c]) + zero;
    return Math.max(least, Math.min(greatest, q));
  };
}

/** What TFLite multiplies the sums of each channel by. Throws `quantisation-invalid` where it cannot. */
export function fixedFactors(
  kind: string,
  x: ElementType,
  w: ElementType,
  output: ElementType,
  channels: number,
): QuantizedMultiplier[] {
  const sx = fround(scaleOf(x.quant, 0));
  const sy = fround(scaleOf(output.quant, 0));
  // uint8 convolutions and per-tensor fully connected layers multiply the two scales in float32 first
  // (GetQuantizedConvolutionMultipler); all others in double (PopulateConvolutionQuantizationParams).
  const oneScale = (w.quant?.scale.length ?? 1) === 1;
  const single = x.dtype === 'u8' || (kind === 'FullyConnected' && oneScale);
  return Array.from({ length: channels }, (_, c) => {
    const product = sx * fround(scaleOf(w.quant, c));
    const factor = (single ? fround(product) : product) / sy;
    return x.dtype === 'i16' ? quantizeMultiplier(factor, MOST_WIDE_SHIFT) : quantizeMultiplier(factor);
  });
}
