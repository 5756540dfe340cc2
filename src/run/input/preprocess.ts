/** From a picture to the numbers a network was trained on: crop, resize, colour order, range. */
import { TidemarkError } from '../../errors.ts';
import type { Picture } from './picture.ts';

export type Resize = 'crop' | 'stretch' | 'none';
export type Colour = 'rgb' | 'bgr' | 'grey';

/** value = (pixel * scale - mean[c]) / std[c], pixel in 0..255; mean and std in the order of `colour`. */
export interface Range {
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Ranges that published networks use, by name. */
export const PRESETS: Readonly<Record<string, Range & { readonly colour?: Colour }>> = {
  '0..1': { scale: 1 / 255, mean: [0], std: [1] },
  '-1..1': { scale: 1 / 127.5, mean: [1], std: [1] },
  '0..255': { scale: 1, mean: [0], std: [1] },
  imagenet: { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  caffe: { scale: 1, mean: [103.939, 116.779, 123.68], std: [1], colour: 'bgr' },
};

export interface Frame {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Pixels 0..255 of a frame, channels last, not rounded. */
export function frameOf(
  picture: Picture,
  frame: Frame,
  resize: Resize,
  colour: Colour,
  name: string,
): Float32Array {
  const { height, width, channels } = frame;
  if (resize === 'none' && (picture.width !== width || picture.height !== height)) {
    throw new TidemarkError(
      'input-invalid',
      `${name}: the picture is ${picture.width} x ${picture.height}, the input ${width} x ${height}; leave out --resize none to fit it`,
    );
  }
  const whole = { x: 0, y: 0, w: picture.width, h: picture.height };
  const region = resize === 'crop' ? centre(picture, width / height) : whole;
  const source = averaged(picture, region, Math.floor(region.w / width), Math.floor(region.h / height));
  const out = new Float32Array(height * width * channels);
  const pixel = new Float64Array(3);
  for (let y = 0; y < height; y++) {
    const sy = ((y + 0.5) * source.height) / height - 0.5;
    for (let x = 0; x < width; x++) {
      const sx = ((x + 0.5) * source.width) / width - 0.5;
      sample(source, sx, sy, pixel);
      writePixel(out, (y * width + x) * channels, pixel, channels, colour);
    }
  }
  return out;
}

interface Region {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Three numbers a pixel, as in a picture, but not rounded. */
interface Samples {
  readonly width: number;
  readonly height: number;
  readonly rgb: ArrayLike<number>;
}

/**
 * A region with each block of fx by fy pixels averaged into one: bilinear sampling alone skips pixels where a
 * picture shrinks to less than half. What is left over at the right and below is dropped.
 */
function averaged(picture: Picture, region: Region, fx: number, fy: number): Samples {
  const stepX = Math.max(1, fx);
  const stepY = Math.max(1, fy);
  const width = Math.floor(region.w / stepX);
  const height = Math.floor(region.h / stepY);
  const rgb = new Float32Array(width * height * 3);
  for (let y = 0; y < height * stepY; y++) {
    const row = Math.floor(y / stepY) * width;
    const from = (region.y + y) * picture.width + region.x;
    for (let x = 0; x < width * stepX; x++) {
      const to = (row + Math.floor(x / stepX)) * 3;
      for (let c = 0; c < 3; c++) rgb[to + c] += picture.rgb[(from + x) * 3 + c];
    }
  }
  const count = stepX * stepY;
  if (count > 1) for (let i = 0; i < rgb.length; i++) rgb[i] /= count;
  return { width, height, rgb };
}

/** The largest region of an aspect (width over height) around the middle. */
function centre(picture: Picture, aspect: number): Region {
  const w = Math.min(picture.width, Math.round(picture.height * aspect));
  const h = Math.min(picture.height, Math.round(picture.width / aspect));
  return {
    x: Math.floor((picture.width - w) / 2),
    y: Math.floor((picture.height - h) / 2),
    w: Math.max(1, w),
    h: Math.max(1, h),
  };
}

/** Bilinear, coordinates at pixel centres, edge pixels repeated. */
function sample(picture: Samples, x: number, y: number, out: Float64Array): void {
  const { width, height, rgb } = picture;
  const cx = Math.min(Math.max(x, 0), width - 1);
  const cy = Math.min(Math.max(y, 0), height - 1);
  const x0 = Math.floor(cx);
  const y0 = Math.floor(cy);
  const right = x0 + 1 < width ? 3 : 0;
  const below = y0 + 1 < height ? width * 3 : 0;
  const fx = cx - x0;
  const fy = cy - y0;
  const at = (y0 * width + x0) * 3;
  for (let c = 0; c < 3; c++) {
    const top = rgb[at + c] * (1 - fx) + rgb[at + right + c] * fx;
    const bottom = rgb[at + below + c] * (1 - fx) + rgb[at + below + right + c] * fx;
    out[c] = top * (1 - fy) + bottom * fy;
  }
}

/** A fourth channel is opaque. */
function writePixel(
  out: Float32Array,
  at: number,
  pixel: Float64Array,
  channels: number,
  colour: Colour,
): void {
  if (colour === 'grey') {
    // ITU-R BT.601 luma, what picture libraries mean by grey.
    const grey = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
    out.fill(grey, at, at + Math.min(channels, 3));
  } else {
    for (let c = 0; c < Math.min(channels, 3); c++) out[at + c] = pixel[colour === 'bgr' ? 2 - c : c];
  }
  if (channels === 4) out[at + 3] = 255;
}

/** Applies a range in place; one mean or std stands for all channels. */
export function applyRange(values: Float32Array, channels: number, range: Range): void {
  for (const [what, list] of [
    ['mean', range.mean],
    ['std', range.std],
  ] as const) {
    if (list.length !== 1 && list.length !== channels) {
      throw new TidemarkError(
        'usage',
        `--${what} has ${list.length} values, the input has ${channels} channels`,
      );
    }
  }
  for (let i = 0; i < values.length; i++) {
    const c = i % channels;
    const mean = range.mean[range.mean.length === 1 ? 0 : c];
    const std = range.std[range.std.length === 1 ? 0 : c];
    values[i] = (values[i] * range.scale - mean) / std;
  }
}
