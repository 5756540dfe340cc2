/**
 * The depthwise convolution of 8-bit elements where lanes can be interleaved: eight channels at a time, two
 * neighbouring taps in one instruction.
 */

import type { TypedArray } from '../../graph/graph.ts';
import {
  add,
  constant,
  dotPairs,
  type Index,
  index,
  interleave,
  known,
  load,
  place,
  plus,
  sub,
  times,
  type Variable,
} from '../builder.ts';
import type { WindowBlock } from '../channel-windows.ts';
import { siteOf } from '../constants.ts';
import { type Cell, cellBytes, type Expr, type Type } from '../ir.ts';
import type { Task } from '../kernel.ts';
import { elementAt } from '../site.ts';

/** Channels that are computed together. */
export const PAIR_CHANNELS = 8;

const HALVES: Type = 'i16x8';
const SUM = 'i32x4';

export interface PairWeights {
  /** [channel][tap], less zero points. */
  readonly values: TypedArray;
  readonly channels: number;
  readonly down: number;
  readonly across: number;
  readonly cell: Cell;
}

/** Adds all taps of a block to its sums: for each pixel, four channels and the four after them. */
export function addTapsInPairs(
  task: Task,
  block: WindowBlock,
  weights: PairWeights,
  zero: number,
  sums: readonly (readonly Variable[])[],
): void {
  const { b } = task;
  const site = siteOf(task, 0);
  const { across, channels, cell } = weights;
  const size = cellBytes(cell);
  const offset = b.variable('zero', constant(HALVES, zero));
  const element = (at: Expr): Expr => {
    const stored = load(HALVES, site.cell, elementAt(site, at, block.first));
    return b.let('x', zero === 0 ? stored : sub(stored, offset));
  };
  const region = packedPairs(task, weights);
  /** The weights of a pair for four channels from `first` on. */
  const weight = (entry: Index, half: 0 | 1): Expr => {
    const at = times(plus(times(entry, channels), block.first), 2 * size);
    return b.let('w', load(HALVES, cell, place(region, at, half * PAIR_CHANNELS * size)));
  };
  const step = (line: readonly Variable[], x: Expr, y: Expr, low: Expr, high: Expr) => {
    b.set(line[0], add(line[0], dotPairs(SUM, interleave('low', x, y), low)));
    b.set(line[1], add(line[1], dotPairs(SUM, interleave('high', x, y), high)));
  };
  const pairs = Math.ceil(across / 2);
  const whole = known(block.kx.from) === 0 && known(block.kx.to) === across;
  block.overLines((ky, at) => {
    if (!whole) {
      // A window cut by the picture's side: tap after tap, with the weight of a second one that is 0.
      b.for('kx', block.kx.from, block.kx.to, 1, (tap) => {
        const entry = plus(times(ky, across), plus(tap, weights.down * pairs));
        const [low, high] = [weight(entry, 0), weight(entry, 1)];
        sums.forEach((line, j) => {
          const x = element(b.natural('at', at(tap, j)));
          step(line, x, x, low, high);
        });
      });
      return;
    }
    // Neighbouring outputs share columns.
    const columns = new Map<string, Expr>();
    const column = (tap: number, j: number): Expr => {
      const address = at(index(tap), j);
      const key = JSON.stringify(address);
      const found = columns.get(key);
      if (found) return found;
      const x = element(address);
      columns.set(key, x);
      return x;
    };
    for (let p = 0; p < pairs; p++) {
      const entry = plus(times(ky, pairs), p);
      const [low, high] = [weight(entry, 0), weight(entry, 1)];
      sums.forEach((line, j) => {
        const x = column(2 * p, j);
        step(line, x, 2 * p + 1 < across ? column(2 * p + 1, j) : x, low, high);
      });
    }
  });
}

/** [row of taps][pair][channel][2], and after that [tap][channel][2] with 0 for the second. */
function packedPairs(task: Task, { values, channels, down, across, cell }: PairWeights) {
  const pairs = Math.ceil(across / 2);
  const taps = down * across;
  return task.module.packed(
    `${task.ctx.op.name} weights`,
    task.ctx.inputs[1]!.constant!.load(),
    `depthwise pairs ${cell}`,
    () => {
      const length = (down * pairs + taps) * channels * 2;
      const out = cell === 'i8' ? new Int8Array(length) : new Int16Array(length);
      for (let c = 0; c < channels; c++) {
        for (let t = 0; t < taps; t++) {
          const kx = t % across;
          const entry = ((t - kx) / across) * pairs + (kx >> 1);
          out[(entry * channels + c) * 2 + (kx % 2)] = values[c * taps + t];
          out[((down * pairs + t) * channels + c) * 2] = values[c * taps + t];
        }
      }
      return out;
    },
  );
}
