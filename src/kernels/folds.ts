/** Folds: accumulators in working memory take the input run by run, and are finished when the last run is in. */
import { elementCount } from '../graph/graph.ts';
import { compareIndex, constant, type Index, load, place, plus, times } from './builder.ts';
import { siteOf } from './constants.ts';
import { overLanes } from './elements.ts';
import { type Expr, typeOf } from './ir.ts';
import type { Task } from './kernel.ts';
import { addressOf, elementAt } from './site.ts';

export interface Folding {
  readonly state: 'f32' | 'i32';
  readonly start: number;
  /** Scalars or lanes. */
  step(accumulator: Expr, stored: Expr): Expr;
  /** What is stored for an accumulator of channel `channel` (and the next, where it has lanes). */
  finish(accumulator: Expr, channel: Expr): Expr;
  /** The output element that channel 0 of an input pixel goes into. */
  target(pixel: Expr): Expr;
  /** True where channel c goes c elements further; else all channels go into one. */
  readonly byChannel: boolean;
}

/** One firing. */
export function writeFold(task: Task, { state, start, step, finish, target, byChannel }: Folding): void {
  const { b, ctx, run, machine, scratch } = task;
  const [y] = task.outputs;
  const x = siteOf(task, 0);
  const total = elementCount(ctx.outputs[0].shape);
  const stateAt = (e: Index) => place(scratch!.region, plus(times(e, 4), scratch!.offset));
  b.if(compareIndex('eq', run.lo, 0), () => {
    overLanes(b, total, machine.lanes, (e, lanes) =>
      b.store(state, stateAt(e), constant(typeOf(state, lanes), start)),
    );
  });
  b.for('p', run.lo, run.hi, 1, (p) => {
    const at = b.let('at', addressOf(x, p));
    const first = b.let('target', target(p));
    overLanes(b, x.channels, byChannel ? machine.lanes : 1, (c, lanes) => {
      const e = byChannel ? plus(first, c) : first;
      const type = typeOf(x.cell === 'f32' ? 'f32' : 'i32', lanes);
      const sum = load(typeOf(state, lanes), state, stateAt(e));
      b.store(state, stateAt(e), step(sum, load(type, x.cell, elementAt(x, at, c))));
    });
  });
  b.if(compareIndex('eq', run.hi, run.total), () => {
    b.for('p', 0, y.pixels, 1, (p) => {
      const to = b.let('to', addressOf(y, p));
      overLanes(b, y.channels, machine.lanes, (c, lanes) => {
        const sum = b.let('sum', load(typeOf(state, lanes), state, stateAt(plus(times(p, y.channels), c))));
        b.store(y.cell, elementAt(y, to, c), finish(sum, c));
      });
    });
  });
}
