/** Sums of products whose weights or bias are computed at run time: one output channel at a time, weights as they lie. */
import { weightZeros } from '../../ops/weight-zeros.ts';
import {
  add,
  constant,
  convert,
  f32,
  type Index,
  i32,
  i64,
  index,
  load,
  modulo,
  mul,
  mulAdd,
  over,
  plus,
  sub,
  times,
} from '../builder.ts';
import { channelData } from '../channel-data.ts';
import { siteOf } from '../constants.ts';
import { finishProducts } from '../finish.ts';
import type { Expr } from '../ir.ts';
import type { Task } from '../kernel.ts';
import { addressOf, elementAt, isContiguous, type Site } from '../site.ts';
import type { ProductShape, Products } from './products.ts';

/** The same as `productsOf` (products.ts), for weights of any kind. */
export function runtimeProducts(task: Task, shape: ProductShape): Products {
  const { b, ctx } = task;
  const [weights, bias] = [siteOf(task, 1), ctx.inputs[2] ? siteOf(task, 2) : undefined];
  const channels = shape.groups * shape.perGroup;
  const float = ctx.inputs[0]!.dtype === 'f32';
  const wide = ctx.inputs[0]!.dtype === 'i16';
  const type = float ? 'f32' : wide ? 'i64' : 'i32';
  const zeroX = ctx.inputs[0]!.quant?.zeroPoint[0] ?? 0;
  const zeros = channelData(task, `${ctx.op.name} zeros`, weightZeros(ctx.inputs[1]!, channels));
  const finish = finishProducts(task, channels);
  const input = siteOf(task, 0);
  const zero = float ? f32(0) : wide ? i64(0) : i32(0);
  return {
    bytes: channels * shape.taps * shape.depth * weights.cellBytes,
    joins: true,
    overBlocks(body) {
      b.for('group', 0, shape.groups, 1, (group) => {
        b.for('channel', 0, shape.perGroup, 1, (channel) => {
          const first = b.let('first', plus(times(group, shape.perGroup), channel));
          const at = b.let('weights', times(first, shape.taps * shape.depth));
          body({ group, first, valid: 1, vectors: 1, pixels: 1, weights: at });
        });
      });
    },
    start: (block, pixels) => ({
      whole: false,
      lines: Array.from({ length: pixels }, (_, j) => {
        const start = bias ? listed(bias, block.first, type) : zero;
        return [b.variable(`s${j}`, start)];
      }),
    }),
    add(block, { lines }, pixels, tap, taps) {
      const count = typeof taps === 'number' ? taps * shape.depth : times(taps, shape.depth);
      const from = b.let('from', plus(block.weights, times(tap, shape.depth)));
      const zeroW = float || wide ? undefined : b.let('zero', zeros('i32', block.first));
      b.for('k', 0, count, 1, (k) => {
        const w = b.let('w', element(weights, plus(from, k), type));
        lines.forEach(([sum], j) => {
          const place = pixels[j];
          const at = { ...place, address: plus(place.address, times(k, input.cellBytes)) };
          const x = load(type, input.cell, at);
          if (float) b.set(sum, mulAdd(x, w, sum));
          else if (wide) b.set(sum, add(sum, mul(x, w)));
          else b.set(sum, add(sum, mul(sub(x, constant('i32', zeroX)), sub(w, zeroW!))));
        });
      });
    },
    finish(block, sums, to, address) {
      b.store(to.cell, elementAt(to, address, block.first), finish(sums[0], block.first));
    },
  };
}

/** Element e of a tensor, counted in raster order. */
function element(site: Site, e: Expr, type: 'f32' | 'i32' | 'i64'): Expr {
  const [pixel, channel] = isContiguous(site)
    ? [index(0), e]
    : [over(e, site.channels), modulo(e, site.channels)];
  return load(type, site.cell, elementAt(site, addressOf(site, pixel), channel));
}

/** An entry of a list, whichever axis it lies along. */
function listed(site: Site, at: Index, type: 'f32' | 'i32' | 'i64'): Expr {
  if (type === 'i64') return convert('i64', element(site, plus(at, 0), 'i32'));
  return element(site, plus(at, 0), type);
}

/** True where a task's weights and bias are known when it is compiled. */
export function weightsAreConstant({ ctx }: Task): boolean {
  return [1, 2].every((i) => !ctx.inputs[i] || ctx.inputs[i].constant !== undefined);
}
