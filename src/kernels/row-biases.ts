/**
 * Where rows of a window are cut off by the picture's upper and lower edge, the input's zero point adds to sums what is of
 * the rows that are left. There are few ways to cut them; biases for each way are a table, so that kernels can multiply
 * stored elements as they are.
 */
import { endTap, firstTap, type WindowAxis } from '../ops/window.ts';
import { type Index, load, minus, place, plus, times } from './builder.ts';
import type { Expr, Type } from './ir.ts';
import type { Task } from './kernel.ts';
import type { TapRange } from './rows.ts';

/** Rows of a window that meet the input. */
export interface RowRange extends TapRange {
  /** Rows of the whole window. */
  readonly rows: number;
  /** Most rows that are cut off above and below. */
  readonly above: number;
  readonly below: number;
}

export function rowRange(axis: WindowAxis, ky: TapRange): RowRange {
  let [above, below] = [0, 0];
  for (let o = 0; o < axis.output; o++) {
    above = Math.max(above, firstTap(axis, o));
    below = Math.max(below, axis.taps - endTap(axis, o));
  }
  return { ...ky, rows: axis.taps, above, below };
}

/** Ways to cut a window that a table has room for. */
const MOST_WAYS = 6;

/**
 * Reads biases less what the rows of a window add. `prefix` has [row][channel] what the rows before one add. Undefined where
 * there are too many ways.
 */
export function rowBiases(
  task: Task,
  bias: ArrayLike<number>,
  prefix: (row: number, channel: number) => number,
  channels: number,
  { from, to, rows, above, below }: RowRange,
): ((channel: Index, type?: Type) => Expr) | undefined {
  const ways = (above + 1) * (below + 1);
  if (ways > MOST_WAYS) return undefined;
  const table = new Int32Array(ways * channels);
  for (let b = 0; b <= below; b++) {
    for (let a = 0; a <= above && a <= rows - b; a++) {
      for (let c = 0; c < channels; c++)
        table[(b * (above + 1) + a) * channels + c] = bias[c] - (prefix(rows - b, c) - prefix(a, c));
    }
  }
  const region = task.module.constant(`${task.ctx.op.name} biases by rows`, table);
  const way = plus(from, times(minus(rows, to), above + 1));
  return (channel, type = 'i32') =>
    load(type, 'i32', place(region, times(plus(times(way, channels), channel), 4)));
}
