/**
 * Where Resize samples along one direction: for each output, a few inputs and their weights. Coordinates follow
 * ONNX's Resize (opset 19, coordinate_transformation_mode) in float32 as ONNX Runtime computes them, or the
 * TFLite reference kernels (input / output size as the step).
 */
import { TidemarkError } from '../errors.ts';
import type { Attributes, Dialect } from '../graph/graph.ts';

export interface ResizeAttributes extends Attributes {
  /** H, W */
  readonly size: readonly number[];
  readonly scales: readonly number[];
  readonly mode: string;
  readonly coordinates: string;
  readonly nearest: string;
  readonly cubicA: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
}

/** Samples of one output: input indices and their weights. No weight is zero. */
export interface Samples {
  readonly inputs: readonly number[];
  readonly weights: readonly number[];
}

const { fround } = Math;

const clampTo = (i: number, size: number) => Math.min(size - 1, Math.max(0, i));

/** Samples of every output of direction 0 (H) or 1 (W). */
export function resizeAxis(
  attrs: ResizeAttributes,
  input: number,
  direction: number,
  dialect: Dialect,
): Samples[] {
  const output = attrs.size[direction];
  const scale = fround(attrs.scales?.[direction] ?? output / input);
  const at = coordinates(attrs.coordinates, input, output, scale, dialect);
  const samples: Samples[] = [];
  for (let o = 0; o < output; o++) samples.push(samplesAt(attrs, at(o), input, scale, dialect));
  return samples;
}

/** Input coordinate of an output index. */
function coordinates(
  mode: string,
  input: number,
  output: number,
  scale: number,
  dialect: Dialect,
): (o: number) => number {
  const tflite = dialect === 'tflite';
  const step = fround(input / output);
  const half = (o: number) => (tflite ? fround(fround(o + 0.5) * step) : fround(fround(o + 0.5) / scale));
  switch (mode) {
    case 'asymmetric':
      return (o) => (tflite ? fround(o * step) : fround(o / scale));
    case 'half_pixel':
      return (o) => fround(half(o) - 0.5);
    case 'tf_half_pixel_for_nn':
      return half;
    case 'pytorch_half_pixel':
      return (o) => (output > 1 ? fround(half(o) - 0.5) : 0);
    case 'half_pixel_symmetric': {
      const adjustment = fround(output / fround(scale * input));
      const offset = fround((input / 2) * fround(1 - adjustment));
      return (o) => fround(fround(offset + half(o)) - 0.5);
    }
    case 'align_corners': {
      if (output === 1) return () => 0;
      const stride = fround((input - 1) / (output - 1));
      return (o) => (tflite ? fround(o * stride) : fround(fround(o * (input - 1)) / (output - 1)));
    }
    default:
      throw new TidemarkError('operator-unsupported', `Resize with coordinates ${mode} is not supported`);
  }
}

function samplesAt(
  attrs: ResizeAttributes,
  x: number,
  input: number,
  scale: number,
  dialect: Dialect,
): Samples {
  switch (attrs.mode) {
    case 'nearest':
      return { inputs: [clampTo(nearestOf(attrs, x, scale, dialect), input)], weights: [1] };
    case 'linear':
      return attrs.antialias && scale < 1
        ? filtered(x, input, scale, 1, attrs.excludeOutside, (d) => Math.max(0, 1 - Math.abs(d)))
        : linear(x, input, dialect);
    case 'cubic':
      return attrs.antialias && scale < 1
        ? filtered(x, input, scale, 2, attrs.excludeOutside, (d) =>
            cubicWeight(Math.abs(d), attrs.cubicA ?? -0.75),
          )
        : cubic(x, input, attrs.cubicA ?? -0.75, attrs.excludeOutside);
    default:
      throw new TidemarkError('operator-unsupported', `Resize with mode ${attrs.mode} is not supported`);
  }
}

