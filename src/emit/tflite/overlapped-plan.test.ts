import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { haveModels, MODELS, UNLESS_MODELS } from '../../../test/public-models-folder.ts';
import type { FileModel } from '../../model/tflite/file.ts';
import { parseTflite } from '../../model/tflite/file.ts';
import { CODE, ints, type TestModel, tfliteFile } from '../../model/tflite/testing/model-file.ts';
import { offlinePlanProblem } from './check-offline-plan.ts';
import { planOverlapped } from './overlapped-plan.ts';
import { overlapDistance } from './raster.ts';

/** A convolution of int8, as a file would have it. */
interface Layer {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly same: boolean;
}

const spread = (k: number, dilation: number) => (k - 1) * dilation + 1;
const outSize = (size: number, { kernel, stride, dilation, same }: Layer) =>
  same ? Math.ceil(size / stride) : Math.floor((size - spread(kernel, dilation)) / stride) + 1;

function convolution(layer: Layer): FileModel {
  const { height, width, channels, filters, kernel, stride, dilation, same } = layer;
  const type = 'i8' as const;
  const model: TestModel = {
    tensors: [
      { name: 'x', shape: [1, height, width, channels], type },
      {
        ...{ name: 'w', shape: [filters, kernel, kernel, channels], type },
        data: new Uint8Array(filters * kernel * kernel * channels).fill(1),
      },
      { name: 'y', shape: [1, outSize(height, layer), outSize(width, layer), filters], type },
      { name: 'z', shape: [1], type },
    ],
    nodes: [
      {
        ...{ code: CODE.CONV_2D, inputs: [0, 1], outputs: [2] },
        options: (b) => {
          b.addFieldInt8(0, same ? 0 : 1, 0);
          b.addFieldInt32(1, stride, 0);
          b.addFieldInt32(2, stride, 0);
          b.addFieldInt32(4, dilation, 1);
          b.addFieldInt32(5, dilation, 1);
        },
      },
      { code: CODE.RELU, inputs: [2], outputs: [3] },
    ],
    inputs: [0],
    outputs: [3],
  };
  return parseTflite(tfliteFile(model));
}

/**
 * The sums that the reference kernel computes, channel by channel of each pixel, in one memory: the input lies
 * `distance` bytes above the output. With plenty of distance it is a memory each.
 */
function run(layer: Layer, distance: number, input: Uint8Array): Uint8Array {
  const { height, width, channels, filters, kernel, stride, dilation, same } = layer;
  const [rows, columns] = [outSize(height, layer), outSize(width, layer)];
  const pad = (size: number, out: number) =>
    same ? Math.floor(Math.max(0, (out - 1) * stride + spread(kernel, dilation) - size) / 2) : 0;
  const [top, left] = [pad(height, rows), pad(width, columns)];
  const arena = new Uint8Array(Math.max(rows * columns * filters, distance + input.length));
  arena.set(input, distance);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++)
      for (let c = 0; c < filters; c++) {
        let sum = 7 * c;
        for (let ky = 0; ky < kernel; ky++)
          for (let kx = 0; kx < kernel; kx++) {
            const [iy, ix] = [y * stride - top + ky * dilation, x * stride - left + kx * dilation];
            if (iy < 0 || ix < 0 || iy >= height || ix >= width) continue;
            for (let i = 0; i < channels; i++) {
              const weight = 1 + c + 3 * ky + 5 * kx + 11 * i;
              sum = Math.imul(sum, 31) + weight * arena[distance + (iy * width + ix) * channels + i];
            }
          }
        arena[(y * columns + x) * filters + c] = (sum >>> 3) ^ sum;
      }
  return arena.slice(0, rows * columns * filters);
}

const anyLayer: fc.Arbitrary<Layer> = fc
  .record({
    height: fc.integer({ min: 1, max: 9 }),
    width: fc.integer({ min: 1, max: 9 }),
    channels: fc.integer({ min: 1, max: 5 }),
    filters: fc.integer({ min: 1, max: 5 }),
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    same: fc.boolean(),
  })
  .filter((l) => l.same || Math.min(l.height, l.width) >= spread(l.kernel, l.dilation));

