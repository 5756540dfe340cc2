import { expect, test } from 'vitest';
import { type Attributes, type DType, type ElementType, perTensor } from '../graph/graph.ts';
import type { OutputType } from './operator.ts';
import { definitionOf } from './registry.ts';
import { integerRange } from './stored.ts';
import {
  type CaseInput,
  checkOperator,
  pick,
  randomInput,
  runWhole,
  seeded,
} from './testing/check-operator.ts';

const quantised = (dtype: DType, scale: number, zero: number): ElementType => ({
  dtype,
  quant: perTensor(Math.fround(scale), zero),
});

/** Every value of an 8-bit type. */
function allOf(type: ElementType): CaseInput {
  const [lo] = integerRange(type.dtype);
  const values = type.dtype === 'i8' ? new Int8Array(256) : new Uint8Array(256);
  for (let i = 0; i < 256; i++) values[i] = lo + i;
  return { shape: [1, 16, 16], type, values };
}

const decode = (q: number, t: ElementType) => (q - t.quant!.zeroPoint[0]) * t.quant!.scale[0];

/** The exact real result on the output's grid, saturated but not rounded. */
function ideal(real: number, t: ElementType): number {
  const [lo, hi] = integerRange(t.dtype);
  return Math.max(lo, Math.min(hi, real / t.quant!.scale[0] + t.quant!.zeroPoint[0]));
}

const i8 = (scale: number, zero: number) => quantised('i8', scale, zero);
const u8 = (scale: number, zero: number) => quantised('u8', scale, zero);

/** Kind, attributes, input and output type, function, and how far from exact the TFLite form may be, in steps. */
const UNARY: readonly [string, Attributes, ElementType, ElementType, (x: number) => number, number][] = [
  ['Sigmoid', {}, i8(0.06, 3), i8(1 / 256, -128), (x) => 1 / (1 + Math.exp(-x)), 1],
  ['Sigmoid', {}, u8(0.06, 130), u8(1 / 256, 0), (x) => 1 / (1 + Math.exp(-x)), 0.51],
  ['Tanh', {}, i8(0.03, -5), i8(1 / 128, 0), Math.tanh, 1],
  ['Tanh', {}, u8(0.03, 120), u8(1 / 128, 128), Math.tanh, 0.51],
  ['HardSwish', {}, i8(0.05, 2), i8(0.03, -115), (x) => (x * Math.max(0, Math.min(6, x + 3))) / 6, 1.2],
  ['HardSwish', {}, u8(0.06, 125), u8(0.06, 10), (x) => (x * Math.max(0, Math.min(6, x + 3))) / 6, 1.2],
  ['LeakyRelu', { alpha: 0.1 }, i8(0.05, 7), i8(0.04, -60), (x) => (x < 0 ? 0.1 * x : x), 1],
  ['LeakyRelu', { alpha: -0.5 }, i8(0.05, 7), i8(0.04, -60), (x) => (x < 0 ? -0.5 * x : x), 1],
  ['Clip', { min: 0, max: null }, i8(0.05, 7), i8(0.03, -128), (x) => Math.max(0, x), 1],
  ['Clip', { min: 0, max: 6 }, i8(0.05, -128), i8(0.05, -128), (x) => Math.max(0, Math.min(6, x)), 0.51],
  ['Clip', { min: -1, max: 1 }, u8(0.013, 128), u8(0.013, 128), (x) => Math.max(-1, Math.min(1, x)), 0.51],
  ['Elu', { alpha: 1 }, i8(0.05, 0), i8(0.04, -100), (x) => (x < 0 ? Math.expm1(x) : x), 0.51],
  ['Abs', {}, i8(0.05, 9), i8(0.04, -128), Math.abs, 1],
  ['Abs', {}, i8(0.05, 9), i8(0.05, -128), Math.abs, 0.51],
  ['Requantize', {}, i8(0.05, 9), i8(0.04, -20), (x) => x, 1],
  ['Requantize', {}, u8(0.05, 128), i8(0.05, 0), (x) => x, 0.51],
  ['Exp', {}, i8(0.01, 0), i8(0.02, -128), Math.exp, 0.51],
  ['Neg', {}, i8(0.05, 9), i8(0.05, -9), (x) => -x, 0.51],
  ['Sqrt', {}, i8(0.05, -128), i8(0.02, -128), Math.sqrt, 0.51],
];

test.each(UNARY)('%s %j near the exact result in both dialects', (kind, attrs, from, to, real, steps) => {
  const input = allOf(from);
  const given: OutputType[] = [{ shape: input.shape, ...to }];
  for (const dialect of ['onnx', 'tflite'] as const) {
    const [got] = checkOperator(definitionOf(kind), { inputs: [input], attrs, given, dialect });
    got.forEach((q, i) => {
      const want = ideal(real(decode(input.values[i], from)), to);
      const limit = dialect === 'onnx' ? 0.501 : steps;
      expect(
        Math.abs(q - want),
        `${dialect} ${kind}(${input.values[i]}) = ${q}, exactly ${want}`,
      ).toBeLessThan(limit);
    });
  }
});

