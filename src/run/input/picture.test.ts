import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import type { Port, Tensor } from '../../graph/graph.ts';
import { type Picture, readPicture } from './picture.ts';
import { type PictureOptions, pictureInput } from './picture-input.ts';
import { frameOf } from './preprocess.ts';

/** 3 x 2: red, green, blue over black, white, grey. */
const RGB = [255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 128, 128, 128];

function bmp(bits: 8 | 24 | 32, topDown: boolean): Uint8Array {
  const palette = bits === 8 ? 6 : 0;
  const start = 54 + palette * 4;
  const rowBytes = Math.ceil((3 * bits) / 32) * 4;
  const bytes = new Uint8Array(start + rowBytes * 2);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(10, start, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, 3, true);
  view.setInt32(22, topDown ? -2 : 2, true);
  view.setUint16(28, bits, true);
  for (let i = 0; i < 6; i++) {
    const bgra = [RGB[i * 3 + 2], RGB[i * 3 + 1], RGB[i * 3], 255];
    const y = Math.floor(i / 3);
    const at = start + rowBytes * (topDown ? y : 1 - y);
    if (bits === 8) {
      bytes.set(bgra, 54 + i * 4);
      bytes[at + (i % 3)] = i;
    } else bytes.set(bgra.slice(0, bits / 8), at + (i % 3) * (bits / 8));
  }
  return bytes;
}

function png(): Uint8Array {
  const image = new PNG({ width: 3, height: 2 });
  for (let i = 0; i < 6; i++) image.data.set([...RGB.slice(i * 3, i * 3 + 3), 255], i * 4);
  return PNG.sync.write(image);
}

describe('pictures', () => {
  it.each([
    ['BMP, 8 bits', bmp(8, false)],
    ['BMP, 24 bits', bmp(24, false)],
    ['BMP, 32 bits', bmp(32, false)],
    ['BMP, top down', bmp(24, true)],
    ['PNG', png()],
  ])('decodes %s', (_, bytes) => {
    const picture = readPicture(bytes, 'a');
    expect([picture.width, picture.height, Array.from(picture.rgb)]).toEqual([3, 2, RGB]);
  });

  it('decodes JPEG', () => {
    const data = new Uint8Array(16 * 16 * 4).fill(200);
    const picture = readPicture(
      jpeg.encode({ width: 16, height: 16, data: Buffer.from(data) }, 95).data,
      'a.jpg',
    );
    expect([picture.width, picture.height]).toEqual([16, 16]);
    expect(Math.abs(picture.rgb[100] - 200)).toBeLessThan(4);
  });

  it.each([
    ['a cut PNG', png().subarray(0, 40)],
    ['a cut BMP', bmp(24, false).subarray(0, 60)],
    ['text', new TextEncoder().encode('no picture')],
  ])('refuses %s in one line that names the file', (_, bytes) => {
    expect(() => readPicture(bytes, 'a.png')).toThrow(/^a\.png: /);
  });
});

const ramp: Picture = {
  width: 4,
  height: 2,
  rgb: Uint8Array.from({ length: 24 }, (_, i) => Math.floor(i / 3) * 10 + (i % 3)),
};

describe('frames', () => {
  it('keeps pixels where nothing is resized', () => {
    const frame = frameOf(ramp, { height: 2, width: 4, channels: 3 }, 'none', 'rgb', 'a');
    expect(Array.from(frame)).toEqual(Array.from(ramp.rgb));
  });

  it('crops the middle to the aspect', () => {
    const frame = frameOf(ramp, { height: 2, width: 2, channels: 1 }, 'crop', 'rgb', 'a');
    expect(Array.from(frame)).toEqual([10, 20, 50, 60]);
  });

  it('averages on halving', () => {
    const frame = frameOf(ramp, { height: 1, width: 2, channels: 3 }, 'stretch', 'bgr', 'a');
    expect(Array.from(frame)).toEqual([27, 26, 25, 47, 46, 45]);
  });
});

const port = (shape: readonly number[], dtype: string, perm?: readonly number[]): Port => ({
  tensor: 0,
  name: 'x',
  shape,
  dtype,
  perm,
});
const tensor = (dtype: Tensor['dtype'], quant?: Tensor['quant']): Tensor => ({
  id: 0,
  name: 'x',
  shape: [1, 2, 4, 3],
  dtype,
  quant,
});
const values = (p: Port, t: Tensor, options: PictureOptions) =>
  Array.from(pictureInput(ramp, p, t, options, 'a').array.values);

describe('picture inputs', () => {
  const nhwc = [1, 2, 4, 3];
  const nchw = [1, 3, 2, 4];

  it('goes to planes for a file whose channels come first', () => {
    const got = values(port(nchw, 'f32', [0, 2, 3, 1]), tensor('f32'), { preprocess: '0..255' });
    expect(got.slice(0, 8)).toEqual([0, 10, 20, 30, 40, 50, 60, 70]);
    expect(got.slice(8, 10)).toEqual([1, 11]);
  });

  it('hands bytes on to 8-bit inputs', () => {
    expect(values(port(nhwc, 'u8'), tensor('u8'), {})).toEqual(Array.from(ramp.rgb));
    expect(values(port(nhwc, 'i8'), tensor('i8'), {})[3]).toBe(10 - 128);
    expect(values(port(nhwc, 'i8'), tensor('i8'), { preprocess: 'raw-reinterpret' })[3]).toBe(10);
  });

  it('quantises what a preset gives', () => {
    const quant = { scale: [1 / 128], zeroPoint: [0], axis: 0 };
    expect(values(port(nhwc, 'i8'), tensor('i8', quant), { preprocess: '-1..1' })[0]).toBe(-128);
  });

  it('takes mean and std in pixel units', () => {
    const got = values(port(nhwc, 'f32'), tensor('f32'), { mean: [0, 1, 2], std: [2] });
    expect(got.slice(0, 6)).toEqual([0, 0, 0, 5, 5, 5]);
  });

  it('refuses what does not fit in one line', () => {
    expect(() => values(port([1, 10], 'f32'), tensor('f32'), {})).toThrow(
      /does not fit input x of shape \[1,10\]/,
    );
    expect(() => values(port(nhwc, 'f32'), tensor('f32'), { preprocess: 'vgg' })).toThrow(
      /expects one of 0\.\.1/,
    );
    expect(() => values(port(nhwc, 'f32'), tensor('f32'), { mean: [1, 2] })).toThrow(/3 channels/);
  });
});
