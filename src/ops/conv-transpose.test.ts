import { describe, expect, it } from 'vitest';
import { convTranspose } from './conv-transpose.ts';
import { checkOperator, contextFor, pick, randomInput, seeded } from './testing/check-operator.ts';

describe('ConvTranspose', () => {
  it('spreads each input pixel over its window', () => {
    const random = seeded(1);
    for (let round = 0; round < 40; round++) {
      const groups = pick(random, 1, 2);
      const [kh, kw] = [pick(random, 1, 4), pick(random, 1, 3)];
      const stride = [pick(random, 1, 3), pick(random, 1, 2)];
      const dilation = [1, pick(random, 1, 2)];
      const cin = groups * pick(random, 1, 3);
      const cout = groups * pick(random, 1, 5);
      const [n, h, w] = [pick(random, 1, 2), pick(random, 2, 4), pick(random, 2, 4)];
      const pads = [0, 1, 2, 3].map(() => pick(random, 0, 1));
      const attrs = { stride, dilation, pads, groups, outputPadding: [pick(random, 0, stride[0] - 1), 0] };
      const float = round % 2 === 0;
      const type = float
        ? { dtype: 'f32' as const }
        : { dtype: 'u8' as const, quant: { scale: [1], zeroPoint: [9], axis: 0 } };
      const x = randomInput(random, [n, h, w, cin], type);
      const weights = randomInput(random, [cout, kh, kw, cin / groups], type, true);
      const b = randomInput(random, [cout], { dtype: float ? 'f32' : 'i32' }, true);
      const given = { inputs: [x, weights, b], attrs };
      const [, oh, ow] = contextFor(convTranspose, given).outputs[0].shape;
      const zero = float ? 0 : 9;
      const expected = new Float64Array(n * oh * ow * cout).map((_, i) => b.values[i % cout]);
      for (let p = 0; p < n * h * w; p++) {
        for (let co = 0; co < cout; co++) {
          for (let k = 0; k < kh * kw; k++) {
            const oy = (Math.floor(p / w) % h) * stride[0] - pads[0] + Math.floor(k / kw) * dilation[0];
            const ox = (p % w) * stride[1] - pads[1] + (k % kw) * dilation[1];
            if (oy < 0 || oy >= oh || ox < 0 || ox >= ow) continue;
            const depth = cin / groups;
            for (let c = 0; c < depth; c++) {
              const ci = Math.floor(co / (cout / groups)) * depth + c;
              const product =
                (x.values[p * cin + ci] - zero) * (weights.values[(co * kh * kw + k) * depth + c] - zero);
              expected[((Math.floor(p / w / h) * oh + oy) * ow + ox) * cout + co] += product;
            }
          }
        }
      }
      const [found] = checkOperator(convTranspose, given, round);
      expect(found.length).toBe(expected.length);
      found.forEach((v, i) => {
        expect(v).toBeCloseTo(expected[i], 4);
      });
    }
  });
});
