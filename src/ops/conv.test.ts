import { describe, expect, it } from 'vitest';
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from '../arithmetic/tflite.ts';
import type { ElementType } from '../graph/graph.ts';
import { conv } from './conv.ts';
import {
  type CaseInput,
  checkOperator,
  contextFor,
  pick,
  type Random,
  randomInput,
  seeded,
} from './testing/check-operator.ts';

/** A random convolution: odd sizes, uneven pads, dilation, groups, two images. */
function randomCase(random: Random, types: { x: ElementType; w: ElementType; bias: ElementType }) {
  const kernel = [pick(random, 1, 3), pick(random, 1, 3)];
  const dilation = [pick(random, 1, 2), pick(random, 1, 2)];
  const size = [0, 1].map((i) => (kernel[i] - 1) * dilation[i] + pick(random, 0, 4) + 1);
  const groups = pick(random, 1, 3);
  const cin = pick(random, 1, 3) * (random() < 0.4 ? groups : 1) * groups;
  const cout = groups * pick(random, 1, 6);
  const attrs = {
    stride: [pick(random, 1, 2), pick(random, 1, 3)],
    dilation,
    pads: [0, 1, 2, 3].map(() => pick(random, 0, 2)),
    groups,
  };
  const x = randomInput(random, [pick(random, 1, 2), size[0], size[1], cin], types.x);
  const w = randomInput(random, [cout, kernel[0], kernel[1], cin / groups], types.w, true);
  const bias = randomInput(random, [cout], types.bias, true);
  const inputs: (CaseInput | undefined)[] = [x, w, random() < 0.7 ? bias : undefined];
  return { inputs, attrs, x, w, cout, groups };
}

/** The sum behind output element i, straight from the definition. */
function sumOf(given: ReturnType<typeof randomCase>, shape: readonly number[], i: number): number {
  const { inputs, attrs, x, w, groups } = given;
  const [, h, wide, cin] = x.shape;
  const [cout, kh, kw, depth] = w.shape;
  const co = i % cout;
  const ox = Math.floor(i / cout) % shape[2];
  const oy = Math.floor(i / cout / shape[2]) % shape[1];
  const n = Math.floor(i / cout / shape[2] / shape[1]);
  const zeroX = x.type.quant?.zeroPoint[0] ?? 0;
  const zerosW = w.type.quant?.zeroPoint ?? [0];
  const zeroW = zerosW.length > 1 ? zerosW[co] : zerosW[0];
  let sum = inputs[2] ? inputs[2].values[co] : 0;
  for (let ky = 0; ky < kh; ky++) {
    for (let kx = 0; kx < kw; kx++) {
      const iy = oy * attrs.stride[0] - attrs.pads[0] + ky * attrs.dilation[0];
      const ix = ox * attrs.stride[1] - attrs.pads[1] + kx * attrs.dilation[1];
      if (iy < 0 || iy >= h || ix < 0 || ix >= wide) continue;
      for (let c = 0; c < depth; c++) {
        const ci = Math.floor(co / (cout / groups)) * depth + c;
        const a = x.values[((n * h + iy) * wide + ix) * cin + ci] - zeroX;
        sum += a * (w.values[((co * kh + ky) * kw + kx) * depth + c] - zeroW);
      }
    }
  }
  return sum;
}

const quant = (scale: number[], zeroPoint: number[]) => ({ scale, zeroPoint, axis: 0 });
const clamp = (q: number, lo: number, hi: number) => Math.min(hi, Math.max(lo, q));

