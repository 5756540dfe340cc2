/** Reductions, and their folds: accumulators in working memory while the input goes by. */
import { quantizeMultiplier } from '../../arithmetic/tflite.ts';
import { channelsOf, type ElementType, elementCount } from '../../graph/graph.ts';
import { coreOutputType } from '../../ops/core-type.ts';
import { elementStrides } from '../../ops/move.ts';
import type { ReduceAttributes } from '../../ops/reduce.ts';
import { reducedShape } from '../../ops/reduce-geometry.ts';
import { integerRange, sameType } from '../../ops/stored.ts';
import { clamp, cutTo, multiplyFixed, multiplyFloat } from '../arithmetic.ts';
import {
  add,
  compare,
  constant,
  div,
  i32,
  index,
  lane,
  load,
  max,
  min,
  modulo,
  mul,
  over,
  plus,
  select,
  sub,
  times,
  unary,
  vector,
} from '../builder.ts';
import { decode, encode } from '../coding.ts';
import { siteOf } from '../constants.ts';
import { overLanes } from '../elements.ts';
import { unsupported } from '../finish.ts';
import { writeFold } from '../folds.ts';
import { type Expr, lanesOf, typeOf } from '../ir.ts';
import type { OperatorKernels, Task } from '../kernel.ts';
import { addressOf, elementAt, type Site } from '../site.ts';

/** How one output element is made, on scalars or lanes (src/ops/reduce.ts). */
interface Reducer {
  readonly state: 'f32' | 'i32';
  readonly start: number;
  step(accumulator: Expr, stored: Expr): Expr;
  finish(accumulator: Expr): Expr;
}

const KINDS = ['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL2'];

export const reduceKernels: readonly OperatorKernels[] = KINDS.map((kind) => ({ kind, write, fold }));

function write(task: Task): void {
  const { b, ctx, run, machine } = task;
  const [y] = task.outputs;
  const x = siteOf(task, 0);
  const { axes } = ctx.op.attrs as unknown as ReduceAttributes;
  const { shape } = ctx.inputs[0]!;
  const reducer = reducerOf(task);
  const strides = elementStrides(shape);
  const kept = reducedShape(shape, axes, true);
  const outer = elementStrides(kept);
  const last = shape.length - 1;
  const whole = !axes.includes(last) && channelsOf(ctx.outputs[0].shape) === shape[last];

  /** First input element of an output element, in elements; without the last axis where lanes go over it. */
  const startOf = (e: Expr, upTo: number, each: number): Expr => {
    let sum: Expr = index(0);
    for (let k = 0; k < upTo; k++) {
      if (kept[k] === 1) continue;
      const wraps = kept.slice(0, k).some((d) => d > 1);
      const c = over(e, outer[k] / each);
      sum = plus(sum, times(wraps ? modulo(c, kept[k]) : c, strides[k] / each));
    }
    return b.let('start', sum);
  };
  /** Calls `body` for the elements (or pixels) of a reduction in ascending order. */
  const overReduced = (start: Expr, each: number, k: number, body: (at: Expr) => void): void => {
    if (k === shape.length) {
      body(start);
      return;
    }
    if (!axes.includes(k)) overReduced(start, each, k + 1, body);
    else
      b.for('r', 0, shape[k], 1, (r) =>
        overReduced(plus(start, times(r, strides[k] / each)), each, k + 1, body),
      );
  };

  b.for('p', run.lo, run.hi, 1, (p) => {
    const to = b.let('to', addressOf(y, p));
    if (whole) {
      const start = startOf(p, last, shape[last]);
      overLanes(b, y.channels, machine.lanes, (c, lanes) => {
        const sum = b.variable('sum', constant(typeOf(reducer.state, lanes), reducer.start));
        const type = typeOf(x.cell === 'f32' ? 'f32' : 'i32', lanes);
        overReduced(start, shape[last], 0, (pixel) => {
          const at = b.let('at', addressOf(x, pixel));
          b.set(sum, reducer.step(sum, load(type, x.cell, elementAt(x, at, c))));
        });
        b.store(y.cell, elementAt(y, to, c), reducer.finish(sum));
      });
      return;
    }
    b.for('c', 0, y.channels, 1, (c) => {
      const start = startOf(b.let('e', plus(times(p, y.channels), c)), shape.length, 1);
      const sum = b.variable('sum', constant(reducer.state, reducer.start));
      overReduced(start, 1, 0, (element) => b.set(sum, reducer.step(sum, loadElement(task, x, element))));
      b.store(y.cell, elementAt(y, to, c), reducer.finish(sum));
    });
  });
}

/** One element, counted in raster order. */
function loadElement({ b }: Task, x: Site, element: Expr): Expr {
  const e = b.let('e', element);
  const at = b.let('at', addressOf(x, over(e, x.channels)));
  return load(x.cell === 'f32' ? 'f32' : 'i32', x.cell, elementAt(x, at, modulo(e, x.channels)));
}

function fold(task: Task): void {
  const { axes } = task.ctx.op.attrs as unknown as ReduceAttributes;
  const { shape } = task.ctx.inputs[0]!;
  const strides = elementStrides(shape);
  const kept = reducedShape(shape, axes, true);
  const outer = elementStrides(kept);
  const last = shape.length - 1;
  const target = (p: Expr): Expr => {
    let element: Expr = index(0);
    for (let k = 0; k < last; k++) {
      if (kept[k] > 1)
        element = plus(element, times(modulo(over(p, strides[k] / shape[last]), shape[k]), outer[k]));
    }
    return element;
  };
  writeFold(task, { ...reducerOf(task), target, byChannel: !axes.includes(last) });
}

