/** FullyConnected, and its fold: sums kept in working memory while the input goes by. */

import { channelsOf } from '../../graph/graph.ts';
import {
  and,
  compareIndex,
  convert,
  type Index,
  i64,
  load,
  or,
  place,
  plus,
  shl,
  shr,
  times,
  vector,
} from '../builder.ts';
import { siteOf } from '../constants.ts';
import { type Expr, isVector, laneOf, lanesOf, type Place } from '../ir.ts';
import type { OperatorKernels, Task } from '../kernel.ts';
import { inBlocks } from '../rows.ts';
import { addressOf, elementAt, isDense, runsUnbroken } from '../site.ts';
import { type Block, productsOf } from './products.ts';

export const fullyConnectedKernels: OperatorKernels = {
  kind: 'FullyConnected',
  fused: true,
  write(task) {
    const { b, ctx, run } = task;
    const x = siteOf(task, 0);
    const [y] = task.outputs;
    const [perGroup, depth] = ctx.inputs[1]!.shape;
    const each = depth / x.channels;
    const joined = isDense(x) && runsUnbroken(x, run.length * each);
    const products = productsOf(task, {
      groups: 1,
      perGroup,
      depth: joined ? depth : x.channels,
      taps: joined ? 1 : each,
      pixels: joined ? run.length : 1,
    });
    products.overBlocks((block) => {
      inBlocks(b, run.lo, run.hi, joined ? block.pixels : 1, (p, count) => {
        const sums = products.start(block, count, true);
        if (joined) {
          const at = b.let('at', addressOf(x, times(p, each)));
          const pixels = Array.from({ length: count }, (_, j) =>
            elementAt(x, plus(at, j * depth * x.cellBytes)),
          );
          products.add(block, sums, pixels, 0, 1);
        } else {
          b.for('q', 0, each, 1, (q) => {
            const at = b.let('at', addressOf(x, plus(times(p, each), q)));
            products.add(block, sums, [elementAt(x, at)], q, 1);
          });
        }
        sums.lines.forEach((line, j) => {
          products.finish(block, line, y, b.let('to', addressOf(y, plus(p, j))));
        });
      });
    });
  },

  fold(task) {
    const { b, ctx, run } = task;
    const x = siteOf(task, 0);
    const [y] = task.outputs;
    const perGroup = channelsOf(ctx.outputs[0].shape);
    const products = productsOf(task, { groups: 1, perGroup, depth: x.channels, taps: run.total, pixels: 1 });
    products.overBlocks((block) => {
      const sums = products.start(block, 1, true);
      const [line] = sums.lines;
      const state = stateOf(task, block);
      b.if(compareIndex('gt', run.lo, 0), () => {
        line.forEach((sum, v) => {
          b.set(sum, state.load(sum, v));
        });
      });
      b.for('q', run.lo, run.hi, 1, (q) => {
        const at = b.let('at', addressOf(x, q));
        products.add(block, sums, [elementAt(x, at)], q, 1);
      });
      b.if(
        compareIndex('lt', run.hi, run.total),
        () => {
          line.forEach((sum, v) => {
            state.store(sum, v);
          });
        },
        () => products.finish(block, line, y, addressOf(y, 0)),
      );
    });
  },
};

/** Where the running sums of a block lie: 32 bits each, or 64 as two words, the upper one first. */
function stateOf({ b, scratch }: Task, block: Block) {
  const at = (channel: Index, bytes: number): Place =>
    place(scratch!.region, plus(times(channel, bytes), scratch!.offset));
  return {
    load(sum: Expr, v: number): Expr {
      const { type } = sum;
      const first = plus(block.first, v * lanesOf(type));
      if (type === 'i64') {
        const high = convert('i64', load('i32', 'i32', at(first, 8)));
        const word = load('i32', 'i32', { ...at(first, 8), offset: at(first, 8).offset + 4 });
        return or(shl(high, i64(32)), and(convert('i64', word), i64(0xffffffff)));
      }
      const cell = laneOf(type) === 'f32' ? 'f32' : 'i32';
      const valid = block.valid - v * lanesOf(type);
      if (valid >= lanesOf(type)) return load(type, cell, at(first, 4));
      // Beyond the last channel is not ours to read.
      const items = Array.from({ length: lanesOf(type) }, (_, i) =>
        i < valid
          ? load(cell, cell, at(plus(first, i), 4))
          : ({ kind: 'const', type: cell, value: 0 } as const),
      );
      return isVector(type) ? vector(type, items) : items[0];
    },
    store(sum: Expr, v: number): void {
      const lanes = lanesOf(sum.type);
      const first = plus(block.first, v * lanes);
      if (sum.type === 'i64') {
        const words = at(first, 8);
        b.store('i32', words, convert('i32', shr(sum, i64(32))));
        b.store('i32', { ...words, offset: words.offset + 4 }, convert('i32', sum));
        return;
      }
      const cell = laneOf(sum.type) === 'f32' ? 'f32' : 'i32';
      b.store(cell, at(first, 4), sum, Math.min(lanes, block.valid - v * lanes));
    },
  };
}
