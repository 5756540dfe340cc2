/** Half-open intervals of rows or columns, and the boxes that they span. */

/** Rows or columns [lo, hi). */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

/** Part of a picture: the same for all images and channels. */
export interface Box {
  readonly rows: Interval;
  readonly columns: Interval;
}

export const lengthOf = ({ lo, hi }: Interval): number => hi - lo;

export const sameInterval = (a: Interval, b: Interval): boolean => a.lo === b.lo && a.hi === b.hi;

export const sameBox = (a: Box, b: Box): boolean =>
  sameInterval(a.rows, b.rows) && sameInterval(a.columns, b.columns);

/** The least interval that holds both. */
export const hullOf = (a: Interval, b: Interval): Interval => ({
  lo: Math.min(a.lo, b.lo),
  hi: Math.max(a.hi, b.hi),
});

/** The least box that holds both. */
export const boxHull = (a: Box, b: Box): Box => ({
  rows: hullOf(a.rows, b.rows),
  columns: hullOf(a.columns, b.columns),
});

/** All of a picture `[N, H, W, C]`. */
export const wholeBox = (shape: readonly number[]): Box => ({
  rows: { lo: 0, hi: shape[1] },
  columns: { lo: 0, hi: shape[2] },
});