function reducerOf(task: Task): Reducer {
  const { ctx } = task;
  const { axes } = ctx.op.attrs as unknown as ReduceAttributes;
  const from = ctx.inputs[0]!;
  const to = coreOutputType(ctx.op.epilogue, ctx.outputs[0]);
  const count = elementCount(axes.map((axis) => from.shape[axis]));
  switch (ctx.op.kind) {
    case 'ReduceMean':
      return mean(task, from, to, count);
    case 'ReduceSum':
      return sum(task, from, to, count);
    case 'ReduceMax':
    case 'ReduceMin':
      return extreme(task, from, to, ctx.op.kind === 'ReduceMax');
    case 'ReduceProd':
      if (from.dtype !== 'f32' && !from.quant)
        return { state: 'i32', start: 1, step: mul, finish: (v) => cutTo(to.dtype, v) };
      return {
        state: 'f32',
        start: 1,
        step: (product, v) => mul(product, decode(from, v)),
        finish: (product) => encode(to, ctx.dialect, product),
      };
    default:
      if (from.dtype !== 'f32' && !to.quant) throw unsupported(ctx, from.dtype);
      return {
        state: 'f32',
        start: 0,
        step: (total, v) => {
          const x = task.b.let('x', decode(from, v));
          return add(total, mul(x, x));
        },
        finish: (total) => encode(to, ctx.dialect, task.b.let('root', unary('sqrt', total))),
      };
  }
}

function realSum(task: Task, from: ElementType, to: ElementType, finish = (x: Expr) => x): Reducer {
  return {
    state: 'f32',
    start: 0,
    step: (total, v) => add(total, decode(from, v)),
    finish: (total) => encode(to, task.ctx.dialect, task.b.let('real', finish(total))),
  };
}

function mean(task: Task, from: ElementType, to: ElementType, count: number): Reducer {
  const { ctx, b } = task;
  if (!from.quant || !to.quant) {
    if (from.dtype === 'f32' || to.dtype === 'f32')
      return realSum(task, from, to, (x) => div(x, constant(x.type, Math.fround(count))));
    return { state: 'i32', start: 0, step: add, finish: (x) => lanewise(x, (v) => div(v, i32(count))) };
  }
  const [least, greatest] = integerRange(to.dtype);
  const zero = to.quant.zeroPoint[0];
  const offset = from.quant.zeroPoint[0] * count;
  const centred = (x: Expr) => sub(x, constant(x.type, offset | 0));
  if (ctx.dialect === 'tflite') {
    const fixed = meanMultiplier(from.quant.scale[0], to.quant.scale[0], count);
    return {
      state: 'i32',
      start: 0,
      step: add,
      finish: (x) => {
        const q = multiplyFixed(b, centred(x), fixed);
        return clamp(add(q, constant(x.type, zero)), least, greatest);
      },
    };
  }
  const f = Math.fround;
  const scale = f(f(from.quant.scale[0]) / f(f(to.quant.scale[0]) * f(count)));
  return {
    state: 'i32',
    start: 0,
    step: add,
    finish: (x) => {
      const real = typeOf('f32', lanesOf(x.type));
      return multiplyFloat(centred(x), constant(real, scale), zero, least, greatest);
    },
  };
}

/** The multiplier and shift of src/arithmetic/quantised-mean.ts. */
function meanMultiplier(inputScale: number, outputScale: number, count: number) {
  const { multiplier, shift } = quantizeMultiplier(Math.fround(inputScale) / Math.fround(outputScale));
  const extra = Math.min(31 - Math.clz32(count), 32, 31 + shift);
  return {
    multiplier: Number((BigInt(multiplier) << BigInt(extra)) / BigInt(count)),
    shift: shift - extra,
  };
}

function sum(task: Task, from: ElementType, to: ElementType, count: number): Reducer {
  const { ctx, b } = task;
  if (from.dtype !== 'f32' && !from.quant && !to.quant)
    return { state: 'i32', start: 0, step: add, finish: (x) => cutTo(to.dtype, x) };
  if (ctx.dialect !== 'tflite' || !from.quant || !to.quant) return realSum(task, from, to);
  const fixed = quantizeMultiplier(Math.fround(from.quant.scale[0]) / Math.fround(to.quant.scale[0]));
  const offset = (from.quant.zeroPoint[0] * count) | 0;
  const zero = to.quant.zeroPoint[0];
  const [least, greatest] = integerRange(to.dtype);
  return {
    state: 'i32',
    start: 0,
    step: add,
    finish: (x) => {
      const q = multiplyFixed(b, sub(x, constant(x.type, offset)), fixed);
      return clamp(add(q, constant(x.type, zero)), least, greatest);
    },
  };
}

function extreme(task: Task, from: ElementType, to: ElementType, greatest: boolean): Reducer {
  const { ctx, b } = task;
  const real = from.dtype === 'f32';
  const [least, most] = real ? [-Infinity, Infinity] : integerRange(from.dtype);
  const same = sameType(from, to);
  return {
    state: real ? 'f32' : 'i32',
    start: greatest ? least : most,
    step: (best, v) => {
      if (!real) return (greatest ? max : min)(best, v);
      const x = b.let('x', v);
      // NaN stays once it came.
      const chosen = (greatest ? max : min)(best, x);
      return select(compare('ne', x, x), x, chosen);
    },
    finish: (best) => (same ? best : encode(to, ctx.dialect, decode(from, best))),
  };
}

function lanewise(x: Expr, f: (v: Expr) => Expr): Expr {
  const items = Array.from({ length: lanesOf(x.type) }, (_, i) => f(lane(x, i)));
  return vector(x.type, items);
}
