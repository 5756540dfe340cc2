/**
 * Sums of products of a run of input pixels with four rows of weights: the inner loops of FullyConnected. They
 * add to `sums` in the order of k, so that a run taken in pieces gives the same bits.
 */
import type { DType, TypedArray } from '../graph/graph.ts';
import type { View } from './operator.ts';

const { fround } = Math;

/** Where the weights of k = 0 of the run lie, for each of the four rows, and the rows' zero points. */
export interface Rows {
  readonly start: Int32Array;
  readonly zero: Int32Array;
}

export type SumBlock = (
  x: View,
  lo: number,
  hi: number,
  ws: TypedArray,
  rows: Rows,
  sums: Float64Array,
) => void;

/** The inner loop for an input type. `zeroX` is the input's zero point. */
export function sumBlock(dtype: DType, channels: number, zeroX: number): SumBlock {
  if (dtype === 'f32') return floatBlock(channels);
  return dtype === 'i16' ? wideBlock(channels) : integerBlock(channels, zeroX);
}

function floatBlock(channels: number): SumBlock {
  return (x, lo, hi, ws, { start }, sums) => {
    const xs = x.data;
    let [i0, i1, i2, i3] = start;
    let [s0, s1, s2, s3] = sums;
    for (let p = lo; p < hi; p++) {
      const from = x.at(p);
      for (let i = from; i < from + channels; i++) {
        const v = xs[i];
        s0 = fround(s0 + fround(v * ws[i0++]));
        s1 = fround(s1 + fround(v * ws[i1++]));
        s2 = fround(s2 + fround(v * ws[i2++]));
        s3 = fround(s3 + fround(v * ws[i3++]));
      }
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
  };
}

function integerBlock(channels: number, zeroX: number): SumBlock {
  return (x, lo, hi, ws, { start, zero }, sums) => {
    const xs = x.data;
    let [i0, i1, i2, i3] = start;
    const [z0, z1, z2, z3] = zero;
    let s0 = sums[0] | 0;
    let s1 = sums[1] | 0;
    let s2 = sums[2] | 0;
    let s3 = sums[3] | 0;
    for (let p = lo; p < hi; p++) {
      const from = x.at(p);
      for (let i = from; i < from + channels; i++) {
        const v = xs[i] - zeroX;
        s0 = (s0 + Math.imul(v, ws[i0++] - z0)) | 0;
        s1 = (s1 + Math.imul(v, ws[i1++] - z1)) | 0;
        s2 = (s2 + Math.imul(v, ws[i2++] - z2)) | 0;
        s3 = (s3 + Math.imul(v, ws[i3++] - z3)) | 0;
      }
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
  };
}

/** int16 input: the sums may pass 2^31 and stay exact below 2^53. */
function wideBlock(channels: number): SumBlock {
  return (x, lo, hi, ws, { start }, sums) => {
    const xs = x.data;
    for (let r = 0; r < 4; r++) {
      let j = start[r];
      let s = sums[r];
      for (let p = lo; p < hi; p++) {
        const from = x.at(p);
        for (let i = from; i < from + channels; i++) s += xs[i] * ws[j++];
      }
      sums[r] = s;
    }
  };
}
