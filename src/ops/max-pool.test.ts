import { describe, expect, it } from 'vitest';
import { maxPool } from './max-pool.ts';
import { checkOperator, contextFor, pick, randomInput, seeded } from './testing/check-operator.ts';

describe('MaxPool', () => {
  it('is the greatest value of each window, on random shapes', () => {
    const random = seeded(11);
    for (let round = 0; round < 40; round++) {
      const [n, h, w, c] = [pick(random, 1, 2), pick(random, 3, 7), pick(random, 3, 7), pick(random, 1, 3)];
      const whole = round % 5 === 0;
      const kernel = whole ? [h, w] : [pick(random, 1, 3), pick(random, 1, 3)];
      const attrs = {
        kernel,
        stride: [pick(random, 1, 3), pick(random, 1, 2)],
        dilation: [1, pick(random, 1, 2)],
        pads: [0, 1, 2, 3].map((i) => pick(random, 0, kernel[i % 2] - 1)),
        ceil: random() < 0.5,
      };
      if ((kernel[1] - 1) * attrs.dilation[1] >= w) continue;
      const type = round % 2 ? { dtype: 'f32' as const } : { dtype: 'i8' as const };
      const given = { inputs: [randomInput(random, [n, h, w, c], type)], attrs };
      const [found] = checkOperator(maxPool, given, round);
      const [, oh, ow] = contextFor(maxPool, given).outputs[0].shape;
      const x = given.inputs[0].values;
      for (let i = 0; i < found.length; i++) {
        const [ch, ox] = [i % c, Math.floor(i / c) % ow];
        const [oy, b] = [Math.floor(i / c / ow) % oh, Math.floor(i / c / ow / oh)];
        let best = Number.NEGATIVE_INFINITY;
        for (let iy = 0; iy < h; iy++) {
          for (let ix = 0; ix < w; ix++) {
            const ky = iy - oy * attrs.stride[0] + attrs.pads[0];
            const kx = ix - ox * attrs.stride[1] + attrs.pads[1];
            const tap = kx / attrs.dilation[1];
            if (ky < 0 || ky >= kernel[0] || !Number.isInteger(tap) || tap < 0 || tap >= kernel[1]) continue;
            best = Math.max(best, x[((b * h + iy) * w + ix) * c + ch]);
          }
        }
        expect(found[i]).toBe(best === Number.NEGATIVE_INFINITY && type.dtype === 'i8' ? -128 : best);
      }
    }
  });
});