test('Rsqrt on 8 bits: fixed point in TFLite, the greatest value at zero', () => {
  const [from, to] = [i8(0.1, -128), i8(0.02, -128)];
  const input = allOf(from);
  const [got] = checkOperator(definitionOf('Rsqrt'), {
    inputs: [input],
    attrs: {},
    given: [{ shape: input.shape, ...to }],
    dialect: 'tflite',
  });
  expect(got[0]).toBe(127);
  for (let i = 1; i < 256; i++) {
    expect(Math.abs(got[i] - ideal(1 / Math.sqrt(decode(input.values[i], from)), to))).toBeLessThan(1);
  }
});

test('16-bit Sigmoid and Tanh', () => {
  const random = seeded(4);
  const from = quantised('i16', 2 ** -12, 0);
  const input = randomInput(random, [1, 40, 50], from);
  const given = [{ shape: input.shape, ...quantised('i16', 2 ** -15, 0) }];
  for (const [kind, real] of [
    ['Sigmoid', (x: number) => 1 / (1 + Math.exp(-x))],
    ['Tanh', Math.tanh],
  ] as const) {
    const [got] = checkOperator(definitionOf(kind), { inputs: [input], attrs: {}, given, dialect: 'tflite' });
    got.forEach((q, i) => {
      expect(Math.abs(q - 32768 * real(input.values[i] / 4096))).toBeLessThan(3);
    });
  }
});

/** Round half away from zero of a / 2^n, and of a * b / 2^31, in exact arithmetic. */
const shifted = (a: bigint, n: number) => {
  const half = n > 0 ? 1n << BigInt(n - 1) : 0n;
  return a < 0n ? -((-a + half) >> BigInt(n)) : (a + half) >> BigInt(n);
};
const fixed = (x: bigint, real: number) => {
  let exponent = Math.ceil(Math.log2(real));
  if (2 ** exponent === real) exponent++;
  const m = BigInt(Math.round(real * 2 ** (31 - exponent)));
  const left = BigInt(Math.max(0, exponent));
  return shifted(((x << left) * m + (1n << 30n)) >> 31n, Math.max(0, -exponent));
};

test.each(['i8', 'u8', 'i16'] as const)(
  'TFLite ADD and MUL on %s, bit for bit against exact integers',
  (dtype) => {
    const random = seeded(dtype.length + dtype.charCodeAt(0));
    const [lo, hi] = integerRange(dtype);
    for (let round = 0; round < 20; round++) {
      const zero = () => (dtype === 'i16' ? 0 : pick(random, lo, hi));
      const [a, b, y] = [0, 1, 2].map(() => quantised(dtype, 0.01 + random() * 0.1, zero()));
      const [sa, sb, sy] = [a, b, y].map((t) => t.quant!.scale[0]);
      const [za, zb, zy] = [a, b, y].map((t) => t.quant!.zeroPoint[0]);
      const shape = [1, 5, 7, 3];
      const inputs = [randomInput(random, shape, a), randomInput(random, shape, b)];
      const given = [{ shape, ...y }];
      const run = (kind: string) =>
        checkOperator(definitionOf(kind), { inputs, attrs: {}, given, dialect: 'tflite' })[0];
      const clamp = (q: bigint) => Math.max(lo, Math.min(hi, Number(q) + zy));
      const [sum, product] = [run('Add'), run('Mul')];
      const left = dtype === 'i16' ? 15 : 20;
      const twice = 2 * Math.max(sa, sb);
      for (let i = 0; i < sum.length; i++) {
        const [p, q] = [inputs[0].values[i] - za, inputs[1].values[i] - zb];
        const wide =
          fixed(BigInt(p) << BigInt(left), sa / twice) + fixed(BigInt(q) << BigInt(left), sb / twice);
        expect(sum[i]).toBe(clamp(fixed(wide, twice / (2 ** left * sy))));
        expect(product[i]).toBe(clamp(fixed(BigInt(p * q), (sa * sb) / sy)));
      }
    }
  },
);

const PAIRS: readonly [string, (a: number, b: number) => number, number][] = [
  ['Add', (a, b) => a + b, 1],
  ['Sub', (a, b) => a - b, 1],
  ['Mul', (a, b) => a * b, 1],
  ['Div', (a, b) => a / b, 1],
  ['SquaredDifference', (a, b) => (a - b) ** 2, 1.5],
  ['PRelu', (a, b) => (a < 0 ? a * b : a), 1],
];

