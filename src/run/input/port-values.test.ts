import { describe, expect, it } from 'vitest';
import { elementCount, type Port, type Tensor } from '../../graph/graph.ts';
import { fitArray, fromTensor, toTensor } from './port-values.ts';
import { inputNumbers, randomArray } from './random.ts';

const tensor = (dtype: Tensor['dtype'], shape: readonly number[], quant?: Tensor['quant']): Tensor => ({
  id: 0,
  name: 'x',
  dtype,
  shape,
  quant,
});

describe('port values', () => {
  it('moves channels last and back', () => {
    const port: Port = { tensor: 0, name: 'x', shape: [1, 2, 2, 3], dtype: 'f32', perm: [0, 2, 3, 1] };
    const array = {
      dtype: 'f32' as const,
      shape: port.shape,
      values: Float64Array.from({ length: 12 }, (_, i) => i),
    };
    const inside = toTensor(port, tensor('f32', [1, 2, 3, 2]), array);
    expect(Array.from(inside)).toEqual([0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]);
    expect(Array.from(fromTensor(port, inside).values)).toEqual(Array.from(array.values));
  });

  it('gives back any order of dimensions', () => {
    for (const perm of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [1, 3, 0, 2],
      [2, 0, 3, 1],
    ]) {
      const port: Port = { tensor: 0, name: 'x', shape: [2, 3, 4, 5], dtype: 'i32', perm };
      const array = randomArray('i32', port.shape, 3);
      const shape = perm.map((axis) => port.shape[axis]);
      expect(Array.from(fromTensor(port, toTensor(port, tensor('i32', shape), array)).values)).toEqual(
        Array.from(array.values),
      );
    }
  });

  it('saturates 64-bit integers as import does', () => {
    const port: Port = { tensor: 0, name: 'x', shape: [2], dtype: 'i64' };
    const array = { dtype: 'i64' as const, shape: [2], values: [2 ** 40, -(2 ** 40)] };
    expect(Array.from(toTensor(port, tensor('i32', [2]), array))).toEqual([2 ** 31 - 1, -(2 ** 31)]);
  });

  it('quantises real numbers for a quantised input and refuses them for a plain one', () => {
    const port: Port = { tensor: 0, name: 'x', shape: [3], dtype: 'i8' };
    const array = { dtype: 'f32' as const, shape: [3], values: [0.5, -1, 100] };
    const quantised = tensor('i8', [3], { scale: [0.5], zeroPoint: [3], axis: 0 });
    expect(Array.from(fitArray(port, quantised, array, 'a.npy').values)).toEqual([4, 1, 127]);
    expect(() => fitArray(port, tensor('i8', [3]), array, 'a.npy')).toThrow(
      /a\.npy: input x takes i8, but element 0 is 0\.5/,
    );
  });

  it('accepts a shape that differs in ones alone', () => {
    const port: Port = { tensor: 0, name: 'x', shape: [1, 3], dtype: 'f32' };
    const t = tensor('f32', [1, 3]);
    expect(fitArray(port, t, randomArray('f32', [3], 1), 'a').shape).toEqual([1, 3]);
    expect(() => fitArray(port, t, randomArray('f32', [4], 1), 'a')).toThrow(
      /the shape is \[4\], input x needs \[1,3\]/,
    );
  });
});

describe('made-up inputs', () => {
  it('draws the same numbers everywhere', () => {
    const next = inputNumbers(1);
    expect([next(), next(), next()]).toMatchInlineSnapshot(`
      [
        421844862,
        4204889595,
        2312019572,
      ]
    `);
  });

  it('keeps to the range of each type', () => {
    for (const [dtype, low, high] of [
      ['f32', 0, 1],
      ['f16', 0, 1],
      ['i8', -128, 127],
      ['u8', 0, 255],
      ['i64', 0, 9],
      ['bool', 0, 1],
    ] as const) {
      const { values, shape } = randomArray(dtype, [1000], 2);
      expect(values.length).toBe(elementCount(shape));
      for (let i = 0; i < values.length; i++) expect(values[i] >= low && values[i] <= high).toBe(true);
    }
  });
});
