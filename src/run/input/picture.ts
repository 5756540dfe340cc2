/** Pictures as rows of 8-bit RGB pixels, and the readers of their formats. */
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { TidemarkError } from '../../errors.ts';
import { readBmp } from './bmp.ts';

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel, row by row from the top. */
  readonly rgb: Uint8Array;
}

const MAX_MEGAPIXELS = 100;

/** Decodes a PNG, JPEG or BMP by its content. */
export function readPicture(bytes: Uint8Array, name: string): Picture {
  try {
    if (bytes[0] === 0x89 && bytes[1] === 0x50) return fromRgba(PNG.sync.read(asBuffer(bytes)));
    if (bytes[0] === 0xff && bytes[1] === 0xd8) {
      return fromRgba(
        jpeg.decode(bytes, { useTArray: true, maxResolutionInMP: MAX_MEGAPIXELS, maxMemoryUsageInMB: 1024 }),
      );
    }
    if (bytes[0] === 0x42 && bytes[1] === 0x4d) return readBmp(bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TidemarkError('input-invalid', `${name}: the picture cannot be decoded (${why})`, {
      cause: error,
    });
  }
  throw new TidemarkError(
    'input-invalid',
    `${name}: expected a PNG, JPEG or BMP picture, but its content is none`,
  );
}

/** The transparent part of a pixel is left out: networks are trained on opaque pictures. */
function fromRgba(picture: { width: number; height: number; data: ArrayLike<number> }): Picture {
  const { width, height, data } = picture;
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0, to = 0, from = 0; i < width * height; i++, from += 4) {
    rgb[to++] = data[from];
    rgb[to++] = data[from + 1];
    rgb[to++] = data[from + 2];
  }
  return { width, height, rgb };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