describe('Conv', () => {
  it('is the windowed sum in float32', () => {
    const random = seeded(1);
    const f32: ElementType = { dtype: 'f32' };
    for (let round = 0; round < 30; round++) {
      const given = randomCase(random, { x: f32, w: f32, bias: f32 });
      const { shape } = contextFor(conv, given).outputs[0];
      const [found] = checkOperator(conv, given, round);
      found.forEach((v, i) => {
        expect(v).toBeCloseTo(sumOf(given, shape, i), 4);
      });
    }
  });

  it('is the bare sum of uint8 where the output is int32', () => {
    const random = seeded(2);
    const types = {
      x: { dtype: 'u8', quant: quant([1], [7]) },
      w: { dtype: 'u8', quant: quant([1], [130]) },
      bias: { dtype: 'i32' },
    } as const;
    for (let round = 0; round < 20; round++) {
      const given = randomCase(random, types);
      const context = contextFor(conv, given);
      expect(context.outputs[0].dtype).toBe('i32');
      const [found] = checkOperator(conv, given, round);
      found.forEach((v, i) => {
        expect(v).toBe(sumOf(given, context.outputs[0].shape, i));
      });
    }
  });

  it('requantises per channel in fixed point (tflite) or float32 (onnx)', () => {
    const random = seeded(4);
    for (let round = 0; round < 40; round++) {
      const dialect = round % 2 ? ('onnx' as const) : ('tflite' as const);
      const base = randomCase(random, { x: { dtype: 'i8' }, w: { dtype: 'i8' }, bias: { dtype: 'i32' } });
      const scales = Array.from({ length: base.cout }, () => Math.fround(0.01 + random() * 0.02));
      const zeros = scales.map(() => (dialect === 'onnx' ? pick(random, -5, 5) : 0));
      const x = { ...base.x, type: { dtype: 'i8' as const, quant: quant([Math.fround(0.03)], [-4]) } };
      const w = { ...base.w, type: { dtype: 'i8' as const, quant: quant(scales, zeros) } };
      const out = { dtype: 'i8' as const, quant: quant([Math.fround(0.2)], [3]) };
      const given = {
        ...base,
        x,
        w,
        inputs: [x, w, base.inputs[2]],
        dialect,
        given: [{ shape: [], ...out }],
      };
      const { shape } = contextFor(conv, given).outputs[0];
      const [found] = checkOperator(conv, given, round);
      found.forEach((v, i) => {
        const sum = sumOf(given, shape, i);
        const scale = scales[i % base.cout];
        if (dialect === 'onnx') {
          const real = Math.fround(
            sum * Math.fround(Math.fround(Math.fround(0.03) * scale) / Math.fround(0.2)),
          );
          const down = Math.floor(real);
          const nearest = real - down === 0.5 ? down + (down & 1) : Math.floor(real + 0.5);
          expect(v).toBe(clamp(nearest + 3, -128, 127));
        } else {
          const { multiplier, shift } = quantizeMultiplier((Math.fround(0.03) * scale) / Math.fround(0.2));
          expect(v).toBe(clamp(multiplyByQuantizedMultiplier(sum, multiplier, shift) + 3, -128, 127));
          expect(Math.abs(v - clamp((sum * Math.fround(0.03) * scale) / 0.2 + 3, -128, 127))).toBeLessThan(
            0.51,
          );
        }
      });
    }
  });

  it('handles int16 activations within rounding of the exact result', () => {
    const random = seeded(5);
    for (let round = 0; round < 10; round++) {
      const base = randomCase(random, { x: { dtype: 'i16' }, w: { dtype: 'i8' }, bias: { dtype: 'i32' } });
      const x = { ...base.x, type: { dtype: 'i16' as const, quant: quant([0.001], [0]) } };
      const w = { ...base.w, type: { dtype: 'i8' as const, quant: quant([0.01], [0]) } };
      const out = { dtype: 'i16' as const, quant: quant([0.01], [0]) };
      const given = {
        ...base,
        x,
        w,
        inputs: [x, w, base.inputs[2]],
        dialect: 'tflite' as const,
        given: [{ shape: [], ...out }],
      };
      const { shape } = contextFor(conv, given).outputs[0];
      const [found] = checkOperator(conv, given, round);
      found.forEach((v, i) => {
        const exact = clamp(sumOf(given, shape, i) * 0.001, -32768, 32767);
        expect(Math.abs(v - exact)).toBeLessThan(0.6 + Math.abs(exact) * 2 ** -14); // 15-bit multiplier
      });
    }
  });

  it('refuses weights that do not fit', () => {
    const f32: ElementType = { dtype: 'f32' };
    const random = seeded(6);
    const x = randomInput(random, [1, 4, 4, 3], f32);
    const w = randomInput(random, [2, 3, 3, 2], f32, true);
    const attrs = { stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], groups: 1 };
    expect(() => contextFor(conv, { inputs: [x, w], attrs })).toThrow(/do not fit an input of 3 channels/);
    expect(() => contextFor(conv, { inputs: [x], attrs })).toThrow(/found nothing/);
  });
});
