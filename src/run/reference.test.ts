import { describe, expect, it } from 'vitest';
import { floats, seeded, tinyCnn, tinyModel } from '../../test/onnx/tiny-model.ts';
import { TidemarkError } from '../errors.ts';
import type { Port } from '../graph/graph.ts';
import { readOnnx } from '../model/onnx/read.ts';
import { fromGraphLayout, runReference, toGraphLayout } from './reference.ts';

describe('values at the ports', () => {
  const port: Port = { tensor: 0, name: 'x', shape: [1, 2, 2, 3], dtype: 'f32', perm: [0, 2, 3, 1] };
  const file = Float32Array.from({ length: 12 }, (_, i) => i);

  it('go in channels last and come out as in the file', () => {
    const inside = toGraphLayout(port, file);
    expect([...inside]).toEqual([0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]);
    expect(fromGraphLayout(port, inside)).toEqual(file);
  });

  it('stay as they are without a permutation', () => {
    expect(toGraphLayout({ ...port, perm: undefined }, file)).toBe(file);
  });
});

describe('runReference', () => {
  const read = (constants?: Parameters<typeof readOnnx>[1]['constants']) =>
    readOnnx(
      tinyModel({
        ...tinyCnn(),
        inputs: { x: [1, 3, 8, 8], w: [4, 3, 3, 3] },
        weights: [floats('b', [4], seeded(4, 2))],
      }),
      {
        name: 'tiny',
        file: 'tiny.onnx',
        constants,
      },
    );
  const x = Float32Array.from(seeded(192, 5));
  const w = Float32Array.from(seeded(108));

  it('gives the same with weights as an input and as a bound constant', () => {
    const dynamic = runReference(read(), [x, w])[0];
    const bound = read({ w: { shape: [4, 3, 3, 3], values: w, dtype: 'f32' } });
    expect(bound.inputs.map((p) => p.name)).toEqual(['x']);
    expect(runReference(bound, [x])[0]).toEqual(dynamic);
    expect(dynamic).toMatchObject({ name: 'y', shape: [1, 4, 8, 8], dtype: 'f32' });
  });

  it('refuses an input of the wrong size', () => {
    expect(() => runReference(read(), [x.subarray(1), w])).toThrow(TidemarkError);
    expect(() => runReference(read(), [x])).toThrow(
      /input w of shape \[4,3,3,3\] needs 108 values, it got 0/,
    );
  });
});