function nearestOf(attrs: ResizeAttributes, x: number, scale: number, dialect: Dialect): number {
  // TFLite knows two rules: round with aligned corners (ties away), else down.
  if (dialect === 'tflite')
    return attrs.coordinates === 'align_corners' ? Math.floor(fround(x + 0.5)) : Math.floor(x);
  switch (attrs.nearest) {
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    case 'round_prefer_ceil':
      return Math.floor(x + 0.5);
    case 'simple':
      return scale < 1 ? Math.ceil(x) : Math.trunc(x);
    case 'round_prefer_floor':
    case undefined:
      return Math.ceil(x - 0.5);
    default:
      throw new TidemarkError(
        'operator-invalid',
        `Resize with nearest mode ${attrs.nearest}, which ONNX does not have`,
      );
  }
}

/** Drops zero weights. An input may stand twice: joining its weights would round differently. */
function withoutZeros(inputs: readonly number[], weights: readonly number[]): Samples {
  const kept = inputs.map((_, k) => k).filter((k) => weights[k] !== 0);
  return { inputs: kept.map((k) => inputs[k]), weights: kept.map((k) => weights[k]) };
}

/** Drops zero weights and joins equal inputs. */
function gathered(inputs: readonly number[], weights: readonly number[]): Samples {
  const sums = new Map<number, number>();
  inputs.forEach((i, k) => {
    if (weights[k] !== 0) sums.set(i, fround((sums.get(i) ?? 0) + weights[k]));
  });
  const kept = [...sums].filter(([, w]) => w !== 0).sort((p, q) => p[0] - q[0]);
  return kept.length > 0
    ? { inputs: kept.map(([i]) => i), weights: kept.map(([, w]) => w) }
    : { inputs: [inputs[0]], weights: [0] };
}

function linear(x: number, input: number, dialect: Dialect): Samples {
  if (dialect === 'tflite') {
    // Weights from the unclamped coordinate; at the border both inputs are the same one.
    const low = Math.max(0, Math.floor(x));
    const high = Math.min(input - 1, Math.ceil(x));
    const part = fround(x - low);
    return withoutZeros([Math.min(low, input - 1), high], [fround(1 - part), part]);
  }
  const inside = Math.min(input - 1, Math.max(0, x));
  const low = Math.floor(inside);
  const part = fround(inside - low);
  return gathered([low, Math.min(low + 1, input - 1)], [fround(1 - part), part]);
}

/** Keys' cubic convolution kernel. */
function cubicWeight(d: number, a: number): number {
  if (d >= 2) return 0;
  return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

function cubic(x: number, input: number, a: number, excludeOutside: boolean): Samples {
  const low = Math.floor(x);
  const part = x - low;
  const inputs = [low - 1, low, low + 1, low + 2];
  let weights = [1 + part, part, 1 - part, 2 - part].map((d) => cubicWeight(d, a));
  if (excludeOutside) {
    weights = weights.map((w, k) => (inputs[k] >= 0 && inputs[k] < input ? w : 0));
    const sum = weights.reduce((s, w) => s + w, 0);
    weights = weights.map((w) => w / sum);
  }
  return gathered(
    inputs.map((i) => clampTo(i, input)),
    weights.map(fround),
  );
}

/**
 * A filter stretched by 1 / scale so that it covers all inputs it shrinks. What lies outside is left out, or
 * stands for the border (ONNX Runtime's reading of antialias with and without exclude_outside).
 */
function filtered(
  x: number,
  input: number,
  scale: number,
  radius: number,
  excludeOutside: boolean,
  weight: (d: number) => number,
): Samples {
  const centre = x + 0.5;
  const support = radius / scale;
  const inputs: number[] = [];
  const weights: number[] = [];
  const end = Math.floor(centre + support + 0.5);
  for (let i = Math.floor(centre - support + 0.5); i < end; i++) {
    if (excludeOutside && (i < 0 || i >= input)) continue;
    inputs.push(clampTo(i, input));
    weights.push(weight((i + 0.5 - centre) * scale));
  }
  const sum = weights.reduce((s, w) => s + w, 0);
  return inputs.length === 0 || sum === 0
    ? { inputs: [clampTo(Math.round(x), input)], weights: [1] }
    : gathered(
        inputs,
        weights.map((w) => fround(w / sum)),
      );
}
