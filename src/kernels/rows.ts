/**
 * How windowed kernels go over the pixels of a firing: row by row, each cut into a left border, an interior where
 * no tap meets the padding, and a right border.
 */
import { endTap, firstTap, type Window, type WindowAxis } from '../ops/window.ts';
import {
  type Builder,
  compareIndex,
  greatest,
  type Index,
  index,
  known,
  least,
  minus,
  modulo,
  over,
  plus,
  select,
  times,
} from './builder.ts';
import type { Expr } from './ir.ts';
import type { Run } from './kernel.ts';

/** Part of one row of the output. */
export interface Row {
  /** Row counted over all pictures. */
  readonly row: Expr;
  /** First column, and one past the last. */
  readonly from: Expr;
  readonly to: Expr;
}

/** The rows of a run of pixels, `width` to a row. */
export function overRows(b: Builder, run: Run, width: number, body: (row: Row) => void): void {
  const { length, lo, hi } = run;
  if (length % width === 0 || length >= run.total) {
    b.for('row', over(lo, width), over(hi, width), 1, (row) =>
      body({ row, from: index(0), to: index(width) }),
    );
    return;
  }
  if (width % length === 0) {
    const row = b.let('row', over(lo, width));
    const from = b.let('from', minus(lo, times(row, width)));
    body({ row, from, to: plus(from, length) });
    return;
  }
  b.for('row', over(lo, width), over(plus(hi, width - 1), width), 1, (row) => {
    const first = times(row, width);
    const from = b.let('from', greatest(minus(lo, first), 0));
    const to = b.let('to', least(minus(hi, first), width));
    body({ row, from, to });
  });
}

/** Taps [from, to) of a window that meet the input. */
export interface TapRange {
  readonly from: Index;
  readonly to: Index;
}

/** Input coordinate of tap 0 of output o; may be negative. */
export function startOf(axis: WindowAxis, o: Index): Expr {
  return plus(times(o, axis.stride), -axis.pad);
}

/** The taps of output o along one direction; constants where no output's window meets the padding. */
export function tapsOf(b: Builder, axis: WindowAxis, o: Index): TapRange {
  const { from, to } = interior(axis);
  if (from === 0 && to === axis.output) return { from: 0, to: axis.taps };
  const start = startOf(axis, o);
  const { dilation, input, taps } = axis;
  const first = over(greatest(plus(minus(0, start), dilation - 1), 0), dilation);
  const end = over(greatest(plus(minus(input - 1, start), dilation), 0), dilation);
  // Wide padding has windows that lie before the input with all their taps.
  const begins = firstTap(axis, 0) > taps ? least(first, taps) : first;
  return { from: b.let('first', begins), to: b.let('end', least(end, taps)) };
}

/** Outputs [from, to) along one direction whose windows lie wholly in the input; from = to where there are none. */
export function interior(axis: WindowAxis): { readonly from: number; readonly to: number } {
  const inside = (o: number) => firstTap(axis, o) === 0 && endTap(axis, o) === axis.taps;
  let from = 0;
  while (from < axis.output && !inside(from)) from++;
  let to = from;
  while (to < axis.output && inside(to)) to++;
  return { from, to };
}

/**
 * Calls `border` for the columns of a row outside the interior one by one, and `inner` for those inside as a whole.
 * Where both sides of a row have a border, one loop goes over them, so that its code is there once. Columns that blocks
 * of `block` leave over count as border. With `apart`, few such columns are written out one by one, each with its taps known.
 */
export function overColumns(
  b: Builder,
  axis: WindowAxis,
  { from, to }: Row,
  border: (x: Expr) => void,
  inner: (from: Expr, to: Expr) => void,
  block = 1,
  apart = false,
): void {
  const all = interior(axis);
  const gap = Math.floor((all.to - all.from) / block) * block;
  const inside = { from: all.from, to: all.from + gap };
  const wholeRow = known(from) === 0 && known(to) === axis.output && gap > 0;
  if (apart && gap > 0 && axis.output - gap <= MOST_APART) {
    for (let x = 0; x < axis.output; x++) {
      if (x >= inside.from && x < inside.to) continue;
      b.if(compareIndex('le', from, x), () => b.if(compareIndex('gt', to, x), () => border(index(x))));
    }
    inner(greatest(from, inside.from), least(to, inside.to));
    return;
  }
  if (wholeRow) {
    b.for('side', 0, axis.output - gap, 1, (side) => {
      const right = compareIndex('ge', side, inside.from);
      const left = inside.from === 0 ? index(gap) : select(right, index(gap), index(0));
      border(b.let('x', plus(side, inside.to === axis.output ? 0 : left)));
    });
    inner(index(inside.from), index(inside.to));
    return;
  }
  b.for('x', from, least(to, inside.from), 1, border);
  inner(greatest(from, inside.from), least(to, inside.to));
  b.for('x', greatest(from, inside.to), to, 1, border);
}

/**
 * Pixels of a block, from `most` down to half of it, such that few columns of a row's interior are left over; undefined
 * where many would be.
 */
export function evenBlock(axis: WindowAxis, { from, to }: Row, most: number): number | undefined {
  if (known(from) !== 0 || known(to) !== axis.output) return undefined;
  const inside = interior(axis);
  const columns = inside.to - inside.from;
  const few = (n: number) => (columns % n) * FEW <= columns;
  for (let n = most; n * 2 >= most && n > 0; n--) if (columns >= n && columns % n === 0) return n;
  for (let n = most; n * 2 >= most && n > 0; n--) if (columns >= n && few(n)) return n;
  return undefined;
}

/** Columns of a border that may be written out one by one. */
const MOST_APART = 2;

/** One in so many columns may be computed as if it were border. */
const FEW = 5;

/** Columns [from, to) in blocks of `most`, then what is left: as one block where that is known, else one by one. */
export function inBlocks(
  b: Builder,
  from: Expr,
  to: Expr,
  most: number,
  body: (first: Expr, count: number) => void,
): void {
  if (from.kind === 'const' && to.kind === 'const') {
    const count = Math.max(0, Number(to.value) - Number(from.value));
    const whole = Number(from.value) + count - (count % most);
    b.for('x', from, whole, most, (x) => body(x, most));
    if (count % most > 0) body(index(whole), count % most);
    return;
  }
  if (most === 1) {
    b.for('x', from, to, 1, (x) => body(x, 1));
    return;
  }
  const count = b.let('count', greatest(minus(to, from), 0));
  const whole = b.let('whole', plus(from, minus(count, modulo(count, most))));
  b.for('x', from, whole, most, (x) => body(x, most));
  b.for('x', whole, to, 1, (x) => body(x, 1));
}

/** Row of the input over all pictures that tap 0 of an output row touches (may lie outside), and the row's number in its picture. */
export function inputRow(window: Window, row: Expr): { readonly picture: Expr; readonly y: Expr } {
  if (window.batch === 1) return { picture: index(0), y: row };
  return { picture: over(row, window.y.output), y: modulo(row, window.y.output) };
}
