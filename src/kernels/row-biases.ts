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
  /** Most rows that are cut off above. */
  readonly above: number;
  /** Ways to cut: those without rows below come first, then with one row less, each by the rows above. */
  readonly ways: number;
}

export function rowRange(axis: WindowAxis, ky: TapRange): RowRange {
  const outputs = Array.from({ length: axis.output }, (_, o) => o);
  const above = outputs.reduce((most, o) => Math.max(most, firstTap(axis, o)), 0);
  const wayOf = (o: number) => firstTap(axis, o) + (axis.taps - endTap(axis, o)) * (above + 1);
  const last = outputs.reduce((most, o) => Math.max(most, wayOf(o)), 0);
  return { ...ky, rows: axis.taps, above, ways: last + 1 };
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
  { from, to, rows, above, ways }: RowRange,
): ((channel: Index, type?: Type) => Expr) | undefined {
  if (ways > MOST_WAYS) return undefined;
  const table = new Int32Array(ways * channels);
  for (let way = 0; way < ways; way++) {
    const first = way % (above + 1);
    const end = rows - Math.floor(way / (above + 1));
    for (let c = 0; c < channels && first <= end; c++)
      table[way * channels + c] = bias[c] - (prefix(end, c) - prefix(first, c));
  }
  const region = task.module.constant(`${task.ctx.op.name} biases by rows`, table);
  const way = plus(from, times(minus(rows, to), above + 1));
  return (channel, type = 'i32') =>
    load(type, 'i32', place(region, times(plus(times(way, channels), channel), 4)));
}
