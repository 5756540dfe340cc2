import { expect, test } from 'vitest';
import { type Attributes, type ElementType, elementCount, type TypedArray } from '../graph/graph.ts';
import { definitionOf } from './registry.ts';
import { type CaseInput, checkOperator, randomInput, runWhole, seeded } from './testing/check-operator.ts';

const F32: ElementType = { dtype: 'f32' };
const I32: ElementType = { dtype: 'i32' };
const BOOL: ElementType = { dtype: 'bool' };

/** Element of a broadcast operand under element `index` of the output, by coordinates. */
function under(input: CaseInput, shape: readonly number[], index: number): number {
  let rest = index;
  let at = 0;
  let step = 1;
  for (let i = 1; i <= shape.length; i++) {
    const size = shape[shape.length - i];
    const own = input.shape[input.shape.length - i] ?? 1;
    at += (own === 1 ? 0 : rest % size) * step;
    step *= own;
    rest = Math.floor(rest / size);
  }
  return input.values[at];
}

const SHAPES: readonly (readonly [number[], number[], number[]])[] = [
  [
    [2, 3, 4, 5],
    [2, 3, 4, 5],
    [2, 3, 4, 5],
  ],
  [[2, 3, 4, 5], [5], [2, 3, 4, 5]],
  [[2, 3, 4, 5], [], [2, 3, 4, 5]],
  [[], [], []],
  [[1], [3, 2], [3, 2]],
  [
    [2, 3, 4, 5],
    [2, 1, 1, 5],
    [2, 3, 4, 5],
  ],
  [
    [2, 3, 4, 5],
    [2, 3, 4, 1],
    [2, 3, 4, 5],
  ],
  [
    [1, 3, 1, 5],
    [2, 1, 4, 1],
    [2, 3, 4, 5],
  ],
  [
    [3, 1, 5],
    [2, 3, 4, 5],
    [2, 3, 4, 5],
  ],
  [
    [4, 5],
    [2, 3, 1, 1],
    [2, 3, 4, 5],
  ],
  [
    [3, 4, 1],
    [3, 4, 1],
    [3, 4, 1],
  ],
  [
    [2, 1, 3, 1, 2, 2],
    [1, 2, 3, 2, 1, 2],
    [2, 2, 3, 2, 2, 2],
  ],
];

test.each(SHAPES)('broadcasting [%j] and [%j]', (a, b, y) => {
  const random = seeded(a.length * 7 + b.length);
  const inputs = [randomInput(random, a), randomInput(random, b)];
  for (const kind of ['Sub', 'SquaredDifference']) {
    const [got] = checkOperator(definitionOf(kind), { inputs, attrs: {} });
    expect(got.length).toBe(elementCount(y));
    got.forEach((v, i) => {
      const d = Math.fround(under(inputs[0], y, i) - under(inputs[1], y, i));
      expect(v).toBe(kind === 'Sub' ? d : Math.fround(d * d));
    });
  }
  const condition = randomInput(random, b, BOOL);
  const chosen = checkOperator(definitionOf('Where'), { inputs: [condition, ...inputs], attrs: {} })[0];
  chosen.forEach((v, i) => {
    expect(v).toBe(under(condition, y, i) ? under(inputs[0], y, i) : under(inputs[1], y, i));
  });
});

test('a weight beside a tensor, whatever the order', () => {
  const random = seeded(2);
  const x = randomInput(random, [1, 4, 4, 3]);
  const w = randomInput(random, [3], F32, true);
  const [left] = checkOperator(definitionOf('Mul'), { inputs: [w, x], attrs: {} });
  const [right] = checkOperator(definitionOf('Mul'), { inputs: [x, w], attrs: {} });
  expect(left).toEqual(right);
});

const REAL: readonly [string, Attributes, (a: number, b: number) => number][] = [
  ['Add', {}, (a, b) => a + b],
  ['Sub', {}, (a, b) => a - b],
  ['Mul', {}, (a, b) => a * b],
  ['Div', {}, (a, b) => a / b],
  ['Min', {}, (a, b) => (a < b ? a : b)],
  ['Max', {}, (a, b) => (a > b ? a : b)],
  ['Pow', {}, (a, b) => Math.sign(a) * Math.exp(b * Math.log(Math.abs(a)))],
  ['SquaredDifference', {}, (a, b) => (a - b) ** 2],
  ['FloorDiv', {}, (a, b) => Math.floor(a / b)],
  ['Mod', {}, (a, b) => a - b * Math.floor(a / b)],
  ['Mod', { truncated: true }, (a, b) => a - b * Math.trunc(a / b)],
  ['PRelu', {}, (a, b) => (a >= 0 ? a : a * b)],
  ['Equal', {}, (a, b) => Number(a === b)],
  ['Greater', {}, (a, b) => Number(a > b)],
  ['GreaterOrEqual', {}, (a, b) => Number(a >= b)],
  ['Less', {}, (a, b) => Number(a < b)],
  ['LessOrEqual', {}, (a, b) => Number(a <= b)],
];

