/**
 * Bilinear Resize of int8 and int16 as the TFLite reference kernel does it: coordinates and weights with 10
 * fractional bits, products with 20, rounded once, ties away from zero.
 */
import { channelsOf } from '../graph/graph.ts';
import type { Kernel, OpContext } from './operator.ts';
import type { ResizeAttributes, Samples } from './resize-axis.ts';

const ONE = 1024;

/** Samples along direction 0 (H) or 1 (W), weights in 1/1024. */
export function fixedSamples(attrs: ResizeAttributes, input: number, direction: number): Samples[] {
  const output = attrs.size[direction];
  const corners = attrs.coordinates === 'align_corners' && output > 1;
  const [num, den] = corners ? [input - 1, output - 1] : [input, output];
  const step = Math.floor((ONE * num + Math.floor(den / 2)) / den);
  const centred = attrs.coordinates === 'half_pixel';
  const samples: Samples[] = [];
  for (let o = 0; o < output; o++) {
    const x = o * step + (centred ? Math.floor(step / 2) - 512 : 0);
    const low = Math.max(0, Math.trunc(x / ONE));
    const high = Math.min(input - 1, Math.trunc((x + ONE - 1) / ONE));
    const part = x - low * ONE;
    // Rounding of the step can carry the last coordinates past the end: both inputs are then the last one.
    if (part === 0 || low >= high) samples.push({ inputs: [Math.min(low, input - 1)], weights: [ONE] });
    else samples.push({ inputs: [low, high], weights: [ONE - part, part] });
  }
  return samples;
}

export function fixedPointResize(
  { inputs, outputs }: OpContext<ResizeAttributes>,
  rows: readonly Samples[],
  columns: readonly Samples[],
): Kernel {
  const [, h, w] = inputs[0]!.shape;
  const channels = channelsOf(outputs[0].shape);
  return ([x], [y], lo, hi) => {
    for (let p = lo; p < hi; p++) {
      const row = Math.floor(p / columns.length);
      const firstRow = Math.floor(row / rows.length) * h;
      const down = rows[row % rows.length];
      const across = columns[p % columns.length];
      const from = down.inputs.flatMap((iy) => across.inputs.map((ix) => x!.at((firstRow + iy) * w + ix)));
      const weights = down.weights.flatMap((a) => across.weights.map((b) => a * b));
      const to = y.at(p);
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0; k < from.length; k++) sum += x!.data[from[k] + c] * weights[k];
        y.data[to + c] = Math.trunc((sum > 0 ? sum + 2 ** 19 : sum - 2 ** 19) / 2 ** 20);
      }
    }
  };
}
