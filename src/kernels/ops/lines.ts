/** Operators that treat each line along one axis by itself: softmaxes, Hardmax, LpNormalization. */
import { type ElementType, elementCount } from '../../graph/graph.ts';
import { coreOutputType } from '../../ops/core-type.ts';
import {
  add,
  compare,
  compareIndex,
  convert,
  div,
  f32,
  greatest,
  type Index,
  i32,
  least,
  load,
  max,
  minus,
  modulo,
  mul,
  over,
  plus,
  select,
  sub,
  times,
  unary,
} from '../builder.ts';
import { decode, encode } from '../coding.ts';
import { siteOf } from '../constants.ts';
import { unsupported } from '../finish.ts';
import type { Expr } from '../ir.ts';
import type { OperatorKernels, Task } from '../kernel.ts';
import { realFunction } from '../real-functions.ts';
import { addressOf, elementAt } from '../site.ts';
import { fixedPointSoftmax } from './softmax-fixed-point.ts';

/** Looks at a whole line (element i by `read`, stored), then maps its elements one by one. */
export type Line = (read: (i: Index) => Expr, length: number) => (value: Expr, i: Index) => Expr;

type MakeLine = (task: Task, from: ElementType, to: ElementType) => Line;

const kinds: Record<string, MakeLine> = {
  Softmax(task, from, to) {
    if (task.ctx.dialect === 'tflite' && from.quant && to.quant) return fixedPointSoftmax(task, from, to);
    return realLine(task, from, to, (read, length) => {
      const { power, sum } = exponentials(task, read, length);
      return (x) => div(power(x), sum);
    });
  },
  LogSoftmax: (task, from, to) =>
    realLine(task, from, to, (read, length) => {
      const { shifted, sum } = exponentials(task, read, length);
      const log = task.b.let('log', convert('f32', realFunction(task, 'log', convert('f64', sum))));
      return (x) => sub(shifted(x), log);
    }),
  Hardmax: (task, from, to) =>
    realLine(task, from, to, (read, length) => {
      const { b } = task;
      const best = b.variable('best', i32(0));
      const most = b.variable('most', read(0));
      b.for('i', 1, length, 1, (i) => {
        const v = b.let('v', read(i));
        b.if(compare('gt', v, most), () => {
          b.set(most, v);
          b.set(best, convert('i32', i));
        });
      });
      return (_x, i) => select(compare('eq', convert('i32', plus(i, 0)), best), f32(1), f32(0));
    }),
  LpNormalization(task, from, to) {
    const { b, ctx } = task;
    const squares = ctx.op.attrs.p === 2;
    const tflite = ctx.dialect === 'tflite';
    if (tflite && squares && from.quant && to.quant) throw unsupported(ctx, 'its integer form');
    return realLine(task, from, to, (read, length) => {
      const sum = b.variable('sum', f32(0));
      b.for('i', 0, length, 1, (i) => {
        const v = b.let('v', read(i));
        b.set(sum, add(sum, squares ? mul(v, v) : unary('abs', v)));
      });
      const root = squares ? unary('sqrt', sum) : sum;
      const norm = b.let('norm', tflite ? max(root, f32(1e-6)) : root);
      return (x) => select(compare('eq', norm, f32(0)), f32(0), div(x, norm));
    });
  },
};

export const lineKernels: readonly OperatorKernels[] = Object.entries(kinds).map(([kind, make]) => ({
  kind,
  write: (task) => writeLines(task, make),
}));

/** A line of real numbers, with stored values decoded before it and encoded after it. */
function realLine(task: Task, from: ElementType, to: ElementType, line: Line): Line {
  return (read, length) => {
    const map = line((i) => decode(from, read(i)), length);
    return (value, i) => encode(to, task.ctx.dialect, task.b.let('r', map(decode(from, value), i)));
  };
}

/** The greatest of a line, x less it times beta, e to that, and the sum of those in ascending order. */
function exponentials(task: Task, read: (i: Index) => Expr, length: number) {
  const { b, ctx } = task;
  const beta = Math.fround(Number(ctx.op.attrs.beta));
  const most = b.variable('most', f32(-Infinity));
  b.for('i', 0, length, 1, (i) => {
    const v = b.let('v', read(i));
    b.set(most, select(compare('ne', v, v), v, max(most, v)));
  });
  const shifted = (x: Expr) => mul(sub(x, most), f32(beta));
  const power = (x: Expr) =>
    b.let('power', convert('f32', realFunction(task, 'exp', convert('f64', shifted(x)))));
  const sum = b.variable('sum', f32(0));
  b.for('i', 0, length, 1, (i) => b.set(sum, add(sum, power(read(i)))));
  return { shifted, power, sum };
}

function writeLines(task: Task, make: MakeLine): void {
  const { b, ctx, run } = task;
  const { shape } = ctx.inputs[0]!;
  const axis = Number(ctx.op.attrs.axis);
  const x = siteOf(task, 0);
  const [y] = task.outputs;
  const line = make(task, ctx.inputs[0]!, coreOutputType(ctx.op.epilogue, ctx.outputs[0]));
  const type = x.cell === 'f32' ? 'f32' : 'i32';
  const at = (address: Expr, c: Index) => load(type, x.cell, elementAt(x, address, c));
  if (axis === Math.max(0, shape.length - 1)) {
    b.for('p', run.lo, run.hi, 1, (p) => {
      const i = b.let('at', addressOf(x, p));
      const o = b.let('to', addressOf(y, p));
      const map = line((c) => at(i, c), x.channels);
      b.for('c', 0, x.channels, 1, (c) => b.store(y.cell, elementAt(y, o, c), map(b.let('x', at(i, c)), c)));
    });
    return;
  }
  const length = shape[axis];
  const inner = elementCount(shape.slice(axis + 1, -1));
  b.for('p', run.lo, run.hi, 1, (p) => {
    const along = b.let('along', modulo(over(p, inner), length));
    // A line is treated at its first pixel in the run.
    const first = select(compareIndex('eq', along, 0), i32(1), compareIndex('lt', minus(p, inner), run.lo));
    b.if(first, () => {
      const start = b.let('start', minus(p, times(along, inner)));
      const end = b.let('end', least(run.hi, greatest(plus(start, length * inner), 0)));
      b.for('c', 0, x.channels, 1, (c) => {
        const map = line((k) => at(addressOf(x, plus(start, times(k, inner))), c), length);
        b.for('q', p, end, inner, (q) => {
          const k = b.let('k', over(minus(q, start), inner));
          const value = b.let('x', at(addressOf(x, q), c));
          b.store(y.cell, elementAt(y, addressOf(y, q), c), map(value, k));
        });
      });
    });
  });
}
