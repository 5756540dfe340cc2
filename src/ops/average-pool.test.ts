import { describe, expect, it } from 'vitest';
import type { ElementType } from '../graph/graph.ts';
import { averagePool } from './average-pool.ts';
import { checkOperator, contextFor, pick, randomInput, runWhole, seeded } from './testing/check-operator.ts';

const i8: ElementType = { dtype: 'i8', quant: { scale: [0.1], zeroPoint: [5], axis: 0 } };

describe('AveragePool', () => {
  it('is the mean of each window, with and without its pads', () => {
    const random = seeded(21);
    for (let round = 0; round < 60; round++) {
      const [n, h, w, c] = [pick(random, 1, 2), pick(random, 3, 7), pick(random, 3, 7), pick(random, 1, 3)];
      const whole = round % 5 === 0;
      const kernel = whole ? [h, w] : [pick(random, 1, 3), pick(random, 1, 3)];
      const attrs = {
        kernel,
        stride: [pick(random, 1, 3), pick(random, 1, 2)],
        dilation: [1, 1],
        pads: [0, 1, 2, 3].map((i) => pick(random, 0, kernel[i % 2] - 1)),
        ceil: random() < 0.5,
        countPad: random() < 0.5,
      };
      const type: ElementType = round % 3 === 0 ? i8 : { dtype: 'f32' };
      const dialect = round % 6 === 0 ? ('tflite' as const) : ('onnx' as const);
      if (dialect === 'tflite') attrs.countPad = false;
      const x = randomInput(random, [n, h, w, c], type);
      const given = { inputs: [x], attrs, dialect };
      const [found] = checkOperator(averagePool, given, round);
      const [, oh, ow] = contextFor(averagePool, given).outputs[0].shape;
      found.forEach((v, i) => {
        const oy = Math.floor(i / c / ow) % oh;
        const ox = Math.floor(i / c) % ow;
        const b = Math.floor(i / c / ow / oh);
        let [sum, inside, padded] = [0, 0, 0];
        for (let ky = 0; ky < kernel[0]; ky++) {
          for (let kx = 0; kx < kernel[1]; kx++) {
            const iy = oy * attrs.stride[0] - attrs.pads[0] + ky;
            const ix = ox * attrs.stride[1] - attrs.pads[1] + kx;
            if (iy < h + attrs.pads[2] && ix < w + attrs.pads[3]) padded++;
            if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
            inside++;
            sum += x.values[((b * h + iy) * w + ix) * c + (i % c)] - (type.quant ? 5 : 0);
          }
        }
        const mean = inside === 0 ? 0 : sum / (attrs.countPad ? padded : inside);
        if (type.dtype === 'f32') expect(v).toBeCloseTo(mean, 5);
        else expect(Math.abs(v - 5 - mean)).toBeLessThan(0.501);
      });
    }
  });

  it('rounds ties away from zero for TFLite', () => {
    const attrs = {
      kernel: [1, 2],
      stride: [1, 2],
      dilation: [1, 1],
      pads: [0, 0, 0, 0],
      ceil: false,
      countPad: false,
    };
    const x = { shape: [1, 1, 6, 1], type: { ...i8 }, values: Int8Array.of(1, 2, -1, -2, 3, 3) };
    expect([...runWhole(averagePool, { inputs: [x], attrs, dialect: 'tflite' })[0]]).toEqual([2, -2, 3]);
  });
});
