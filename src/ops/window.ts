/**
 * Geometry of a window that slides over a picture `[N, H, W, C]`: sizes, the input pixels behind each output
 * pixel, and the monotone range of them behind a run. Convolutions and pools share it.
 */
import { TidemarkError } from '../errors.ts';
import type { Attributes, Tensor } from '../graph/graph.ts';
import type { PixelRange, View } from './operator.ts';

export interface WindowAttributes extends Attributes {
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** top, left, bottom, right */
  readonly pads: readonly number[];
}

/** One direction of a window. Output o touches input o * stride - pad + k * dilation, k in [0, taps). */
export interface WindowAxis {
  readonly input: number;
  readonly output: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly pad: number;
}

export interface Window {
  readonly batch: number;
  readonly y: WindowAxis;
  readonly x: WindowAxis;
}

/** A positive integer attribute pair, or a refusal that names it. */
export function pairOf(
  value: readonly number[] | undefined,
  name: string,
  least = 1,
): readonly [number, number] {
  const pair = value ?? [least, least];
  if (pair.length !== 2 || !pair.every((v) => Number.isInteger(v) && v >= least)) {
    throw new TidemarkError(
      'operator-invalid',
      `${name} is [${pair}], expected two integers of at least ${least}`,
    );
  }
  return [pair[0], pair[1]];
}

/** The four dimensions of a picture, or a refusal. */
export function pictureShape(t: Tensor | undefined, what: string): readonly [number, number, number, number] {
  if (t?.shape.length !== 4) {
    const found = t ? `[${t.shape}]` : 'nothing';
    throw new TidemarkError('shape-mismatch', `${what} must be [N, H, W, C], found ${found}`);
  }
  return [t.shape[0], t.shape[1], t.shape[2], t.shape[3]];
}

/**
 * Outputs along one direction. With `ceil`, a window that would start beyond the input and its leading pad is
 * dropped (ONNX's rule for pools since opset 19, PyTorch's always); a window larger than the padded input counts
 * where the part that is missing is less than a stride.
 */
export function outputSize(
  input: number,
  taps: number,
  stride: number,
  dilation: number,
  before: number,
  after: number,
  ceil = false,
): number {
  const span = (taps - 1) * dilation + 1;
  const steps = (input + before + after - span) / stride;
  let count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  if (ceil && (count - 1) * stride >= input + before) count--;
  if (count >= 1) return count;
  throw new TidemarkError(
    'shape-mismatch',
    `a window of ${span} does not fit an input of ${input} with pads ${before} and ${after}`,
  );
}

/** Pixels that a window, a step of it or its padding spans: places of pixels are 32-bit integers in emitted code. */
const MOST_REACH = 2 ** 28;

/** The window of `taps` [kh, kw] over a picture. */
export function windowOver(
  shape: readonly number[],
  taps: readonly number[],
  attrs: WindowAttributes,
  ceil = false,
): Window {
  const [kh, kw] = pairOf(taps, 'kernel');
  const [sh, sw] = pairOf(attrs.stride, 'stride');
  const [dh, dw] = pairOf(attrs.dilation, 'dilation');
  const pads = attrs.pads ?? [0, 0, 0, 0];
  if (pads.length !== 4 || !pads.every((p) => Number.isInteger(p))) {
    throw new TidemarkError('operator-invalid', `pads is [${pads}], expected four integers`);
  }
  const [top, left, bottom, right] = pads;
  const [batch, height, width] = shape;
  const reach = [(kh - 1) * dh + 1, (kw - 1) * dw + 1, sh, sw, ...pads.map(Math.abs)];
  const beyond = reach.find((n) => n > MOST_REACH);
  if (beyond !== undefined)
    throw new TidemarkError(
      'operator-invalid',
      `a window that reaches over ${beyond} pixels; at most ${MOST_REACH} are supported`,
    );
  return {
    batch,
    y: {
      input: height,
      output: outputSize(height, kh, sh, dh, top, bottom, ceil),
      taps: kh,
      stride: sh,
      dilation: dh,
      pad: top,
    },
    x: {
      input: width,
      output: outputSize(width, kw, sw, dw, left, right, ceil),
      taps: kw,
      stride: sw,
      dilation: dw,
      pad: left,
    },
  };
}

/** First tap of output o that meets the input. */
export function firstTap(axis: WindowAxis, o: number): number {
  const start = o * axis.stride - axis.pad;
  return start < 0 ? Math.ceil(-start / axis.dilation) : 0;
}

/** One past the last tap of output o that meets the input. At most firstTap when none does. */
export function endTap(axis: WindowAxis, o: number): number {
  const start = o * axis.stride - axis.pad;
  return Math.min(axis.taps, Math.floor((axis.input - 1 - start) / axis.dilation) + 1);
}

/** Least input that outputs from o on touch; Infinity when they touch none. */
function leastFrom(axis: WindowAxis, o: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = o; i < axis.output; i++) {
    const start = i * axis.stride - axis.pad;
    const k = firstTap(axis, i);
    if (k < endTap(axis, i)) least = Math.min(least, start + k * axis.dilation);
    if (start >= 0) break; // from here on the first input only grows
  }
  return least;
}

/** Greatest input that outputs up to o touch; -1 when they touch none. */
function greatestUpTo(axis: WindowAxis, o: number): number {
  let greatest = -1;
  for (let i = o; i >= 0; i--) {
    const start = i * axis.stride - axis.pad;
    const end = endTap(axis, i);
    if (firstTap(axis, i) < end) greatest = Math.max(greatest, start + (end - 1) * axis.dilation);
    if (start + (axis.taps - 1) * axis.dilation < axis.input) break; // before here the last one only falls
  }
  return greatest;
}

