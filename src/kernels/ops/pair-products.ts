/**
 * Sums of products of 8-bit elements on vectors: lanes of 16 bits are multiplied and added in pairs, so that each lane
 * of a sum takes two elements at once. A vector of input elements is loaded and widened once, and each of its pairs
 * spread over a vector in turn.
 */
import {
  add,
  after,
  and,
  type Builder,
  convert,
  dotPairs,
  type Index,
  i32,
  known,
  lane,
  load,
  or,
  plus,
  shl,
  splat,
  times,
  type Variable,
} from '../builder.ts';
import { type Cell, cellBytes, type Expr, type Place, type Type, type Vector } from '../ir.ts';
import type { Site } from '../site.ts';
import type { Arithmetic } from './product-arithmetic.ts';

/**
 * Adds elements as they are stored times weights of `cell` cells; what zero points take off comes elsewhere. Taps have
 * `depth` elements, an even number where several are added at once.
 */
export function pairAdder(
  b: Builder,
  site: Site,
  lanes: number,
  cell: Cell,
  depth: number,
): Arithmetic['add'] {
  const sum: Vector = `i32x${lanes}`;
  const halves: Vector = `i16x${2 * lanes}`;
  const pairBytes = 2 * lanes * cellBytes(cell);
  const chunk = 2 * lanes;

  /** One pair of elements of each pixel, spread over a vector by `pairOf`. `first` is the number of its first element. */
  const addPair = (
    sums: readonly Variable[][],
    weights: Place,
    first: Index,
    pairOf: (pixel: number) => Expr,
  ): void => {
    const vectors = sums[0].length;
    const entry = times(first, (vectors * pairBytes) / 2);
    const w = Array.from({ length: vectors }, (_, v) =>
      b.let(`w${v}`, load(halves, cell, after(weights, plus(entry, v * pairBytes)))),
    );
    sums.forEach((row, j) => {
      const x = b.let(`x${j}`, convert(halves, pairOf(j), 'bits'));
      row.forEach((s, v) => {
        b.set(s, add(s, dotPairs(sum, x, w[v])));
      });
    });
  };

  /** Elements [first, first + chunk): a vector of each pixel. */
  const addChunk = (sums: readonly Variable[][], pixels: readonly Place[], weights: Place, first: Index) => {
    const xs = pixels.map((at, j) => b.let(`p${j}`, load(halves, site.cell, after(at, first))));
    for (let p = 0; p < lanes; p++) {
      addPair(sums, weights, plus(first, 2 * p), (j) => splat(sum, lane(convert(sum, xs[j], 'bits'), p)));
    }
  };

  /** Two elements, or the last one alone. */
  const addFew = (
    sums: readonly Variable[][],
    pixels: readonly Place[],
    weights: Place,
    first: Index,
    both: boolean,
  ) => {
    const element = (j: number, k: Index): Expr => load('i32' as Type, site.cell, after(pixels[j], k));
    addPair(sums, weights, first, (j) => {
      const low = and(element(j, first), i32(0xffff));
      return splat(sum, both ? or(low, shl(element(j, plus(first, 1)), i32(16))) : low);
    });
  };

  return (sums, pixels, weights, count) => {
    const fixed = known(count);
    if (fixed === undefined) {
      // Counts that are not known are of whole taps.
      if (depth % chunk === 0) b.for('k', 0, count, chunk, (k) => addChunk(sums, pixels, weights, k));
      else b.for('k', 0, count, 2, (k) => addFew(sums, pixels, weights, k, true));
      return;
    }
    const whole = fixed - (fixed % chunk);
    b.for('k', 0, whole, chunk, (k) => addChunk(sums, pixels, weights, k));
    const even = fixed - (fixed % 2);
    b.for('k', whole, even, 2, (k) => addFew(sums, pixels, weights, k, true));
    if (even < fixed) addFew(sums, pixels, weights, even, false);
  };
}
