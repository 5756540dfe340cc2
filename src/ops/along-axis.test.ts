import { describe, expect, it } from 'vitest';
import { type Attributes, elementCount } from '../graph/graph.ts';
import { hardmax } from './hardmax.ts';
import { instanceNormalization } from './instance-normalization.ts';
import { layerNormalization } from './layer-normalization.ts';
import { logSoftmax } from './log-softmax.ts';
import { lpNormalization } from './lp-normalization.ts';
import { lrn } from './lrn.ts';
import type { OperatorDef } from './operator.ts';
import { softmax } from './softmax.ts';
import { checkOperator, contextFor, pick, randomInput, runWhole, seeded } from './testing/check-operator.ts';
import { coordinates, F32, indexOf, quantised, randomShape } from './testing/naive.ts';

/** All lines of a shape along an axis, as element indices. */
function lines(shape: readonly number[], axis: number): number[][] {
  const outer = shape.map((d, k) => (k === axis ? 1 : d));
  return coordinates(outer).map((at) =>
    Array.from({ length: shape[axis] }, (_, i) =>
      indexOf(
        shape,
        at.map((v, k) => (k === axis ? i : v)),
      ),
    ),
  );
}

function alongAxis<A extends Attributes>(
  def: OperatorDef<A>,
  attrs: object,
  formula: (x: number[]) => number[],
): void {
  for (let round = 0; round < 40; round++) {
    const random = seeded(round);
    const shape = randomShape(random);
    const axis = random() < 0.5 ? shape.length - 1 : pick(random, 0, shape.length - 1);
    const x = randomInput(random, shape);
    const [y] = checkOperator(def, { inputs: [x], attrs: { axis, ...attrs } as Attributes }, round);
    for (const line of lines(shape, axis)) {
      const expected = formula(line.map((e) => x.values[e]));
      line.forEach((e, i) => {
        expect(y[e]).toBeCloseTo(expected[i], 5);
      });
    }
  }
}

describe('along an axis', () => {
  const sum = (x: number[]) => x.reduce((a, b) => a + b, 0);

  it('takes the softmax', () => {
    const formula = (x: number[]) => x.map((v) => Math.exp(2 * v) / sum(x.map((w) => Math.exp(2 * w))));
    alongAxis(softmax, { beta: 2 }, formula);
  });

  it('takes the logarithm of the softmax', () => {
    alongAxis(logSoftmax, { beta: 1 }, (x) => x.map((v) => v - Math.log(sum(x.map(Math.exp)))));
  });

  it('marks the greatest', () => {
    alongAxis(hardmax, { beta: 1 }, (x) => x.map((_, i) => (i === x.indexOf(Math.max(...x)) ? 1 : 0)));
  });

  it('divides by the norm', () => {
    alongAxis(lpNormalization, { p: 1 }, (x) => x.map((v) => v / sum(x.map(Math.abs))));
    alongAxis(lpNormalization, { p: 2 }, (x) => x.map((v) => v / Math.hypot(...x)));
    const zero = { shape: [1, 2], type: F32, values: new Float32Array(2) };
    expect([...runWhole(lpNormalization, { inputs: [zero], attrs: { axis: 1, p: 2 } })[0]]).toEqual([0, 0]);
    expect(() => contextFor(lpNormalization, { inputs: [zero], attrs: { axis: 1, p: 3 } })).toThrow(/p is 3/);
  });

  it('divides 8-bit lines by their norm in integers, as TFLite does', () => {
    for (let round = 0; round < 40; round++) {
      const random = seeded(round);
      const dtype = round % 2 ? 'i8' : 'u8';
      const n = pick(random, 1, 300);
      const x = randomInput(random, [1, n], quantised(dtype, 0.1, dtype === 'i8' ? 3 : 120));
      const zero = dtype === 'i8' ? 0 : 128;
      const given = [{ shape: [1, n], ...quantised(dtype, 1 / 128, zero) }];
      const attrs = { axis: 1, p: 2 };
      const [y] = checkOperator(lpNormalization, { inputs: [x], attrs, dialect: 'tflite', given }, round);
      const real = Array.from(x.values, (q) => q - (dtype === 'i8' ? 3 : 120));
      const norm = Math.hypot(...real);
      real.forEach((v, i) => {
        const exact = Math.min(127, norm === 0 ? 0 : (v / norm) * 128);
        expect(Math.abs(y[i] - zero - exact)).toBeLessThanOrEqual(1.01);
      });
    }
  });

  it('holds large differences without overflow', () => {
    const x = { shape: [3], type: F32, values: Float32Array.of(1000, 0, -1000) };
    expect([...runWhole(softmax, { inputs: [x], attrs: { axis: 0, beta: 1 } })[0]]).toEqual([1, 0, 0]);
  });
});