/** What an axis offers to find ranges: also Resize and ConvTranspose have one. */
export interface AxisNeeds {
  readonly input: number;
  readonly output: number;
  /** Least input that outputs from o on need; Infinity when none. */
  leastFrom(o: number): number;
  /** Greatest input that outputs up to o need; -1 when none. */
  greatestUpTo(o: number): number;
}

/** The needs of a window axis. */
export function axisNeeds(axis: WindowAxis): AxisNeeds {
  return {
    input: axis.input,
    output: axis.output,
    leastFrom: (o) => leastFrom(axis, o),
    greatestUpTo: (o) => greatestUpTo(axis, o),
  };
}

/**
 * Input pixels behind output pixels [lo, hi) in raster order. The range starts at the first input pixel that
 * any output pixel from `lo` on needs and ends after the last that any before `hi` needs: the least range that
 * covers the need and moves only forward (the plain hull jumps back at the ends of rows). Images do not mix.
 */
export function rasterNeeds(batch: number, y: AxisNeeds, x: AxisNeeds, lo: number, hi: number): PixelRange {
  const from = firstNeeded(batch, y, x, lo);
  return { lo: from, hi: hi > lo ? endNeeded(y, x, hi) : from };
}

/** The needs of a window in both directions, kept: they are asked for at every firing. */
export interface WindowNeeds {
  readonly batch: number;
  readonly y: AxisNeeds;
  readonly x: AxisNeeds;
}

export function windowNeeds({ batch, y, x }: Window): WindowNeeds {
  return { batch, y: axisNeeds(y), x: axisNeeds(x) };
}

function firstNeeded(batch: number, y: AxisNeeds, x: AxisNeeds, lo: number): number {
  const image = y.output * x.output;
  const column = lo % x.output;
  const row = ((lo - column) / x.output) % y.output;
  const n = Math.floor(lo / image);
  const pixel = (picture: number, iy: number, ix: number) => (picture * y.input + iy) * x.input + ix;
  const all = batch * y.input * x.input;
  if (n >= batch) return all;
  const here = y.leastFrom(row);
  const rest = row + 1 < y.output ? y.leastFrom(row + 1) : Number.POSITIVE_INFINITY;
  const right = x.leastFrom(column);
  const anyColumn = x.leastFrom(0);
  let best = all;
  if (here < Number.POSITIVE_INFINITY && right < Number.POSITIVE_INFINITY) best = pixel(n, here, right);
  if (anyColumn === Number.POSITIVE_INFINITY) return best;
  if (rest < Number.POSITIVE_INFINITY) best = Math.min(best, pixel(n, rest, anyColumn));
  if (best < all || n + 1 >= batch) return best;
  const next = y.leastFrom(0);
  return next < Number.POSITIVE_INFINITY ? pixel(n + 1, next, anyColumn) : all;
}

function endNeeded(y: AxisNeeds, x: AxisNeeds, hi: number): number {
  const last = hi - 1;
  const image = y.output * x.output;
  const column = last % x.output;
  const row = ((last - column) / x.output) % y.output;
  const n = Math.floor(last / image);
  const pixel = (picture: number, iy: number, ix: number) => (picture * y.input + iy) * x.input + ix;
  const before = row > 0 ? y.greatestUpTo(row - 1) : -1;
  const here = y.greatestUpTo(row);
  const left = x.greatestUpTo(column);
  const anyColumn = x.greatestUpTo(x.output - 1);
  let end = 0;
  if (here >= 0 && left >= 0) end = pixel(n, here, left) + 1;
  if (anyColumn < 0) return end;
  if (before >= 0) end = Math.max(end, pixel(n, before, anyColumn) + 1);
  if (end > 0 || n === 0) return end;
  const previous = y.greatestUpTo(y.output - 1);
  return previous >= 0 ? pixel(n - 1, previous, anyColumn) + 1 : 0;
}

/** Finds the taps of one output pixel that meet the input, in raster order of the window. */
export interface Taps {
  /** Taps of a whole window. */
  readonly count: number;
  /** Index in the input's data of channel 0, for each tap found. */
  readonly source: Int32Array;
  /** ky * kw + kx, for each tap found. */
  readonly index: Int32Array;
  /** Fills both and returns how many were found. */
  find(view: View, pixel: number): number;
}

/** The taps of a sliding window. */
export function windowTaps({ y, x }: Window): Taps {
  const image = y.output * x.output;
  const found = Math.min(y.taps, y.input) * Math.min(x.taps, x.input);
  const source = new Int32Array(found);
  const index = new Int32Array(found);
  const find = (view: View, pixel: number) => {
    const ox = pixel % x.output;
    const oy = Math.floor((pixel % image) / x.output);
    const top = oy * y.stride - y.pad;
    const left = ox * x.stride - x.pad;
    const firstRow = Math.floor(pixel / image) * y.input;
    const kyEnd = endTap(y, oy);
    const kxStart = firstTap(x, ox);
    const kxEnd = endTap(x, ox);
    let count = 0;
    for (let ky = firstTap(y, oy); ky < kyEnd; ky++) {
      const row = (firstRow + top + ky * y.dilation) * x.input + left;
      for (let kx = kxStart; kx < kxEnd; kx++) {
        source[count] = view.at(row + kx * x.dilation);
        index[count++] = ky * x.taps + kx;
      }
    }
    return count;
  };
  return { count: y.taps * x.taps, source, index, find };
}
