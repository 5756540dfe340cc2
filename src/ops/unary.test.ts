import { expect, test } from 'vitest';
import { type Attributes, type ElementType, perTensor } from '../graph/graph.ts';
import { definitionOf } from './registry.ts';
import { checkOperator, type OperatorCase, randomInput, runWhole, seeded } from './testing/check-operator.ts';

const F32: ElementType = { dtype: 'f32' };
const shape = [1, 3, 4, 5];

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.log(1 + Math.exp(x));

/** Kind, attributes, the function by another formula, and values it is checked on beside random ones. */
const FUNCTIONS: readonly [string, Attributes, (x: number) => number][] = [
  ['Clip', { min: 0, max: 0.5 }, (x) => (x < 0 ? 0 : x > 0.5 ? 0.5 : x)],
  ['Clip', { min: null, max: 0.25 }, (x) => (x > 0.25 ? 0.25 : x)],
  ['Clip', { min: -0.5, max: null }, (x) => (x < -0.5 ? -0.5 : x)],
  ['Clip', { min: 1, max: -1 }, () => -1],
  ['LeakyRelu', { alpha: 0.1 }, (x) => (x >= 0 ? x : 0.1 * x)],
  ['Sigmoid', {}, (x) => 0.5 + 0.5 * Math.tanh(x / 2)],
  ['HardSigmoid', { alpha: 0.2, beta: 0.5 }, (x) => Math.max(0, Math.min(1, 0.2 * x + 0.5))],
  ['HardSwish', {}, (x) => (x * Math.max(0, Math.min(6, x + 3))) / 6],
  ['Silu', {}, (x) => x * sigmoid(x)],
  ['Tanh', {}, (x) => 2 * sigmoid(2 * x) - 1],
  ['Elu', { alpha: 1.5 }, (x) => (x > 0 ? x : 1.5 * (Math.exp(x) - 1))],
  ['Selu', { alpha: 1.6733, gamma: 1.0507 }, (x) => 1.0507 * (x > 0 ? x : 1.6733 * (Math.exp(x) - 1))],
  ['Celu', { alpha: 2 }, (x) => Math.max(0, x) + Math.min(0, 2 * (Math.exp(x / 2) - 1))],
  ['Exp', {}, (x) => Math.E ** x],
  ['Log', {}, (x) => Math.log2(x) * Math.LN2],
  ['Sqrt', {}, (x) => x ** 0.5],
  ['Rsqrt', {}, (x) => x ** -0.5],
  ['Reciprocal', {}, (x) => x ** -1],
  ['Neg', {}, (x) => 0 - x],
  ['Abs', {}, (x) => (x < 0 ? -x : x)],
  ['Sign', {}, (x) => (x > 0 ? 1 : x < 0 ? -1 : 0)],
  ['Floor', {}, (x) => x - (((x % 1) + 1) % 1)],
  ['Ceil', {}, (x) => -Math.floor(-x)],
  [
    'Erf',
    {},
    (x) => (Number.isNaN(x) ? NaN : integral((t) => (2 / Math.sqrt(Math.PI)) * Math.exp(-t * t), x)),
  ],
  [
    'Gelu',
    { approximate: false },
    (x) => x * (0.5 + integral((t) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI), x)),
  ],
  ['Gelu', { approximate: 'tanh' }, (x) => x * sigmoid(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))],
  ['Mish', {}, (x) => x * Math.tanh(softplus(x))],
  ['Softplus', {}, softplus],
  ['Softsign', {}, (x) => x / (1 + Math.abs(x))],
  ['ThresholdedRelu', { alpha: 0.3 }, (x) => (x > 0.3 ? x : 0)],
  ['Sin', {}, (x) => Math.cos(x - Math.PI / 2)],
  ['Cos', {}, (x) => Math.sin(x + Math.PI / 2)],
  ['Copy', {}, (x) => x],
  ['ChannelAffine', { scale: [2], shift: [-1] }, (x) => 2 * x - 1],
  ['ChannelPRelu', { slope: [0.25] }, (x) => (x > 0 ? x : x * 0.25)],
];

/** Integral from 0 to x by Simpson's rule. */
function integral(f: (t: number) => number, x: number): number {
  const steps = 400;
  let sum = f(0) + f(x);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * f((x * i) / steps);
  return (sum * x) / steps / 3;
}

function inputOf(values: readonly number[]): OperatorCase['inputs'][number] {
  return { shape: [values.length, 1], type: F32, values: Float32Array.from(values) };
}

test.each(FUNCTIONS)('%s %j on real numbers', (kind, attrs, expected) => {
  const def = definitionOf(kind);
  const input = randomInput(seeded(3), shape);
  const values = input.values.map((v) =>
    kind === 'Log' || /[sS]qrt/.test(kind) ? Math.abs(v) + 0.01 : v * 4,
  );
  const [got] = checkOperator(def, { inputs: [{ ...input, values }], attrs });
  got.forEach((y, i) => {
    const want = expected(values[i]);
    expect(Math.abs(y - want), `${kind}(${values[i]}) = ${y}, not ${want}`).toBeLessThan(
      3e-6 * (1 + Math.abs(want)),
    );
  });
  if (kind !== 'ThresholdedRelu' && !(kind === 'Clip' && attrs.min === 1)) {
    expect(runWhole(def, { inputs: [inputOf([NaN])], attrs })[0][0], `${kind} of NaN`).toBeNaN();
  }
});

