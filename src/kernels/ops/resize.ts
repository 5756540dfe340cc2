/** Resize: nearest neighbours are moved; all else is a sum of a few samples with weights from tables. */
import { coreOutputType } from '../../ops/core-type.ts';
import type { OpContext } from '../../ops/operator.ts';
import { isFixed, samplesFor } from '../../ops/resize.ts';
import type { ResizeAttributes, Samples } from '../../ops/resize-axis.ts';
import { integerRange } from '../../ops/stored.ts';
import { clamp } from '../arithmetic.ts';
import {
  add,
  compare,
  constant,
  convert,
  div,
  f32,
  i32,
  i64,
  lane,
  load,
  mul,
  over,
  place,
  plus,
  select,
  splat,
  sub,
  times,
  vector,
} from '../builder.ts';
import { type decode, encode } from '../coding.ts';
import { siteOf } from '../constants.ts';
import { overLanes } from '../elements.ts';
import { type Expr, lanesOf, type Region, typeOf } from '../ir.ts';
import type { OperatorKernels, Task } from '../kernel.ts';
import { overRows } from '../rows.ts';
import { addressOf, elementAt } from '../site.ts';
import { writeNearest } from './movement.ts';

export const resizeKernels: OperatorKernels = {
  kind: 'Resize',
  write(task) {
    const ctx = task.ctx as OpContext<ResizeAttributes>;
    if (ctx.op.attrs.mode === 'nearest') writeNearest(task);
    else writeWeighted(task, ctx);
  },
};

/** Samples of one direction as constants: where each output's begin, their inputs, their weights. */
interface SampleTables {
  readonly starts: Region;
  readonly inputs: Region;
  readonly weights: Region;
}

function tablesOf(task: Task, samples: readonly Samples[], fixed: boolean): SampleTables {
  const starts = new Int32Array(samples.length + 1);
  samples.forEach((s, o) => {
    starts[o + 1] = starts[o] + s.inputs.length;
  });
  const weights = samples.flatMap((s) => s.weights);
  const { name } = task.ctx.op;
  return {
    starts: task.module.constant(`${name} starts`, starts),
    inputs: task.module.constant(`${name} inputs`, Int32Array.from(samples.flatMap((s) => s.inputs))),
    weights: task.module.constant(
      `${name} weights`,
      fixed ? Int32Array.from(weights) : Float32Array.from(weights),
    ),
  };
}

function writeWeighted(task: Task, ctx: OpContext<ResizeAttributes>): void {
  const { b, machine } = task;
  const fixed = isFixed(ctx);
  const [rows, columns] = samplesFor(ctx);
  const [, height, width] = ctx.inputs[0]!.shape;
  const site = siteOf(task, 0);
  const [to] = task.outputs;
  const down = tablesOf(task, rows, fixed);
  const across = tablesOf(task, columns, fixed);
  const entry = (table: Region, i: Expr) => convert('index', load('i32', 'i32', place(table, times(i, 4))));
  const wide = fixed && site.cell === 'i16';
  const lanes = wide ? 1 : machine.lanes;
  const weight = (table: Region, i: Expr) =>
    fixed ? load('i32', 'i32', place(table, times(i, 4))) : load('f32', 'f32', place(table, times(i, 4)));
  const finish = fixed ? fixedOutput(b) : weightedOutput(task);
  const pictures = ctx.inputs[0]!.shape[0] > 1;

  overRows(b, task.run, columns.length, ({ row, from, to: end }) => {
    const oy = pictures ? b.let('oy', sub(row, times(over(row, rows.length), rows.length))) : row;
    const firstRow = pictures ? b.let('picture', times(over(row, rows.length), height)) : plus(0, 0);
    b.for('x', from, end, 1, (ox) => {
      const out = b.let('to', addressOf(to, plus(times(row, columns.length), ox)));
      overLanes(b, to.channels, lanes, (c, n) => {
        const real = fixed ? 'i32' : 'f32';
        const sum = b.variable('sum', wide ? i64(0) : constant(typeOf(real, n), 0));
        b.for('i', entry(across.starts, ox), entry(across.starts, plus(ox, 1)), 1, (i) => {
          const ix = b.let('ix', entry(across.inputs, i));
          const wx = b.let('wx', weight(across.weights, i));
          b.for('j', entry(down.starts, oy), entry(down.starts, plus(oy, 1)), 1, (j) => {
            const iy = plus(firstRow, entry(down.inputs, j));
            const at = b.let('at', addressOf(site, plus(times(iy, width), ix)));
            const wy = b.let('wy', weight(down.weights, j));
            const stored = load(
              typeOf(site.cell === 'f32' ? 'f32' : 'i32', n),
              site.cell,
              elementAt(site, at, c),
            );
            if (wide) {
              b.set(sum, add(sum, mul(convert('i64', stored), convert('i64', mul(wx, wy)))));
            } else if (fixed) {
              b.set(sum, add(sum, mul(stored, splat(stored.type, mul(wx, wy)))));
            } else {
              const type = typeOf('f32', n);
              const value = convert(type, stored);
              b.set(sum, add(sum, mul(mul(value, splat(type, wy)), splat(type, wx))));
            }
          });
        });
        b.store(to.cell, elementAt(to, out, c), finish(sum));
      });
    });
  });
}

/** Products of two weights with 10 fractional bits, rounded once, ties away from zero. */
function fixedOutput(b: Task['b']): (sum: Expr) => Expr {
  const half = 2 ** 19;
  return (sum) => {
    if (sum.type === 'i64') {
      const shifted = select(compare('gt', sum, i64(0)), add(sum, i64(half)), sub(sum, i64(half)));
      return convert('i32', div(shifted, i64(2 ** 20)));
    }
    const items = Array.from({ length: lanesOf(sum.type) }, (_, l) => {
      const one = b.let('one', lane(sum, l));
      const shifted = select(compare('gt', one, i32(0)), add(one, i32(half)), sub(one, i32(half)));
      return div(shifted, i32(2 ** 20));
    });
    return vector(sum.type, items);
  };
}

/** From a weighted mean of stored values to the output (src/ops/resize.ts). */
function weightedOutput(task: Task): (mean: Expr) => Expr {
  const { ctx } = task;
  const from = ctx.inputs[0]!;
  const to = coreOutputType(ctx.op.epilogue, ctx.outputs[0]);
  if (from.dtype === 'f32') return (mean) => mean;
  const [least, greatest] = integerRange(to.dtype);
  const cut = (x: Expr) => clamp(convert(typeOf('i32', lanesOf(x.type)), x), least, greatest);
  if (ctx.dialect === 'tflite') return (mean) => cut(add(mean, splat(mean.type, f32(0.5))));
  if (!to.quant) return cut;
  return (mean) => encode(to, ctx.dialect, decodeMean(from, mean));
}

/** (mean - zeroPoint) * scale of a mean of stored values. */
function decodeMean(from: Parameters<typeof decode>[0], mean: Expr): Expr {
  if (!from.quant) return mean;
  const { scale, zeroPoint } = from.quant;
  const at = (v: number) => constant(mean.type, Math.fround(v));
  return mul(sub(mean, at(zeroPoint[0])), at(scale[0]));
}
