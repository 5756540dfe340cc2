/** A picture as the values of an input: finds the input's layout, picks a sensible range, and says what it did. */
import { TidemarkError } from '../../errors.ts';
import { elementCount, type Port, type Tensor } from '../../graph/graph.ts';
import { type FileArray, INTEGER_RANGE } from './file-array.ts';
import type { Picture } from './picture.ts';
import { portType, quantiseReal } from './port-values.ts';
import {
  applyRange,
  type Colour,
  type Frame,
  frameOf,
  PRESETS,
  type Range,
  type Resize,
} from './preprocess.ts';

export interface PictureOptions {
  readonly resize?: Resize;
  readonly color?: Colour;
  /** A preset's name, `raw` or `raw-reinterpret`. */
  readonly preprocess?: string;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly scale?: number;
}

/** The two ways to hand the bytes of a picture to an 8-bit input unchanged. */
export const RAW = ['raw', 'raw-reinterpret'] as const;

export interface PictureInput {
  readonly array: FileArray;
  /** What was done, in a few words. */
  readonly how: string;
}

/** Where the input's height, width and channels stand. */
interface Layout extends Frame {
  readonly channelsFirst: boolean;
}

export function pictureInput(
  picture: Picture,
  port: Port,
  tensor: Tensor,
  options: PictureOptions,
  name: string,
): PictureInput {
  const layout = layoutOf(port, name);
  const mode = chooseMode(tensor, options);
  const preset = PRESETS[mode];
  const grey = layout.channels === 1;
  const colour = options.color ?? preset?.colour ?? (grey ? 'grey' : 'rgb');
  const resize = options.resize ?? 'crop';
  const pixels = frameOf(picture, layout, resize, grey ? 'grey' : colour, name);
  const values = mode.startsWith('raw')
    ? rawValues(pixels, tensor, mode)
    : realValues(pixels, layout.channels, tensor, rangeOf(preset, options));
  const array = {
    dtype: portType(port),
    shape: port.shape,
    values: layout.channelsFirst ? toPlanes(values, layout) : values,
  };
  const size = `${picture.width} x ${picture.height} to ${layout.width} x ${layout.height}`;
  return {
    array,
    how: `${size} (${resize}), ${grey ? 'grey' : colour}, ${custom(options) ? 'given mean and std' : mode}`,
  };
}

const custom = (o: PictureOptions) => o.mean !== undefined || o.std !== undefined || o.scale !== undefined;

/** 8-bit inputs take the bytes as they are, others numbers from 0 to 1, unless told otherwise. */
function chooseMode(tensor: Tensor, options: PictureOptions): string {
  const mode = options.preprocess ?? (isByte(tensor) && !custom(options) ? 'raw' : '0..1');
  if (!(mode in PRESETS) && !RAW.some((r) => r === mode)) {
    throw new TidemarkError(
      'usage',
      `--preprocess expects one of ${[...Object.keys(PRESETS), ...RAW].join(', ')}, got '${mode}'`,
    );
  }
  if (mode.startsWith('raw') && custom(options)) {
    throw new TidemarkError(
      'usage',
      `--preprocess ${mode} hands the bytes on; it goes with no --mean, --std or --scale`,
    );
  }
  return mode;
}

const isByte = (tensor: Tensor) => tensor.dtype === 'u8' || tensor.dtype === 'i8';

function rangeOf(preset: Range, options: PictureOptions): Range {
  if (!custom(options)) return preset;
  const base = options.preprocess ? preset : PRESETS['0..255'];
  return {
    scale: options.scale ?? base.scale,
    mean: options.mean ?? base.mean,
    std: options.std ?? base.std,
  };
}

function rawValues(pixels: Float32Array, tensor: Tensor, mode: string): Float64Array {
  const values = Float64Array.from(pixels, (v) => Math.floor(v + 0.5));
  if (tensor.dtype !== 'i8') return values;
  if (mode === 'raw-reinterpret') return values.map((v) => (v > 127 ? v - 256 : v));
  return values.map((v) => v - 128);
}

function realValues(pixels: Float32Array, channels: number, tensor: Tensor, range: Range): ArrayLike<number> {
  applyRange(pixels, channels, range);
  if (tensor.dtype === 'f32') return pixels;
  if (tensor.quant) return quantiseReal(pixels, tensor);
  const [low, high] = INTEGER_RANGE[tensor.dtype]!;
  return Float64Array.from(pixels, (v) => Math.min(high, Math.max(low, Math.round(v))));
}

/** Height, width and channels of an input of rank 2 to 4 with batch 1. */
function layoutOf(port: Port, name: string): Layout {
  const shape = port.shape.length === 4 ? port.shape.slice(1) : port.shape;
  const batch = port.shape.length === 4 ? port.shape[0] : 1;
  const isChannels = (d: number) => d === 1 || d === 3 || d === 4;
  if (shape.length === 2 && shape[0] > 1)
    return { height: shape[0], width: shape[1], channels: 1, channelsFirst: false };
  if (batch === 1 && shape.length === 3) {
    // The reader knows the layout where it moved the channels; else the sizes tell.
    const moved = port.perm?.length === 4 && port.perm[3] === 1;
    if (!moved && isChannels(shape[2])) {
      return { height: shape[0], width: shape[1], channels: shape[2], channelsFirst: false };
    }
    if (isChannels(shape[0]))
      return { height: shape[1], width: shape[2], channels: shape[0], channelsFirst: true };
  }
  throw new TidemarkError(
    'input-invalid',
    `${name}: a picture does not fit input ${port.name} of shape [${port.shape}] (${elementCount(port.shape)} values); give a .npy or .bin file`,
  );
}

function toPlanes(values: ArrayLike<number>, { height, width, channels }: Frame): Float64Array {
  const out = new Float64Array(values.length);
  const plane = height * width;
  for (let p = 0; p < plane; p++)
    for (let c = 0; c < channels; c++) out[c * plane + p] = values[p * channels + c];
  return out;
}
