/**
 * The inner loops of dots.ts: a run of input elements times packed weights, in words of four bytes that are taken apart into pairs,
 * or in vectors of 16 bytes.
 */

import {
  add,
  after,
  constant,
  convert,
  dot,
  dotPairs,
  type Index,
  i32,
  known,
  load,
  place,
  plus,
  sub,
  times,
  type Variable,
  vector,
  widen,
} from '../builder.ts';
import { siteOf } from '../constants.ts';
import type { Expr, Place, Region, Type, Vector } from '../ir.ts';
import type { Task } from '../kernel.ts';
import type { DotLayout } from './dot-weights.ts';

export type Adder = (
  sums: readonly Variable[][],
  pixels: readonly Place[],
  weights: Region,
  from: Expr,
  taps: Index,
  zero: number,
) => void;

/** Units that a loop takes at a time, where their number allows; more would be kept beyond their loop, and not fit. */
const UNROLLED_WORDS = 4;
const UNROLLED_VECTORS = 2;

/** Calls `step` for each unit of `taps` taps: the element where it begins, its number, and whether it is a short one. */
function overUnits(
  { b }: Task,
  { unit, units, whole, depth }: DotLayout,
  taps: Index,
  step: (element: Index, number: Index, some: number) => void,
): void {
  const count = known(taps);
  if (whole === units) {
    const all = times(taps, units);
    const fixed = count === undefined ? units : count * units;
    const most = unit === 4 ? UNROLLED_WORDS : UNROLLED_VECTORS;
    const at = [most, ...(most > 1 ? [3, 2] : [])].find((n) => fixed % n === 0) ?? 1;
    if (fixed <= most && count !== undefined) {
      for (let u = 0; u < fixed; u++) step(u * unit, u, unit);
      return;
    }
    b.for('u', 0, all, at, (u) => {
      for (let n = 0; n < at; n++) step(times(plus(u, n), unit), plus(u, n), unit);
    });
    return;
  }
  if (count !== 1) throw new Error('taps that do not join come one by one');
  for (let u = 0; u < whole; u++) step(u * unit, u, unit);
  if (depth < unit) step(0, 0, depth);
  else step(depth - unit, whole, unit);
}

/** Words of four bytes, taken apart into two pairs of 16 bits. */
export function wordAdder(task: Task, layout: DotLayout): Adder {
  const { b } = task;
  const site = siteOf(task, 0);
  const { cell, unitBytes } = layout;
  const bytes: Vector = `${site.cell as 'i8' | 'u8'}x4`;
  const PAIR: Vector = 'i16x2';
  return (sums, pixels, weights, from, taps, zero) => {
    const offset = zero === 0 ? undefined : b.variable('zero', constant(PAIR, -zero));
    const halves = (at: Place, some: number): readonly [Expr, Expr] => {
      if (some < 4) {
        const one = (k: number): Expr => {
          const x = load('i32', site.cell, after(at, k));
          return zero === 0 ? x : sub(x, i32(zero));
        };
        // A number's own upper half meets a weight of 0.
        const even = some > 2 ? vector(PAIR, [one(0), one(2)]) : convert(PAIR, one(0), 'bits');
        return [even, some > 1 ? convert(PAIR, one(1), 'bits') : constant(PAIR, 0)];
      }
      const word = b.let('word', load(bytes, site.cell, at));
      const half = (which: 'even' | 'odd') => (offset ? add(offset, widen(which, word)) : widen(which, word));
      return [half('even'), half('odd')];
    };
    overUnits(task, layout, taps, (element, number, some) => {
      const width = sums[0].length;
      const wordsOf = (v: number): readonly Expr[] => {
        const at = place(weights, plus(from, plus(times(number, width * unitBytes), v * unitBytes)));
        if (cell === 'i8') return [b.let('w', load('i8x4', 'i8', at))];
        return [0, ...(some > 1 ? [4] : [])].map((more) => b.let('w', load(PAIR, 'i16', after(at, more))));
      };
      const pairsOf = (words: readonly Expr[]): readonly Expr[] => {
        if (cell === 'i16') return words;
        const [w] = words;
        return [b.let('w', widen('even', w)), ...(some > 1 ? [b.let('w', widen('odd', w))] : [])];
      };
      const pairsAt = (p: Place) =>
        halves(after(p, element), some).map((x, i) => b.let(i === 0 ? 'even' : 'odd', x));
      const meet = (line: readonly Variable[], v: number, x: readonly Expr[], w: readonly Expr[]) => {
        w.forEach((part, i) => {
          b.set(line[v], add(line[v], dotPairs('i32', x[i], part)));
        });
      };
      // Whichever is fewer stays in registers while the others come and go.
      if (pixels.length > width) {
        const ws = Array.from({ length: width }, (_, v) => wordsOf(v)).map(pairsOf);
        pixels.forEach((p, j) => {
          const x = pairsAt(p);
          ws.forEach((w, v) => {
            meet(sums[j], v, x, w);
          });
        });
        return;
      }
      const xs = pixels.map(pairsAt);
      // Neighbouring words are loaded by one instruction where they are asked for together.
      for (let v = 0; v < width; v += 2) {
        const two = [v, v + 1].filter((n) => n < width);
        two.map(wordsOf).forEach((words, n) => {
          const w = pairsOf(words);
          sums.forEach((line, j) => {
            meet(line, v + n, xs[j], w);
          });
        });
      }
    });
  };
}

/** Vectors of 16 bytes, or of eight numbers of 16 bits where bytes would not hold them. */
export function vectorAdder(task: Task, layout: DotLayout): Adder {
  const { b } = task;
  const site = siteOf(task, 0);
  const { cell, unit, unitBytes } = layout;
  const type: Type = cell === 'i8' && unit === 16 ? 'i8x16' : 'i16x8';
  return (sums, pixels, weights, from, taps) => {
    overUnits(task, layout, taps, (element, number, some) => {
      const xs = pixels.map((p) => {
        const at = after(p, element);
        const x = load(type, site.cell, at);
        return b.let('x', some < unit ? ({ ...x, lanes: some } as Expr) : x);
      });
      const width = sums[0].length;
      for (let v = 0; v < width; v++) {
        const at = place(weights, plus(from, plus(times(number, width * unitBytes), v * unitBytes)));
        const w = b.let('w', load(type, cell, at));
        sums.forEach((line, j) => {
          b.set(line[v], add(line[v], dot(xs[j], w)));
        });
      }
    });
  };
}
