import { describe, expect, it } from 'vitest';
import { compareArrays, worstOf } from './compare-outputs.ts';

const array = (values: readonly number[]) => ({ dtype: 'f32' as const, shape: [values.length], values });

describe('comparing outputs', () => {
  it('measures against the range of what is expected', () => {
    const d = compareArrays('y', array([0, 1, 2.5, 4]), array([0, 1, 2, 4]));
    expect(d).toEqual({ maxAbsError: 0.5, maxRelError: 0.125, exact: false, elements: 4, differing: 1 });
  });

  it('takes NaN for NaN and nothing else', () => {
    expect(compareArrays('y', array([Number.NaN]), array([Number.NaN])).exact).toBe(true);
    expect(compareArrays('y', array([Number.NaN, 1]), array([0, 1])).maxAbsError).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  it('has a measure where all values are equal', () => {
    expect(compareArrays('y', array([2, 2]), array([2, 2])).maxRelError).toBe(0);
    expect(compareArrays('y', array([2, 2.5]), array([2, 2])).maxRelError).toBe(0.25);
  });

  it('refuses outputs of different sizes', () => {
    expect(() => compareArrays('y', array([1]), array([1, 2]))).toThrow(/output y has shape \[1\]/);
  });

  it('takes the worst of several', () => {
    const a = compareArrays('a', array([0, 1]), array([0, 1]));
    const b = compareArrays('b', array([0, 3]), array([0, 2]));
    expect(worstOf([a, b])).toEqual({
      maxAbsError: 1,
      maxRelError: 0.5,
      exact: false,
      elements: 4,
      differing: 1,
    });
  });
});
