import { describe, expect, test } from 'vitest';
import { stridedPart } from './slices.ts';

const none = { beginMask: 0, endMask: 0, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0, offset: false };

describe('a strided slice', () => {
  test('clamps its ends and counts negative ones from the end', () => {
    expect(stridedPart([5, 6], [-3, 1], [99, -1], [1, 2], none)).toEqual({
      starts: [2, 1],
      steps: [1, 2],
      sizes: [3, 2],
      shape: [3, 2],
    });
  });

  test('runs backwards', () => {
    const all = stridedPart([5], [0], [0], [-1], { ...none, beginMask: 1, endMask: 1 });
    expect(all).toEqual({ starts: [4], steps: [-1], sizes: [5], shape: [5] });
    expect(stridedPart([5], [3], [-9], [-2], none)).toEqual({
      starts: [3],
      steps: [-2],
      sizes: [2],
      shape: [2],
    });
    expect(stridedPart([5], [1], [3], [-1], none).shape).toEqual([0]);
  });

  test('ignores the ends that its masks name', () => {
    expect(stridedPart([5, 6], [1, 2], [2, 3], [1, 1], { ...none, beginMask: 1, endMask: 2 })).toEqual({
      starts: [0, 2],
      steps: [1, 1],
      sizes: [2, 4],
      shape: [2, 4],
    });
  });

  test('loses a dimension for an index, and gains one for a new axis', () => {
    expect(stridedPart([5, 6], [-1, 0], [0, 6], [1, 1], { ...none, shrinkAxisMask: 1 })).toMatchObject({
      starts: [4, 0],
      shape: [6],
    });
    expect(
      stridedPart([5, 6], [0, 0], [0, 0], [1, 1], { ...none, newAxisMask: 1, shrinkAxisMask: 2 }),
    ).toMatchObject({
      starts: [0, 0],
      sizes: [1, 6],
      shape: [1, 6],
    });
  });

  test('fills dimensions that nothing names: at the ellipsis, else at the end', () => {
    expect(stridedPart([2, 3, 4, 5], [1, 0, 2], [2, 0, 4], [1, 1, 1], { ...none, ellipsisMask: 2 })).toEqual({
      starts: [1, 0, 0, 2],
      steps: [1, 1, 1, 1],
      sizes: [1, 3, 4, 2],
      shape: [1, 3, 4, 2],
    });
    expect(stridedPart([2, 3, 4], [1], [2], [1], none).shape).toEqual([1, 3, 4]);
  });

  test('takes ends as lengths where it says so', () => {
    expect(stridedPart([9], [3], [4], [1], { ...none, offset: true })).toMatchObject({
      starts: [3],
      sizes: [4],
    });
  });

  test('refuses what names nothing', () => {
    expect(() => stridedPart([5], [0], [1], [0], none)).toThrow('a stride of 0');
    expect(() => stridedPart([5], [5], [6], [1], { ...none, shrinkAxisMask: 1 })).toThrow(
      'index 5 of a dimension of 5',
    );
    expect(() => stridedPart([5], [0, 0], [1, 1], [1, 1], none)).toThrow('2 dimensions');
  });
});
