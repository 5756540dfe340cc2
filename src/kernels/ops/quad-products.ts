/**
 * Sums of products of 8-bit elements four at a time, on machines whose instruction multiplies bytes without a sign by
 * bytes with one (VNNI of x86). Bytes with a sign get 128 added by turning their upper bit; that is as if the zero point
 * were 128 more, which comes off with it.
 */
import {
  after,
  constant,
  convert,
  dotQuads,
  type Index,
  i32,
  known,
  load,
  or,
  plus,
  shl,
  splat,
  times,
  type Variable,
  word,
  xor,
} from '../builder.ts';
import type { Expr, Place, Type, Vector } from '../ir.ts';
import type { Task } from '../kernel.ts';
import type { Arithmetic } from './product-arithmetic.ts';

/** The upper bits of four bytes. */
const SIGNS = 0x80808080 | 0;

/** What is left in `zero` comes off elsewhere. */
export function quadAdder(
  { b, ctx }: Task,
  lanes: number,
  zeroPoint: number,
): Pick<Arithmetic, 'zero' | 'add'> {
  const signed = ctx.inputs[0]!.dtype === 'i8';
  const sum: Vector = `i32x${lanes}`;
  const bytes: Vector = `u8x${4 * lanes}`;
  const weightBytes: Vector = `i8x${4 * lanes}`;

  const addQuad = (
    sums: readonly Variable[][],
    weights: Place,
    first: Index,
    four: (pixel: number) => Expr,
  ): void => {
    const vectors = sums[0].length;
    const entry = times(first, vectors * lanes);
    const w = Array.from({ length: vectors }, (_, v) =>
      b.let(`w${v}`, load(weightBytes, 'i8', after(weights, plus(entry, v * 4 * lanes)))),
    );
    sums.forEach((row, j) => {
      const spread = splat(sum, four(j));
      const x = b.let(`x${j}`, convert(bytes, signed ? xor(spread, constant(sum, SIGNS)) : spread, 'bits'));
      for (const [v, s] of row.entries()) b.set(s, dotQuads(sum, x, w[v], s));
    });
  };

  /** Up to three elements, as the lowest bytes of a word. */
  const few = (pixel: Place, first: Index, count: number): Expr => {
    const element = (k: number): Expr => load('i32' as Type, 'u8', after(pixel, plus(first, k)));
    let all = element(0);
    for (let k = 1; k < count; k++) all = or(all, shl(element(k), i32(8 * k)));
    return all;
  };

  return {
    zero: zeroPoint + (signed ? 128 : 0),
    add(sums, pixels, weights, count) {
      const fixed = known(count);
      const left = (fixed ?? 0) % 4;
      // Counts that are not known are of whole taps that join.
      const whole = fixed === undefined ? count : fixed - left;
      b.for('k', 0, whole, 4, (k) => addQuad(sums, weights, k, (j) => word(after(pixels[j], k))));
      if (left > 0) addQuad(sums, weights, whole, (j) => few(pixels[j], whole, left));
    },
  };
}
