import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementCount } from '../../graph/graph.ts';
import {
  asTranspose,
  isStraight,
  lastPerm,
  plainView,
  reshapedView,
  shapeOf,
  transposedView,
  type View,
  walkOf,
} from './layout.ts';

/** Memory index of every element of the value, in raster order. */
function elements(view: View): number[] {
  const walk = walkOf(view);
  let list = [0];
  for (const { size, stride } of walk)
    list = list.flatMap((base) => Array.from({ length: size }, (_, i) => base + i * stride));
  return list;
}

function permute(values: readonly number[], shape: readonly number[], perm: readonly number[]): number[] {
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  let list = [0];
  for (const axis of perm)
    list = list.flatMap((base) => Array.from({ length: shape[axis] }, (_, i) => base + i * strides[axis]));
  return list.map((i) => values[i]);
}

const shapes = fc.array(fc.constantFrom(1, 2, 3, 4, 6, 8), { minLength: 1, maxLength: 5 });

/** A shape with as many elements, made by moving factors between neighbours. */
function regrouped(shape: readonly number[], seed: number): number[] {
  const factors = shape.flatMap((d) => {
    const list: number[] = [];
    for (let rest = d, p = 2; rest > 1; ) {
      if (rest % p === 0) {
        list.push(p);
        rest /= p;
      } else p++;
    }
    return list;
  });
  const out = [1];
  for (const [i, f] of factors.entries()) {
    if ((seed >> (i % 20)) & 1) out.push(f);
    else out[out.length - 1] *= f;
  }
  return out;
}

describe('views of memory', () => {
  it('follow any chain of transpositions and reshapes like the data would', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat()), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(shapes, steps, (start, chain) => {
        let shape: number[] = [...start];
        let view: View = plainView(shape);
        let values = [...Array(elementCount(shape)).keys()];
        for (const [turn, seed] of chain) {
          if (turn) {
            const perm = [...shape.keys()].sort(
              (a, b) => ((a * 7 + seed) % 5) - ((b * 7 + seed) % 5) || a - b,
            );
            values = permute(values, shape, perm);
            view = transposedView(view, perm);
            shape = perm.map((axis) => shape[axis]);
          } else {
            const next = regrouped(shape, seed);
            const seen = reshapedView(view, next);
            if (!seen) continue;
            view = seen;
            shape = next;
          }
          expect(shapeOf(view)).toEqual(shape);
          expect(elements(view)).toEqual(values);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('say how one transposition brings the elements in order', () => {
    fc.assert(
      fc.property(shapes, fc.nat(), (shape, seed) => {
        const perm = [...shape.keys()].sort((a, b) => ((a * 7 + seed) % 5) - ((b * 7 + seed) % 5) || a - b);
        const walk = walkOf(transposedView(plainView(shape), perm));
        const turned = asTranspose(walk);
        const memory = [...Array(elementCount(shape)).keys()];
        expect(permute(memory, turned.shape, turned.perm)).toEqual(permute(memory, shape, perm));
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it('cost nothing where only ones move', () => {
    expect(isStraight(walkOf(plainView([1, 1, 8, 8]), lastPerm(4)))).toBe(true);
    expect(isStraight(walkOf(plainView([2, 3, 8, 8]), lastPerm(4)))).toBe(false);
    expect(isStraight(walkOf(plainView([2, 3, 8, 8], lastPerm(4)), lastPerm(4)))).toBe(true);
  });

  it('refuse a reshape that cuts a dimension unevenly', () => {
    expect(reshapedView(plainView([2, 6, 5], [0, 2, 1]), [3, 4, 5])).toBeUndefined();
    expect(shapeOf(reshapedView(plainView([2, 6, 5], [0, 2, 1]), [2, 2, 3, 5])!)).toEqual([2, 2, 3, 5]);
  });
});