test('limits', () => {
  const at = (kind: string, values: readonly number[], attrs: Attributes = {}) =>
    Array.from(runWhole(definitionOf(kind), { inputs: [inputOf(values)], attrs })[0]);
  expect(at('Sigmoid', [-Infinity, Infinity, -1000, 1000])).toEqual([0, 1, 0, 1]);
  expect(at('Softplus', [-Infinity, Infinity, 500, -500])).toEqual([0, Infinity, 500, 0]);
  expect(at('Mish', [1000, -1000])).toEqual([1000, -0]);
  expect(at('Clip', [-Infinity, Infinity], { min: 0, max: 6 })).toEqual([0, 6]);
  expect(at('Round', [0.5, 1.5, 2.5, -0.5, -1.5, 2.4, -2.6, Infinity])).toEqual([
    0,
    2,
    2,
    -0,
    -2,
    2,
    -3,
    Infinity,
  ]);
  expect(at('Exp', [-Infinity, 1000])).toEqual([0, Infinity]);
  expect(at('Log', [0, 1])).toEqual([-Infinity, 0]);
  expect(at('Rsqrt', [0, 4])).toEqual([Infinity, 0.5]);
  expect(at('Elu', [-Infinity], { alpha: 1 })).toEqual([-1]);
});

test('channel parameters, one a channel', () => {
  const input = randomInput(seeded(5), [1, 2, 3, 2]);
  const affine = checkOperator(definitionOf('ChannelAffine'), {
    inputs: [input],
    attrs: { scale: [2, -3], shift: [1, 0.5] },
  })[0];
  const prelu = checkOperator(definitionOf('ChannelPRelu'), {
    inputs: [input],
    attrs: { slope: [0.5, 2] },
  })[0];
  input.values.forEach((x, i) => {
    const c = i % 2;
    expect(affine[i]).toBe(Math.fround(Math.fround(x * [2, -3][c]) + [1, 0.5][c]));
    expect(prelu[i]).toBe(Math.fround(x < 0 ? x * [0.5, 2][c] : x));
  });
  expect(() =>
    runWhole(definitionOf('ChannelAffine'), { inputs: [input], attrs: { scale: [1, 2, 3], shift: [0] } }),
  ).toThrow(/3 entries for 2 channels/);
});

test('Cast truncates, saturates at 32 bits, wraps to narrower types', () => {
  const cast = (type: ElementType, values: Float32Array | Int32Array, to: string) =>
    Array.from(
      checkOperator(definitionOf('Cast'), {
        inputs: [{ shape: [values.length, 1], type, values }],
        attrs: { to },
      })[0],
    );
  const f = Float32Array.of(1.9, -1.9, 3e9, -3e9, NaN, 300, -0.5);
  expect(cast(F32, f, 'i32')).toEqual([1, -1, 2147483647, -2147483648, 0, 300, 0]);
  expect(cast(F32, f.slice(5), 'u8')).toEqual([44, 0]);
  expect(cast(F32, f.slice(5), 'i8')).toEqual([44, 0]);
  expect(cast(F32, Float32Array.of(0, -0, 0.1, NaN), 'bool')).toEqual([0, 0, 1, 1]);
  expect(cast({ dtype: 'i32' }, Int32Array.of(70000, -70000, 5), 'i16')).toEqual([4464, -4464, 5]);
  expect(cast({ dtype: 'i32' }, Int32Array.of(16777217), 'f32')).toEqual([16777216]);
});

test('integers and booleans without quantisation', () => {
  const values = Int32Array.of(-5, 0, 7, 2147483647);
  const input = { shape: [4, 1], type: { dtype: 'i32' } as const, values };
  const run = (kind: string, attrs = {}) =>
    Array.from(checkOperator(definitionOf(kind), { inputs: [input], attrs })[0]);
  expect(run('Neg')).toEqual([5, 0, -7, -2147483647]);
  expect(run('Abs')).toEqual([5, 0, 7, 2147483647]);
  expect(run('Clip', { min: 0, max: 6 })).toEqual([0, 0, 6, 6]);
  const bool = { shape: [2, 1], type: { dtype: 'bool' } as const, values: Uint8Array.of(0, 1) };
  expect(Array.from(checkOperator(definitionOf('Not'), { inputs: [bool], attrs: {} })[0])).toEqual([1, 0]);
});

test('an epilogue does what its operators do one after the other', () => {
  const random = seeded(11);
  const a: ElementType = { dtype: 'i8', quant: perTensor(0.05, -10) };
  const b: ElementType = { dtype: 'i8', quant: perTensor(0.03, 4) };
  for (const dialect of ['onnx', 'tflite'] as const) {
    const input = randomInput(random, [1, 4, 5, 3], a);
    const given = [{ shape: input.shape, ...b }];
    const first = runWhole(definitionOf('Sigmoid'), { inputs: [input], attrs: {}, given, dialect })[0];
    const mid = { shape: input.shape, type: b, values: first };
    const want = runWhole(definitionOf('Clip'), { inputs: [mid], attrs: { min: 0.2, max: 0.7 }, dialect })[0];
    const [got] = checkOperator(definitionOf('Copy'), {
      inputs: [input],
      attrs: {},
      dialect,
      given,
      epilogue: [
        { kind: 'Sigmoid', attrs: {}, from: a, to: b },
        { kind: 'Clip', attrs: { min: 0.2, max: 0.7 }, from: b, to: b },
      ],
    });
    expect(got).toEqual(want);
  }
});