describe('quantised softmax', () => {
  const real = (values: ArrayLike<number>, scale: number) => {
    const powers = Array.from(values, (v) => Math.exp(v * scale));
    return powers.map((p) => p / powers.reduce((a, b) => a + b, 0));
  };

  it('stays within one step of the real function in both dialects', () => {
    for (let round = 0; round < 60; round++) {
      const random = seeded(round);
      const dtype = (['i8', 'u8', 'i16'] as const)[round % 3];
      const scale = dtype === 'i16' ? 10 / 65535 : [0.01, 0.1, 0.7][pick(random, 0, 2)];
      const n = pick(random, 2, 20);
      const x = randomInput(random, [2, n], quantised(dtype, scale, dtype === 'i16' ? 0 : 3));
      const y = checkOperator(
        softmax,
        { inputs: [x], attrs: { axis: 1, beta: 1 }, dialect: 'tflite' },
        round,
      )[0];
      const [step, zero] = dtype === 'i16' ? [1 / 32768, 0] : [1 / 256, dtype === 'i8' ? -128 : 0];
      for (const row of [0, 1]) {
        const expected = real(x.values.subarray(row * n, (row + 1) * n), scale);
        expected.forEach((v, i) => {
          const tolerance = dtype === 'i16' ? 12 * step : 1.01 * step;
          const most = v > 0.99 ? 2 * step : tolerance;
          expect(Math.abs((y[row * n + i] - zero) * step - v)).toBeLessThanOrEqual(Math.max(most, tolerance));
        });
      }
      const given = [{ shape: [2, n], ...quantised(dtype, step, zero) }];
      const onnx = checkOperator(softmax, { inputs: [x], attrs: { axis: 1, beta: 1 }, given }, round)[0];
      real(x.values.subarray(0, n), scale).forEach((v, i) => {
        expect(Math.abs((onnx[i] - zero) * step - v)).toBeLessThanOrEqual(1.01 * step);
      });
    }
  });

  it('writes 16 bits from 8 where asked', () => {
    const x = { shape: [1, 3], type: quantised('i8', 0.1, 0), values: Int8Array.of(10, 20, 30) };
    const given = [{ shape: [1, 3], ...quantised('i16', 1 / 65536, -32768) }];
    const [y] = checkOperator(softmax, {
      inputs: [x],
      attrs: { axis: 1, beta: 1 },
      dialect: 'tflite',
      given,
    });
    real(x.values, 0.1).forEach((v, i) => {
      expect((y[i] + 32768) / 65536).toBeCloseTo(v, 4);
    });
  });
});

describe('normalisation', () => {
  const moments = (x: number[]) => {
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    return { mean, variance: x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length };
  };

  it('normalises responses across channels', () => {
    for (let round = 0; round < 20; round++) {
      const random = seeded(round);
      const c = pick(random, 1, 7);
      const x = randomInput(random, [1, 2, 2, c]);
      const attrs = { size: pick(random, 1, 5), alpha: 0.5, beta: 0.75, bias: 1.5 };
      const [y] = checkOperator(lrn, { inputs: [x], attrs }, round);
      for (let e = 0; e < y.length; e++) {
        let sum = 0;
        for (let k = 0; k < c; k++) {
          const d = k - (e % c);
          const inside = d >= -Math.floor((attrs.size - 1) / 2) && d <= Math.ceil((attrs.size - 1) / 2);
          if (inside) sum += x.values[e - (e % c) + k] ** 2;
        }
        expect(y[e]).toBeCloseTo(x.values[e] / (1.5 + (0.5 / attrs.size) * sum) ** 0.75, 5);
      }
    }
  });

  it('normalises each channel of each picture', () => {
    const random = seeded(9);
    const [x, scale, bias] = [
      randomInput(random, [2, 3, 4, 5]),
      randomInput(random, [5], F32, true),
      randomInput(random, [5], F32, true),
    ];
    const [y] = checkOperator(instanceNormalization, { inputs: [x, scale, bias], attrs: { epsilon: 1e-3 } });
    for (let n = 0; n < 2; n++) {
      for (let c = 0; c < 5; c++) {
        const at = Array.from({ length: 12 }, (_, p) => (n * 12 + p) * 5 + c);
        const { mean, variance } = moments(at.map((e) => x.values[e]));
        for (const e of at) {
          const v = ((x.values[e] - mean) / Math.sqrt(variance + 1e-3)) * scale.values[c] + bias.values[c];
          expect(y[e]).toBeCloseTo(v, 4);
        }
      }
    }
    expect(() => contextFor(instanceNormalization, { inputs: [x, scale, x], attrs: { epsilon: 0 } })).toThrow(
      /5 entries/,
    );
  });

  it('normalises blocks of trailing axes', () => {
    for (let round = 0; round < 20; round++) {
      const random = seeded(round);
      const shape = randomShape(random, 4, 3);
      const axis = pick(random, 0, 3);
      const block = shape.slice(axis);
      const length = elementCount(block);
      const parameter = () => randomInput(random, block, F32, true);
      const x = randomInput(random, shape);
      const [scale, bias] = [parameter(), round % 2 ? parameter() : undefined];
      const [y] = checkOperator(
        layerNormalization,
        { inputs: [x, scale, bias], attrs: { axis, epsilon: 0.01 } },
        round,
      );
      for (let e = 0; e < y.length; e++) {
        const start = Math.floor(e / length) * length;
        const { mean, variance } = moments([...x.values.subarray(start, start + length)]);
        const v = ((x.values[e] - mean) / Math.sqrt(variance + 0.01)) * scale.values[e - start];
        expect(y[e]).toBeCloseTo(v + (bias?.values[e - start] ?? 0), 4);
      }
    }
  });
});
