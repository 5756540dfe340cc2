import { expect, test } from 'vitest';
import { axisNeeds, windowOver } from '../../../ops/window.ts';
import { layerMemory, type RasterLayer, rasterDistance } from './raster-distance.ts';

interface Shape {
  readonly input: readonly [height: number, width: number, channels: number];
  readonly filters: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly pad?: number;
}

function layerOf({ input: [h, w, c], filters, kernel, stride = 1, pad = 0 }: Shape): RasterLayer {
  const window = windowOver([1, h, w, c], [kernel, kernel], {
    stride: [stride, stride],
    dilation: [1, 1],
    pads: [pad, pad, pad, pad],
  });
  const { batch, y, x } = window;
  return { batch, y: axisNeeds(y), x: axisNeeds(x), inPixelBytes: c, outPixelBytes: filters };
}

function memory(shape: Shape, granularity: 'pixel' | 'row' | 'element' = 'pixel'): number {
  const layer = layerOf(shape);
  const bytes = layer.y.output * layer.x.output * shape.filters;
  const { bytes: distance } = rasterDistance(layer, granularity, 'forward');
  return layerMemory(distance, shape.input[0] * shape.input[1] * shape.input[2], bytes);
}

const SAME3 = { kernel: 3, pad: 1 };

test.each([
  ['3x3 s1 56x56 64->64', { ...SAME3, input: [56, 56, 64], filters: 64 }, 204_352],
  ['3x3 s1 56x56 64->128', { ...SAME3, input: [56, 56, 64], filters: 128 }, 404_992],
  ['1x1 112x112 32->64', { kernel: 1, input: [112, 112, 32], filters: 64 }, 802_816],
  ['3x3 s2 p1 112x112 64->64', { ...SAME3, stride: 2, input: [112, 112, 64], filters: 64 }, 802_816],
  ['7x7 s2 p3 224x224 3->64', { kernel: 7, stride: 2, pad: 3, input: [224, 224, 3], filters: 64 }, 805_455],
  ['3x3 s1 416x416 3->16', { ...SAME3, input: [416, 416, 3], filters: 16 }, 2_770_134],
] satisfies [string, Shape, number][])('memory of %s, by pixels', (_name, shape, bytes) => {
  expect(memory(shape)).toBe(bytes);
});

test('rows take a little less, elements a little more', () => {
  const shape: Shape = { ...SAME3, input: [56, 56, 64], filters: 64 };
  expect(memory(shape, 'row')).toBe(204_288);
  expect(memory(shape, 'element')).toBe(204_415);
});

test('a symmetric layer is as large backwards as forwards', () => {
  for (const granularity of ['pixel', 'row', 'element'] as const) {
    const layer = layerOf({ ...SAME3, input: [9, 7, 4], filters: 6 });
    const { bytes } = rasterDistance(layer, granularity, 'forward');
    expect(rasterDistance(layer, granularity, 'backward').bytes).toBe(bytes);
  }
});

test('a stride that leaves input over is better walked from the end', () => {
  const layer = layerOf({ kernel: 7, stride: 2, pad: 3, input: [224, 224, 3], filters: 64 });
  const { bytes } = rasterDistance(layer, 'pixel', 'backward');
  expect(layerMemory(bytes, 150_528, 802_816)).toBe(804_780);
});