test.each(PAIRS)('%s near the exact result in both dialects', (kind, real, steps) => {
  const random = seeded(kind.length * 3);
  for (const dtype of ['i8', 'u8'] as const) {
    const shift = dtype === 'u8' ? 128 : 0;
    const a = quantised(dtype, 0.05, 4 + shift);
    const b = quantised(dtype, 0.021, -11 + shift);
    const y = quantised(dtype, kind === 'SquaredDifference' ? 0.3 : 0.07, 3 + shift);
    const inputs = [randomInput(random, [1, 9, 8, 4], a), randomInput(random, [1, 9, 8, 4], b)];
    if (kind === 'Div') inputs[1].values.set(inputs[1].values.map((v) => Math.max(v, shift + 20)));
    for (const dialect of ['onnx', 'tflite'] as const) {
      const given = [{ shape: inputs[0].shape, ...y }];
      const [got] = checkOperator(definitionOf(kind), { inputs, attrs: {}, given, dialect });
      got.forEach((q, i) => {
        const want = ideal(real(decode(inputs[0].values[i], a), decode(inputs[1].values[i], b)), y);
        expect(Math.abs(q - want), `${dialect} ${kind}`).toBeLessThan(dialect === 'onnx' ? 0.501 : steps);
      });
    }
  }
});

test('Min, Max and comparisons of equally quantised operands work on stored values', () => {
  const random = seeded(8);
  const t = i8(0.05, 3);
  const inputs = [randomInput(random, [4, 5], t), randomInput(random, [4, 5], t)];
  for (const dialect of ['onnx', 'tflite'] as const) {
    const run = (kind: string) => checkOperator(definitionOf(kind), { inputs, attrs: {}, dialect })[0];
    const [min, max, less] = [run('Min'), run('Max'), run('Less')];
    inputs[0].values.forEach((a, i) => {
      const b = inputs[1].values[i];
      expect([min[i], max[i], less[i]]).toEqual([Math.min(a, b), Math.max(a, b), Number(a < b)]);
    });
  }
});

test('large 8-bit tensors take a table of all pairs, to the same result', () => {
  const random = seeded(9);
  const [a, b, y] = [i8(0.05, 3), i8(0.02, -7), i8(0.06, 1)];
  const shape = [1, 128, 64, 8];
  const inputs = [randomInput(random, shape, a), randomInput(random, shape, b)];
  const small = (count: number) =>
    inputs.map((t) => ({ ...t, shape: [count, 8], values: t.values.subarray(0, count * 8) }));
  const run = (of: CaseInput[]) =>
    runWhole(definitionOf('Add'), {
      inputs: of,
      attrs: {},
      given: [{ shape: of[0].shape, ...y }],
      dialect: 'tflite',
    })[0];
  expect(run(inputs).subarray(0, 8000)).toEqual(run(small(1000)));
});

test('Quantize: ties to even in ONNX, away from zero in TFLite; saturation, infinities, NaN', () => {
  const values = Float32Array.of(0.5, 1.5, -0.5, -2.5, 1000, -1000, Infinity, -Infinity, NaN);
  const input: CaseInput = { shape: [9], type: { dtype: 'f32' }, values };
  const given = [{ shape: [9], ...i8(1, 10) }];
  const run = (dialect: 'onnx' | 'tflite') =>
    Array.from(checkOperator(definitionOf('Quantize'), { inputs: [input], attrs: {}, given, dialect })[0]);
  expect(run('onnx')).toEqual([10, 12, 10, 8, 127, -128, 127, -128, -128]);
  expect(run('tflite')).toEqual([11, 12, 9, 7, 127, -128, 127, -128, -128]);
  expect(() => runWhole(definitionOf('Quantize'), { inputs: [input], attrs: {} })).toThrow(/scale/);
});

test.each([0, 1, 2])('Quantize and Dequantize along axis %i', (axis) => {
  const shape = [2, 3, 4];
  const count = shape[axis];
  const quant = {
    scale: Array.from({ length: count }, (_, i) => 0.01 * (i + 1)),
    zeroPoint: Array.from({ length: count }, (_, i) => 5 * i - 3),
    axis,
  };
  const input = randomInput(seeded(axis), shape);
  const given: OutputType[] = [{ shape, dtype: 'i8', quant }];
  const [q] = checkOperator(definitionOf('Quantize'), { inputs: [input], attrs: {}, given });
  const stored: CaseInput = { shape, type: { dtype: 'i8', quant }, values: q };
  const [back] = checkOperator(definitionOf('Dequantize'), { inputs: [stored], attrs: {} });
  const inner = shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  input.values.forEach((x, i) => {
    const c = Math.floor(i / inner) % count;
    const want = Math.max(-128, Math.min(127, x / quant.scale[c] + quant.zeroPoint[c]));
    expect(Math.abs(q[i] - want)).toBeLessThan(0.501);
    expect(back[i]).toBeCloseTo((q[i] - quant.zeroPoint[c]) * quant.scale[c], 5);
  });
});
