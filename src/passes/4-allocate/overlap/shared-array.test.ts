/**
 * The closed form against the thing itself: a convolution that reads and writes one array. At distance D it is
 * right; one element closer it spoils what it still needs.
 */
import { expect, test } from 'vitest';
import { pick, type Random, seeded } from '../../../ops/testing/operator-case.ts';
import { axisNeeds, type Window, windowOver } from '../../../ops/window.ts';
import { type Direction, type Granularity, type RasterLayer, rasterDistance } from './raster-distance.ts';

interface Convolution {
  readonly window: Window;
  readonly channels: number;
  readonly filters: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly pads: readonly number[];
  readonly weights: Int8Array;
}

function randomConvolution(random: Random): Convolution | undefined {
  const kernel = [pick(random, 1, 4), pick(random, 1, 4)] as const;
  const stride = [pick(random, 1, 3), pick(random, 1, 3)] as const;
  const dilation = [pick(random, 1, 2), pick(random, 1, 2)] as const;
  const pads = Array.from({ length: 4 }, () => pick(random, 0, 3));
  const [height, width] = [pick(random, 1, 8), pick(random, 1, 8)];
  const channels = pick(random, 1, 4);
  const filters = pick(random, 1, 6);
  const fits = (size: number, axis: 0 | 1) =>
    size + pads[axis] + pads[axis + 2] >= (kernel[axis] - 1) * dilation[axis] + 1;
  if (!fits(height, 0) || !fits(width, 1)) return undefined;
  const window = windowOver([1, height, width, channels], kernel, { stride, dilation, pads });
  const weights = Int8Array.from({ length: filters * kernel[0] * kernel[1] * channels }, () =>
    pick(random, 2, 9),
  );
  return { window, channels, filters, kernel, stride, dilation, pads, weights };
}

/** One value of the output, from an input that begins at `base` of the array. */
function valueAt(c: Convolution, memory: Int32Array, base: number, pixel: number, filter: number): number {
  const { y, x } = c.window;
  const oy = Math.floor(pixel / x.output);
  const ox = pixel % x.output;
  let sum = 0;
  for (let ky = 0; ky < c.kernel[0]; ky++) {
    for (let kx = 0; kx < c.kernel[1]; kx++) {
      const iy = oy * c.stride[0] - c.pads[0] + ky * c.dilation[0];
      const ix = ox * c.stride[1] - c.pads[1] + kx * c.dilation[1];
      if (iy < 0 || ix < 0 || iy >= y.input || ix >= x.input) continue;
      for (let ch = 0; ch < c.channels; ch++) {
        const weight = c.weights[((filter * c.kernel[0] + ky) * c.kernel[1] + kx) * c.channels + ch];
        sum += memory[base + (iy * x.input + ix) * c.channels + ch] * weight;
      }
    }
  }
  return sum;
}

/** Runs the layer in one array, the output `distance` from the input; gives the output. */
function runInPlace(
  c: Convolution,
  input: Int32Array,
  distance: number,
  granularity: Granularity,
  direction: Direction,
) {
  const pixels = c.window.y.output * c.window.x.output;
  const outBytes = pixels * c.filters;
  // Tops meet backwards, bases forwards.
  const room = input.length + outBytes + Math.abs(distance);
  const outBase = room;
  const base = direction === 'forward' ? outBase + distance : outBase + outBytes - distance - input.length;
  const memory = new Int32Array(3 * room);
  memory.set(input, base);
  const units: number[][] = [];
  const row = c.window.x.output;
  for (let p = 0; p < pixels; p += granularity === 'row' ? row : 1)
    units.push(Array.from({ length: granularity === 'row' ? row : 1 }, (_, i) => p + i));
  if (direction === 'backward') units.reverse();
  for (const unit of units) {
    const elements = unit.flatMap((p) => Array.from({ length: c.filters }, (_, k) => ({ p, k })));
    if (direction === 'backward') elements.reverse();
    if (granularity === 'element') {
      for (const { p, k } of elements) memory[outBase + p * c.filters + k] = valueAt(c, memory, base, p, k);
      continue;
    }
    const values = elements.map(({ p, k }) => valueAt(c, memory, base, p, k));
    elements.forEach(({ p, k }, i) => {
      memory[outBase + p * c.filters + k] = values[i];
    });
  }
  return memory.slice(outBase, outBase + outBytes);
}

test.each(['pixel', 'row', 'element'] as const)(
  'by %s, forwards and backwards, right at D and wrong at D - 1',
  (granularity) => {
    const random = seeded(20_201);
    let layers = 0;
    let deciding = 0;
    while (layers < 700) {
      const c = randomConvolution(random);
      if (!c) continue;
      layers++;
      const { batch, y, x } = c.window;
      const layer: RasterLayer = {
        batch,
        y: axisNeeds(y),
        x: axisNeeds(x),
        inPixelBytes: c.channels,
        outPixelBytes: c.filters,
      };
      // Wide values, so that no wrong one is right by chance.
      const input = Int32Array.from({ length: y.input * x.input * c.channels }, () =>
        pick(random, 1, 100_000),
      );
      const apart = input.length + y.output * x.output * c.filters;
      const expected = runInPlace(c, input, apart, granularity, 'forward');
      for (const direction of ['forward', 'backward'] as const) {
        const { bytes } = rasterDistance(layer, granularity, direction);
        // Nothing is read after something is written: any distance will do.
        if (bytes === Number.NEGATIVE_INFINITY) continue;
        const found = runInPlace(c, input, bytes, granularity, direction);
        expect(found, `${granularity} ${direction} ${JSON.stringify(c)}`).toEqual(expected);
        const closer = runInPlace(c, input, bytes - 1, granularity, direction);
        expect(closer, `${granularity} ${direction} ${JSON.stringify(c)}`).not.toEqual(expected);
        deciding++;
      }
    }
    expect(deciding).toBeGreaterThan(1000);
  },
);
