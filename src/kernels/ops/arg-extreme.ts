/** ArgMax and ArgMin. */
import type { ArgAttributes } from '../../ops/argmax.ts';
import { elementStrides } from '../../ops/move.ts';
import { reducedShape } from '../../ops/reduce-geometry.ts';
import { compare, convert, type Index, i32, index, load, modulo, or, over, plus, times } from '../builder.ts';
import { siteOf } from '../constants.ts';
import type { Expr } from '../ir.ts';
import type { OperatorKernels, Task } from '../kernel.ts';
import { addressOf, elementAt } from '../site.ts';

export const argKernels: readonly OperatorKernels[] = (['ArgMax', 'ArgMin'] as const).map((kind) => ({
  kind,
  write: (task) => write(task, kind === 'ArgMax' ? 'gt' : 'lt'),
}));

function write(task: Task, better: 'gt' | 'lt'): void {
  const { b, ctx, run } = task;
  const { axis, selectLast } = ctx.op.attrs as ArgAttributes;
  const { shape } = ctx.inputs[0]!;
  const x = siteOf(task, 0);
  const [y] = task.outputs;
  const strides = elementStrides(shape);
  const kept = reducedShape(shape, [axis], true);
  const outer = elementStrides(kept);
  const type = x.cell === 'f32' ? 'f32' : 'i32';
  const element = (e: Index): Expr => {
    const named = b.let('e', plus(e, 0));
    const at = addressOf(x, over(named, x.channels));
    return load(type, x.cell, elementAt(x, at, modulo(named, x.channels)));
  };
  b.for('p', run.lo, run.hi, 1, (p) => {
    const to = b.let('to', addressOf(y, p));
    b.for('c', 0, y.channels, 1, (c) => {
      const out = b.let('out', plus(times(p, y.channels), c));
      let first: Expr = index(0);
      for (let k = 0; k < shape.length; k++)
        if (kept[k] > 1) first = plus(first, times(modulo(over(out, outer[k]), kept[k]), strides[k]));
      const start = b.let('start', first);
      const best = b.variable('best', i32(0));
      const most = b.variable('most', element(start));
      b.for('k', 1, shape[axis], 1, (k) => {
        const v = b.let('v', element(plus(start, times(k, strides[axis]))));
        const wins = compare(better, v, most);
        b.if(selectLast ? or(wins, compare('eq', v, most)) : wins, () => {
          b.set(best, convert('i32', k));
          b.set(most, v);
        });
      });
      b.store('i32', elementAt(y, to, c), best);
    });
  });
}
