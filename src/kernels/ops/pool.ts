/** MaxPool and AveragePool. */

import { channelsOf } from '../../graph/graph.ts';
import type { AveragePoolAttributes } from '../../ops/average-pool.ts';
import { coreOutputType } from '../../ops/core-type.ts';
import type { OpContext } from '../../ops/operator.ts';
import { type PoolAttributes, poolWindow } from '../../ops/pool-window.ts';
import { requantiser } from '../../ops/requantiser.ts';
import { integerRange } from '../../ops/stored.ts';
import type { WindowAxis } from '../../ops/window.ts';
import { clamp } from '../arithmetic.ts';
import {
  add,
  asIndex,
  binary,
  compare,
  constant,
  convert,
  div,
  greatest,
  type Index,
  i32,
  index,
  lane,
  least,
  load,
  max,
  minus,
  mul,
  over,
  plus,
  select,
  splat,
  sub,
  times,
  vector,
} from '../builder.ts';
import { overWindows, type WindowBlock } from '../channel-windows.ts';
import { decode, encode } from '../coding.ts';
import { siteOf } from '../constants.ts';
import { epilogue, type Finish, tabled } from '../finish.ts';
import { writeFold } from '../folds.ts';
import { type Expr, lanesOf, typeOf } from '../ir.ts';
import type { OperatorKernels, Task } from '../kernel.ts';
import { startOf, type TapRange } from '../rows.ts';
import { elementAt } from '../site.ts';

/** How values become an output: joined one after another, then finished. */
interface Joining {
  readonly start: number;
  join(a: Expr, x: Expr): Expr;
  /** `found` values of the input went into it; the mean is over `divisor`. */
  last(value: Expr, channel: Index, found: Index, divisor: Index): Expr;
}

function maximum(task: Task): Joining {
  const { ctx } = task;
  const from = ctx.inputs[0]!;
  const to = coreOutputType(ctx.op.epilogue, ctx.outputs[0]);
  const convertValue = requantiser(from, to, ctx.dialect);
  const narrow = from.dtype !== 'f32' && from.dtype !== 'i32';
  const change: Finish = convertValue && narrow ? tabled(task, from, to, convertValue) : (x) => x;
  const after = epilogue(task);
  return {
    start: from.dtype === 'f32' ? -Infinity : integerRange(from.dtype)[0],
    join: max,
    last: (best, c) => after(change(best, c), c),
  };
}

function average(task: Task): Joining {
  const after = epilogue(task);
  const mean = meanOf(task);
  return {
    start: 0,
    join: add,
    last: (sum, c, found, divisor) => after(task.b.let('mean', mean(sum, found, divisor)), c),
  };
}

const KINDS: Readonly<Record<string, (task: Task) => Joining>> = { MaxPool: maximum, AveragePool: average };

export const poolKernels: readonly OperatorKernels[] = Object.entries(KINDS).map(([kind, joining]) => ({
  kind,
  fused: true,
  write: (task) => pool(task, joining(task)),
  fold: (task) => fold(task, joining(task)),
}));

/** The one window of each picture, as its pixels come (src/ops/pool-fold.ts). */
function fold(task: Task, { start, join, last }: Joining): void {
  const x = task.ctx.inputs[0]!;
  const attrs = task.ctx.op.attrs as unknown as AveragePoolAttributes;
  const window = poolWindow(x, attrs);
  const [, , bottom, right] = attrs.pads ?? [0, 0, 0, 0];
  const pixels = window.y.input * window.x.input;
  const padded = product(paddedTaps(window.y, bottom, 0), paddedTaps(window.x, right, 0));
  writeFold(task, {
    state: x.dtype === 'f32' ? 'f32' : 'i32',
    start,
    step: join,
    finish: (value, channel) => last(value, channel, pixels, attrs.countPad ? padded : pixels),
    target: (p) => (window.batch === 1 ? index(0) : times(over(p, pixels), channelsOf(x.shape))),
    byChannel: true,
  });
}

