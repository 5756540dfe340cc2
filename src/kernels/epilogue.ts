/** A fused epilogue as a pass of its own over pixels just written, for kernels that do not apply it themselves. */
import { load } from './builder.ts';
import { overLanes, overLines } from './elements.ts';
import { stepsOf } from './finish.ts';
import { typeOf } from './ir.ts';
import type { Run, Task } from './kernel.ts';
import { cellOf, elementAt, type Site } from './site.ts';

/** Applies the operator's epilogue to pixels of its output, in place. */
export function writeEpilogue(task: Task, run: Run): void {
  const { b, ctx, machine } = task;
  const steps = ctx.op.epilogue!;
  const [to] = task.outputs;
  const before: Site = { ...to, cell: cellOf(steps[0].from) };
  const f = stepsOf(task, steps);
  overLines(b, [to], run, false, ({ addresses: [at], count }) => {
    overLanes(b, count, machine.lanes, (e, lanes) => {
      const type = typeOf(before.cell === 'f32' ? 'f32' : 'i32', lanes);
      const value = f(load(type, before.cell, elementAt(before, at, e)), e);
      b.store(to.cell, elementAt(to, at, e), value);
    });
  });
}
