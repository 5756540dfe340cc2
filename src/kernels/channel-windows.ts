/** Windows whose channels do not mix (depthwise convolutions, pools): lanes are channels, taps are visited in order. */

import type { Window } from '../ops/window.ts';
import { type Index, index, known, plus, times } from './builder.ts';
import { siteOf } from './constants.ts';
import type { Expr } from './ir.ts';
import type { Task } from './kernel.ts';
import {
  evenBlock,
  inBlocks,
  inputRow,
  overColumns,
  overRows,
  startOf,
  type TapRange,
  tapsOf,
} from './rows.ts';
import { addressOf, runsUnbroken } from './site.ts';

/** Channels [first, first + vectors * lanes). */
export interface Lanes {
  readonly first: Expr;
  readonly vectors: number;
  readonly lanes: number;
}

/** Some neighbouring pixels of the output, for some channels. */
export interface WindowBlock extends Lanes {
  readonly count: number;
  /** Row in its picture, and first column. */
  readonly y: Expr;
  readonly x: Expr;
  readonly ky: TapRange;
  readonly kx: TapRange;
  /** Calls `body` for each tap that meets the input with the byte address of its pixel for output j. */
  overTaps(body: (ky: Index, kx: Index, at: (j: number) => Expr) => void): void;
  /** Calls `body` for each row of taps that meets the input, with the byte address of a tap's pixel for output j. */
  overLines(body: (ky: Index, at: (tap: Index, j: number) => Expr) => void): void;
  /** Byte address of output pixel j. */
  address(j: number): Expr;
}

const MOST_UNROLLED_TAPS = 7;
const MOST_PIXELS = 4;

/** How channels are cut: so many vectors of so many lanes at a time, then what is left by the next. */
export type ChannelCuts = readonly (readonly [vectors: number, lanes: number])[];

/** Lanes of the shortest vectors. */
const LEAST_LANES = 4;

function usualCuts({ lanes }: Task['machine']): ChannelCuts {
  const halves: [number, number][] = [];
  for (let n = lanes / 2; n >= LEAST_LANES; n /= 2) halves.push([1, n]);
  // Where compilers are given long vectors, code is short beside its speed.
  const two: [number, number][] = halves.length > 0 ? [[2, lanes]] : [];
  return lanes > 1
    ? [[4, lanes], ...two, [1, lanes], ...halves, [1, 1]]
    : [
        [4, 1],
        [1, 1],
      ];
}

export function overWindows(
  task: Task,
  window: Window,
  body: (block: WindowBlock) => void,
  cuts: ChannelCuts = usualCuts(task.machine),
): void {
  const { b, machine } = task;
  const site = siteOf(task, 0);
  const [to] = task.outputs;
  const { y: down, x: across } = window;
  const whole = runsUnbroken(site, across.input);

  overRows(b, task.run, across.output, (row) => {
    overChannels(task, to.channels, cuts, (lanes) => {
      const { picture, y } = inputRow(window, row.row);
      const ky = tapsOf(b, down, y);
      const line = (k: Index) =>
        times(
          plus(plus(times(picture, down.input), startOf(down, y)), times(k, down.dilation)),
          across.input,
        );
      const block = (
        x: Expr,
        count: number,
        kx: TapRange,
        source: (k: Index) => (tap: Index, j: number) => Expr,
      ) =>
        body({
          ...lanes,
          count,
          y,
          x,
          ky,
          kx,
          address: (j) => b.natural('to', addressOf(to, plus(plus(times(row.row, across.output), x), j))),
          overLines(visit) {
            b.for('ky', ky.from, ky.to, 1, (k) => visit(k, source(k)));
          },
          overTaps(visit) {
            b.for('ky', ky.from, ky.to, 1, (k) => {
              const at = source(k);
              const one = (tap: Index) => visit(k, tap, (j) => b.natural('at', at(tap, j)));
              const [low, high] = [known(kx.from), known(kx.to)];
              if (low !== undefined && high !== undefined && high - low <= MOST_UNROLLED_TAPS) {
                for (let t = low; t < high; t++) one(index(t));
              } else b.for('kx', kx.from, kx.to, 1, one);
            });
          },
        });
      const border = (x: Expr) =>
        block(x, 1, tapsOf(b, across, x), (k) => {
          const first = b.let('start', plus(line(k), startOf(across, x)));
          return (tap) => addressOf(site, plus(first, times(tap, across.dilation)));
        });
      if (!whole) {
        b.for('x', row.from, row.to, 1, border);
        return;
      }
      const sums = lanes.vectors * Math.max(1, lanes.lanes / machine.lanes);
      const fit = Math.max(1, Math.min(MOST_PIXELS, task.run.length, Math.floor(machine.sums / sums)));
      const even = evenBlock(across, row, fit);
      const most = even ?? fit;
      const inner = (from: Expr, end: Expr) => {
        inBlocks(b, from, end, most, (x, count) => {
          block(x, count, { from: 0, to: across.taps }, (k) => {
            const start = b.natural('start', addressOf(site, line(k)));
            const first = b.natural('left', plus(start, times(startOf(across, x), site.stride)));
            return (tap, j) =>
              plus(first, plus(times(tap, across.dilation * site.stride), j * across.stride * site.stride));
          });
        });
      };
      overColumns(b, across, row, border, inner, even, machine.dots !== undefined);
    });
  });
}

/** All channels, by the first cut as far as it goes, then by the next. */
function overChannels({ b }: Task, channels: number, cuts: ChannelCuts, body: (lanes: Lanes) => void): void {
  let done = 0;
  for (const [vectors, width] of cuts) {
    const step = vectors * width;
    const end = done + Math.floor((channels - done) / step) * step;
    b.for('c', done, end, step, (c) => body({ first: c, vectors, lanes: width }));
    done = end;
  }
}