describe('how far the output of a convolution may lie over its input', () => {
  test('at the distance everything is right, and two bytes closer it goes wrong', () => {
    let [tried, corrupted] = [0, 0];
    fc.assert(
      fc.property(anyLayer, fc.infiniteStream(fc.nat(255)), (layer, bytes) => {
        const model = convolution(layer);
        const distance = overlapDistance(model, model.nodes[0], 0);
        const input = Uint8Array.from(bytes.take(layer.height * layer.width * layer.channels));
        const apart = run(layer, 10_000, input);
        expect(run(layer, Math.max(0, distance), input)).toEqual(apart);
        // Pixels count whole; the kernel writes the last of several channels when it has read all for the pixel.
        if (layer.filters < 2 || distance < 2 || distance === apart.length) return;
        tried++;
        if (Buffer.compare(run(layer, distance - 2, input), apart) !== 0) corrupted++;
      }),
      { numRuns: 1500, seed: 11 },
    );
    expect(tried).toBeGreaterThan(500);
    expect(corrupted / tried).toBeGreaterThan(0.9);
  });

  test('a whole plan: right, refused for other kernels, and refused 16 bytes closer', () => {
    const layer = {
      height: 8,
      width: 8,
      channels: 4,
      filters: 4,
      kernel: 3,
      stride: 1,
      dilation: 1,
      same: true,
    };
    const model = convolution(layer);
    const plan = planOverlapped(model);
    // 4 channels of a row and a pixel above, the pixel itself, and alignment: 40 bytes become 48.
    expect(overlapDistance(model, model.nodes[0], 0)).toBe(40);
    expect(plan).toMatchObject({ headBytes: 304, wholeHeadBytes: 512, greedyHeadBytes: 512, overlaps: 1 });
    expect(plan.offsets).toEqual([48, -1, 0, expect.any(Number)]);
    expect(offlinePlanProblem(model, plan.offsets, 'reference')).toBeUndefined();
    expect(offlinePlanProblem(model, plan.offsets)).toContain('writes tensor 2 (y) over tensor 0 (x)');
    const closer = plan.offsets.with(0, 32);
    expect(offlinePlanProblem(model, closer, 'reference')).toContain('over tensor 0 (x)');
  });
});

test('a pad writes ahead of what it reads by the padding alone', () => {
  const pads = (...values: number[]): FileModel =>
    parseTflite(
      tfliteFile({
        tensors: [
          { name: 'x', shape: [1, 4, 5, 3], type: 'i8' },
          { name: 'p', shape: [4, 2], type: 'i32', data: ints(...values) },
          { name: 'y', shape: [1, 4 + values[2] + values[3], 5 + values[4] + values[5], 3], type: 'i8' },
        ],
        nodes: [{ code: 34, inputs: [0, 1], outputs: [2] }],
        inputs: [0],
        outputs: [2],
      }),
    );
  const distance = (m: FileModel) => overlapDistance(m, m.nodes[0], 0);
  expect(distance(pads(0, 0, 0, 0, 0, 0, 0, 0))).toBe(0);
  // A row of 7 and a pixel before the first element, 2 pixels after each row but the last.
  expect(distance(pads(0, 0, 1, 1, 1, 1, 0, 0))).toBe(3 * (7 + 1 + 2 * 3));
  expect(distance(pads(0, 0, 0, 1, 0, 0, 0, 0))).toBe(0);
});

const FOLDER = join(MODELS, 'tflite');
const files = haveModels ? readdirSync(FOLDER).filter((f) => f.endsWith('.tflite')) : [];
/** A bound that the search cannot meet makes it long. */
const LONG = new Set(['style_transfer_384_int8.tflite']);

describe.skipIf(!haveModels)(`public models${UNLESS_MODELS}`, () => {
  test.each(files.filter((f) => !LONG.has(f)))('%s', (file) => {
    const model = parseTflite(new Uint8Array(readFileSync(join(FOLDER, file))));
    const plan = planOverlapped(model);
    expect(plan.headBytes).toBeLessThanOrEqual(plan.wholeHeadBytes);
    expect(plan.headBytes).toBeGreaterThanOrEqual(plan.lowerBoundBytes);
    expect(offlinePlanProblem(model, plan.offsets, 'reference')).toBeUndefined();
    if (file === 'vww_96_int8.tflite') expect(plan.headBytes).toBe(36_896);
    if (file === 'mcunet_vww_int8.tflite') expect(plan.headBytes).toBe(84_720);
  });
});