/** Each window's values joined one after another, then finished. */
function pool(task: Task, { start, join, last }: Joining): void {
  const { b, ctx } = task;
  const site = siteOf(task, 0);
  const [to] = task.outputs;
  const attrs = ctx.op.attrs as unknown as AveragePoolAttributes;
  const window = poolWindow(ctx.inputs[0], ctx.op.attrs as unknown as PoolAttributes);
  overWindows(task, window, (block) => {
    const { first, lanes, vectors } = block;
    const type = typeOf(site.cell === 'f32' ? 'f32' : 'i32', lanes);
    const channel = (v: number) => plus(first, v * lanes);
    const values = Array.from({ length: block.count }, (_, j) =>
      Array.from({ length: vectors }, (_, v) => b.variable(`s${j}_${v}`, constant(type, start))),
    );
    block.overTaps((_ky, _kx, at) => {
      values.forEach((line, j) => {
        const from = at(j);
        line.forEach((value, v) => {
          b.set(value, join(value, load(type, site.cell, elementAt(site, from, channel(v)))));
        });
      });
    });
    const found = named(task, area(block.ky, block.kx));
    const divisor = attrs.countPad ? paddedArea(task, block) : () => found;
    values.forEach((line, j) => {
      const address = block.address(j);
      const by = divisor(j);
      line.forEach((value, v) => {
        b.store(to.cell, elementAt(to, address, channel(v)), last(value, channel(v), found, by));
      });
    });
  });

  /** Taps inside the input and its pads, where those count. */
  function paddedArea(t: Task, block: WindowBlock): (j: number) => Index {
    const [, , bottom, right] = attrs.pads ?? [0, 0, 0, 0];
    const height = named(t, paddedTaps(window.y, bottom, block.y));
    return (j) => named(t, product(height, paddedTaps(window.x, right, plus(block.x, j))));
  }
}

function named({ b }: Task, x: Index): Index {
  return typeof x === 'number' ? x : b.let('n', x);
}

function product(a: Index, b: Index): Index {
  if (typeof a === 'number') return times(b, a);
  if (typeof b === 'number') return times(a, b);
  return binary('mul', a, b);
}

function area(ky: TapRange, kx: TapRange): Index {
  const size = (r: TapRange): Index =>
    typeof r.from === 'number' && typeof r.to === 'number'
      ? r.to - r.from
      : greatest(minus(asIndex(r.to), r.from), 0);
  return product(size(ky), size(kx));
}

/** Taps of output o inside the input and both pads (src/ops/average-pool.ts); a number where all outputs agree. */
function paddedTaps(axis: WindowAxis, after: number, o: Index): Index {
  const room = (n: number) =>
    Math.min(axis.taps, Math.ceil((axis.input + after - (n * axis.stride - axis.pad)) / axis.dilation));
  const all = new Set(Array.from({ length: axis.output }, (_, n) => room(n)));
  if (all.size === 1) return [...all][0];
  const space = minus(axis.input + after + axis.dilation - 1, startOf(axis, o));
  return least(over(greatest(space, 0), axis.dilation), axis.taps);
}

type Mean = (sum: Expr, found: Index, divisor: Index) => Expr;

function meanOf({ b, ctx }: Task): Mean {
  const { dialect } = ctx as OpContext;
  const from = ctx.inputs[0]!;
  const to = coreOutputType(ctx.op.epilogue, ctx.outputs[0]);
  /** At least one, as i32 or f32 in all lanes. */
  const number = (like: Expr, n: Index, kind: 'i32' | 'f32'): Expr => {
    const type = typeOf(kind, lanesOf(like.type));
    if (typeof n === 'number') return constant(type, Math.max(1, n));
    if (n.kind === 'const') return constant(type, Math.max(1, Number(n.value)));
    return splat(type, convert(kind, convert('i32', greatest(n, 1))));
  };
  if (from.dtype === 'f32') return (sum, _found, divisor) => div(sum, number(sum, divisor, 'f32'));
  const [low, high] = integerRange(to.dtype);
  if (dialect === 'tflite') {
    const one = (sum: Expr, found: Index): Expr => {
      const n = number(sum, found, 'i32');
      const half = binary('shr', n, i32(1));
      const shifted = select(compare('gt', sum, i32(0)), add(sum, half), sub(sum, half));
      return clamp(div(shifted, n), low, high);
    };
    return (sum, found) => {
      const lanes = lanesOf(sum.type);
      const items = Array.from({ length: lanes }, (_, i) => one(b.let('sum', lane(sum, i)), found));
      return vector(sum.type, items);
    };
  }
  const zero = from.quant?.zeroPoint[0] ?? 0;
  const plain = { dtype: from.dtype, quant: from.quant && { ...from.quant, zeroPoint: [0] } };
  return (sum, found, divisor) => {
    const offset = mul(rawNumber(sum, found), constant(sum.type, zero));
    const real = decode(plain, zero === 0 ? sum : sub(sum, offset));
    return encode(to, dialect, div(real, number(real, divisor, 'f32')));
  };

  function rawNumber(like: Expr, n: Index): Expr {
    if (typeof n === 'number') return constant(like.type, n);
    return n.kind === 'const' ? constant(like.type, Number(n.value)) : splat(like.type, convert('i32', n));
  }
}
