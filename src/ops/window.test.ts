import { describe, expect, it } from 'vitest';
import { monotoneRange, pick, seeded } from './testing/check-operator.ts';
import { axisNeeds, endTap, firstTap, outputSize, rasterNeeds, type WindowAxis } from './window.ts';

/** Input indices that output o touches, by trying every tap. */
function touched(axis: WindowAxis, o: number): number[] {
  const found: number[] = [];
  for (let k = 0; k < axis.taps; k++) {
    const i = o * axis.stride - axis.pad + k * axis.dilation;
    if (i >= 0 && i < axis.input) found.push(i);
  }
  return found;
}

describe('window', () => {
  it('counts outputs as ONNX does', () => {
    expect(outputSize(5, 3, 2, 1, 0, 0)).toBe(2);
    expect(outputSize(4, 3, 2, 1, 0, 0, true)).toBe(2);
    expect(outputSize(2, 1, 2, 1, 0, 1, true)).toBe(1); // the second window would start in the pad
    expect(outputSize(4, 7, 2, 1, 1, 1, true)).toBe(1);
    expect(() => outputSize(4, 7, 2, 1, 1, 1)).toThrow(/window of 7/);
    expect(() => outputSize(2, 5, 1, 1, 1, 1, true)).toThrow(/window of 5/);
  });

  it('names exact and monotone needs, dilation and windows in the padding included', () => {
    const random = seeded(3);
    for (let round = 0; round < 400; round++) {
      const axis = (): WindowAxis => ({
        input: pick(random, 1, 6),
        output: pick(random, 1, 6),
        taps: pick(random, 1, 4),
        stride: pick(random, 1, 3),
        dilation: pick(random, 1, 3),
        pad: pick(random, 0, 5),
      });
      const [y, x, batch] = [axis(), axis(), pick(random, 1, 2)];
      for (let o = 0; o < y.output; o++) {
        expect(Math.max(0, endTap(y, o) - firstTap(y, o))).toBe(touched(y, o).length);
      }
      const needs: number[][] = [];
      for (let p = 0; p < batch * y.output * x.output; p++) {
        const n = Math.floor(p / (y.output * x.output));
        const rows = touched(y, Math.floor(p / x.output) % y.output);
        const columns = touched(x, p % x.output);
        needs.push(rows.flatMap((r) => columns.map((c) => (n * y.input + r) * x.input + c)));
      }
      for (let lo = 0; lo < needs.length; lo++) {
        for (let hi = lo + 1; hi <= needs.length; hi += 2) {
          expect(rasterNeeds(batch, axisNeeds(y), axisNeeds(x), lo, hi)).toEqual(
            monotoneRange(needs, batch * y.input * x.input, lo, hi),
          );
        }
      }
    }
  });
});
