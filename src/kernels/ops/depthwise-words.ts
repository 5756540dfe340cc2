/**
 * The depthwise convolution of bytes on words of four: four channels at a time, taken apart into two pairs of 16 bits;
 * each tap is one product a channel. Columns that neighbouring outputs share are loaded once.
 */

import {
  add,
  type Builder,
  constant,
  type Index,
  index,
  known,
  lane,
  load,
  mul,
  place,
  plus,
  times,
  type Variable,
  widen,
} from '../builder.ts';
import type { WindowBlock } from '../channel-windows.ts';
import { siteOf } from '../constants.ts';
import type { Expr, Place, Region, Vector } from '../ir.ts';
import type { Task } from '../kernel.ts';
import { elementAt } from '../site.ts';
import type { PairWeights } from './depthwise-pairs.ts';

/** Channels that are computed together. */
export const WORD_CHANNELS = 4;

const PAIR: Vector = 'i16x2';

/** Channels 0 and 2, and 1 and 3. */
type Halves = readonly [even: Expr, odd: Expr];

/** Adds all taps of a block to its sums: four channels a pixel. */
export function addTapsInWords(
  task: Task,
  block: WindowBlock,
  weights: PairWeights,
  zero: number,
  sums: readonly (readonly Variable[])[],
): void {
  const { b } = task;
  const site = siteOf(task, 0);
  const { across } = weights;
  const bytes: Vector = `${site.cell as 'i8' | 'u8'}x4`;
  const offset = zero === 0 ? undefined : b.variable('zero', constant(PAIR, -zero));
  const element = (at: Expr): Halves => {
    const word = b.let('x', load(bytes, site.cell, elementAt(site, at, block.first)));
    const half = (which: 'even' | 'odd') =>
      b.let(which, offset ? add(offset, widen(which, word)) : widen(which, word));
    return [half('even'), half('odd')];
  };
  const packed = packedWeights(task, weights);
  const weight = (tap: Index) => packed.read(b, plus(times(tap, packed.stride), block.first));
  const step = (line: readonly Variable[], x: Halves, w: Halves) => {
    line.forEach((sum, c) => {
      const [which, at] = [c % 2, c >> 1];
      b.set(sum, add(sum, mul(lane(x[which], at), lane(w[which], at))));
    });
  };
  block.overLines((ky, at) => {
    const row = times(ky, across);
    const [low, high] = [known(block.kx.from), known(block.kx.to)];
    if (low === undefined || high === undefined) {
      b.for('kx', block.kx.from, block.kx.to, 1, (tap) => {
        const w = weight(plus(row, tap));
        sums.forEach((line, j) => {
          step(line, element(b.natural('at', at(tap, j))), w);
        });
      });
      return;
    }
    const columns = new Map<string, Halves>();
    const column = (tap: number, j: number): Halves => {
      const address = at(index(tap), j);
      const key = JSON.stringify(address);
      const x = columns.get(key) ?? element(address);
      columns.set(key, x);
      return x;
    };
    for (let tap = low; tap < high; tap++) {
      const w = weight(plus(row, tap));
      sums.forEach((line, j) => {
        step(line, column(tap, j), w);
      });
    }
  });
}

interface PackedWeights {
  /** Elements from tap to tap: words are aligned. */
  readonly stride: number;
  /** Weights of four channels from element `first` of [tap][channel] on. */
  read(b: Builder, first: Index): Halves;
}

/** [tap][channel], in bytes; in 16 bits, four channels as 0, 2, 1, 3, where bytes do not hold them or they are few. */
function packedWeights(task: Task, { values, channels, down, across, cell }: PairWeights): PackedWeights {
  const taps = down * across;
  const stride = Math.ceil(channels / 4) * 4;
  const wide = cell === 'i16' || values.length <= (task.machine.wideWeights ?? 0);
  const source = task.ctx.inputs[1]!.constant!.load();
  const region: Region = task.module.packed(
    `${task.ctx.op.name} weights`,
    source,
    `depthwise words ${wide}`,
    () => {
      const length = taps * stride;
      const out = wide ? new Int16Array(length) : new Int8Array(length);
      for (let c = 0; c < channels; c++) {
        const to = wide ? c - (c % 4) + [0, 2, 1, 3][c % 4] : c;
        for (let t = 0; t < taps; t++) out[t * stride + to] = values[c * taps + t];
      }
      return out;
    },
  );
  return {
    stride,
    read(b, first) {
      if (!wide) {
        const w = b.let('w', load('i8x4', 'i8', place(region, first)));
        return [b.let('w', widen('even', w)), b.let('w', widen('odd', w))];
      }
      const at = (i: number): Place => place(region, times(first, 2), 4 * i);
      return [b.let('w', load(PAIR, 'i16', at(0))), b.let('w', load(PAIR, 'i16', at(1)))];
    },
  };
}
