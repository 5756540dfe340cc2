/** MatMul of two tensors, of which either may be computed at run time. */
import { type MatMulAttributes, operandMatrices, productOf } from '../../ops/mat-mul.ts';
import { weightZeros } from '../../ops/weight-zeros.ts';
import {
  add,
  constant,
  convert,
  i64,
  index,
  load,
  mul,
  mulAdd,
  place,
  plus,
  splat,
  sub,
  times,
} from '../builder.ts';
import { channelData } from '../channel-data.ts';
import { siteOf } from '../constants.ts';
import { overLanes } from '../elements.ts';
import { finishProducts } from '../finish.ts';
import { type Expr, type Type, typeOf } from '../ir.ts';
import type { OperatorKernels } from '../kernel.ts';
import { byteOf, type Site } from '../site.ts';

export const matMulKernels: OperatorKernels = {
  kind: 'MatMul',
  fused: true,
  write(task) {
    const { b, ctx, machine } = task;
    const attrs = ctx.op.attrs as MatMulAttributes;
    const { rows, columns, depth, batch } = productOf(ctx.inputs, attrs);
    const ofA = operandMatrices(batch, ctx.inputs[0]!.shape);
    const ofB = operandMatrices(batch, ctx.inputs[1]!.shape);
    const [rowA, stepA] = attrs.transposeA ? [1, rows] : [depth, 1];
    const [columnB, stepB] = attrs.transposeB ? [depth, 1] : [1, columns];
    const [left, right] = [siteOf(task, 0), siteOf(task, 1)];
    const [to] = task.outputs;
    const float = ctx.inputs[0]!.dtype === 'f32';
    const wide = ctx.inputs[0]!.dtype === 'i16';
    const zeroA = ctx.inputs[0]!.quant?.zeroPoint[0] ?? 0;
    const zerosB = channelData(task, `${ctx.op.name} zeros`, weightZeros(ctx.inputs[1]!, columns));
    const finish = finishProducts(task, columns);
    const matrixOf = (list: Int32Array, i: Expr) => {
      if (list.every((m) => m === 0)) return index(0);
      if (list.every((m, k) => m === k)) return i;
      const region = task.module.constant(`${ctx.op.name} matrices`, list);
      return convert('index', load('i32', 'i32', place(region, times(i, 4))));
    };
    const element = (site: Site, type: Type, e: Expr) =>
      load(type, site.cell, place(site.region, plus(times(e, site.cellBytes), byteOf(site, 0))));
    b.for('matrix', 0, ofA.length, 1, (matrix) => {
      const a0 = b.let('a', times(matrixOf(ofA, matrix), rows * depth));
      const b0 = b.let('b', times(matrixOf(ofB, matrix), depth * columns));
      b.for('row', 0, rows, 1, (row) => {
        overLanes(b, columns, columnB === 1 && !wide ? machine.lanes : 1, (n, lanes) => {
          const type: Type = wide ? 'i64' : typeOf(float ? 'f32' : 'i32', lanes);
          const sum = b.variable('sum', wide ? i64(0) : constant(type, 0));
          const zero = float || wide ? undefined : b.let('zero', zerosB(type, n));
          const from = b.let('from', plus(a0, times(row, rowA)));
          const first = b.let('first', plus(b0, times(n, columnB)));
          b.for('k', 0, depth, 1, (k) => {
            const x = element(left, wide ? 'i64' : float ? 'f32' : 'i32', plus(from, times(k, stepA)));
            const y = element(right, type, plus(first, times(k, stepB)));
            if (float) b.set(sum, mulAdd(splat(type, b.let('x', x)), y, sum));
            else if (wide) {
              const zb = convert('i64', zerosB('i32', n));
              b.set(sum, add(sum, mul(sub(x, i64(zeroA)), sub(y, zb))));
            } else {
              const centred = b.let('x', sub(x, constant('i32', zeroA)));
              b.set(sum, add(sum, mul(splat(type, centred), sub(y, zero!))));
            }
          });
          const out = plus(times(plus(times(matrix, rows), row), columns), n);
          const at = plus(times(out, to.cellBytes), byteOf(to, 0));
          b.store(to.cell, place(to.region, at), finish(sum, n));
        });
      });
    });
  },
};