test.each(REAL)('%s %j on real numbers', (kind, attrs, expected) => {
  const random = seeded(kind.length);
  const shape = [2, 3, 5];
  const [a, b] = [randomInput(random, shape), randomInput(random, shape)];
  a.values.set([0.5, 0.25, 1]);
  b.values.set([0.5, -0.75, 1]);
  if (kind === 'Pow') a.values.set(a.values.map((v) => Math.abs(v) + 0.1));
  const [got] = checkOperator(definitionOf(kind), { inputs: [a, b], attrs });
  got.forEach((y, i) => {
    const want = expected(a.values[i], b.values[i]);
    expect(Math.abs(y - want)).toBeLessThan(1e-6 * (1 + Math.abs(want)));
  });
});

test('special values', () => {
  const at = (kind: string, a: number[], b: number[]) => {
    const of = (v: number[]): CaseInput => ({
      shape: [v.length, 1],
      type: F32,
      values: Float32Array.from(v),
    });
    return Array.from(runWhole(definitionOf(kind), { inputs: [of(a), of(b)], attrs: {} })[0]);
  };
  expect(at('Div', [1, -1, 0], [0, 0, 0])).toEqual([Infinity, -Infinity, NaN]);
  expect(at('Pow', [1, -1, -1, 2, -8], [NaN, Infinity, -Infinity, NaN, 0.5])).toEqual([1, 1, 1, NaN, NaN]);
  expect(at('Min', [NaN, 1], [1, NaN])).toEqual([NaN, NaN]);
  expect(at('Max', [NaN, 1], [1, NaN])).toEqual([NaN, NaN]);
  expect(at('Equal', [NaN, 0], [NaN, -0])).toEqual([0, 1]);
  expect(at('Mod', [-3, 3, -3], [2, -2, -2])).toEqual([1, -1, -1]);
});

const INTEGER: readonly [string, Attributes, number[]][] = [
  ['Add', {}, [2, -9, -2147483648, 1]],
  ['Sub', {}, [-16, -5, 2147483646, 1]],
  ['Mul', {}, [-63, 14, 2147483647, 0]],
  ['Div', {}, [0, 3, 2147483647, 0]],
  ['FloorDiv', {}, [-1, 3, 2147483647, 0]],
  ['Mod', {}, [2, -1, 0, 0]],
  ['Mod', { truncated: true }, [-7, -1, 0, 0]],
  ['Min', {}, [-7, -7, 1, 0]],
  ['Max', {}, [9, -2, 2147483647, 1]],
  ['SquaredDifference', {}, [256, 25, 4, 1]],
  ['Less', {}, [1, 1, 0, 0]],
  ['Equal', {}, [0, 0, 0, 0]],
];

test.each(INTEGER)('%s %j on integers', (kind, attrs, expected) => {
  const of = (v: number[]): CaseInput => ({ shape: [4, 1], type: I32, values: Int32Array.from(v) });
  const inputs = [of([-7, -7, 2147483647, 1]), of([9, -2, 1, 0])];
  expect(Array.from(checkOperator(definitionOf(kind), { inputs, attrs })[0])).toEqual(expected);
});

test('logic, and Pow with an integer exponent', () => {
  const bits = (v: number[]): CaseInput => ({ shape: [4], type: BOOL, values: Uint8Array.from(v) });
  const inputs = [bits([0, 0, 1, 1]), bits([0, 1, 0, 1])];
  const run = (kind: string) => Array.from(checkOperator(definitionOf(kind), { inputs, attrs: {} })[0]);
  expect(run('And')).toEqual([0, 0, 0, 1]);
  expect(run('Or')).toEqual([0, 1, 1, 1]);
  expect(run('Xor')).toEqual([0, 1, 1, 0]);
  expect(run('Equal')).toEqual([1, 0, 0, 1]);
  const base: CaseInput = { shape: [2], type: F32, values: Float32Array.of(1.5, -2) };
  const power: CaseInput = { shape: [1], type: I32, values: Int32Array.of(3) };
  const [y] = checkOperator(definitionOf('Pow'), { inputs: [base, power], attrs: {} });
  expect(y).toEqual(Float32Array.of(3.375, -8) as TypedArray);
});

test('operands that do not fit', () => {
  const run = (a: CaseInput, b: CaseInput, kind = 'Add') =>
    runWhole(definitionOf(kind), { inputs: [a, b], attrs: {} });
  const random = seeded(1);
  const x = randomInput(random, [2, 3]);
  expect(() => run(x, randomInput(random, [4, 3]))).toThrow(/\[2,3\] and \[4,3\]/);
  expect(() => run(x, randomInput(random, [2, 3], I32))).toThrow(/f32 and i32/);
  expect(() => run(randomInput(random, [2], I32), randomInput(random, [2], I32), 'PRelu')).toThrow(/i32/);
});
