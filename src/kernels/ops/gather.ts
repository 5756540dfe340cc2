/** Gather and GatherND whose indices are computed at run time. What lies outside is held at the ends. */
import { channelsOf, elementCount } from '../../graph/graph.ts';
import { elementStrides } from '../../ops/move.ts';
import {
  compareIndex,
  convert,
  greatest,
  type Index,
  index,
  least,
  load,
  modulo,
  over,
  plus,
  select,
  times,
} from '../builder.ts';
import { siteOf } from '../constants.ts';
import type { Expr } from '../ir.ts';
import type { Task } from '../kernel.ts';
import { addressOf, elementAt, type Site } from '../site.ts';

/** Copies each element of the run from where `sourceOf` says. */
function writeElements(task: Task, sourceOf: (e: Expr) => Expr): void {
  const { b, run } = task;
  const x = siteOf(task, 0);
  const [y] = task.outputs;
  b.for('p', run.lo, run.hi, 1, (p) => {
    const to = b.let('to', addressOf(y, p));
    b.for('c', 0, y.channels, 1, (c) => {
      const e = b.let('e', plus(times(p, y.channels), c));
      b.store(y.cell, elementAt(y, to, c), element(task, x, sourceOf(e)));
    });
  });
}

function element({ b }: Task, site: Site, e: Index): Expr {
  const at = b.let('element', plus(e, 0));
  const pixel = addressOf(site, over(at, site.channels));
  return load(
    site.cell === 'f32' ? 'f32' : 'i32',
    site.cell,
    elementAt(site, pixel, modulo(at, site.channels)),
  );
}

/** An index from 0 on and inside an axis; negative ones count from the end. */
function inside(task: Task, value: Expr, length: number): Expr {
  const given = task.b.let('given', convert('index', value));
  const positive = select(compareIndex('lt', given, 0), plus(given, length), given);
  return least(greatest(positive, 0), length - 1);
}

export function writeGather(task: Task): void {
  const { ctx, b } = task;
  const { shape } = ctx.inputs[0]!;
  const axis = Number(ctx.op.attrs.axis);
  const inner = elementCount(shape.slice(axis + 1));
  const count = elementCount(ctx.inputs[1]!.shape);
  const which = siteOf(task, 1);
  writeElements(task, (e) => {
    const slice = b.let('slice', over(e, inner));
    const taken = inside(task, element(task, which, modulo(slice, count)), shape[axis]);
    const block = plus(times(over(slice, count), shape[axis]), taken);
    return plus(times(block, inner), modulo(e, inner));
  });
}

export function writeGatherND(task: Task): void {
  const { ctx, b } = task;
  const { shape } = ctx.inputs[0]!;
  const depth = channelsOf(ctx.inputs[1]!.shape);
  const strides = elementStrides(shape);
  const inner = elementCount(shape.slice(depth));
  const which = siteOf(task, 1);
  writeElements(task, (e) => {
    const row = b.let('row', times(over(e, inner), depth));
    let start: Expr = index(0);
    for (let k = 0; k < depth; k++)
      start = plus(start, times(inside(task, element(task, which, plus(row, k)), shape[k]), strides[k]));
    return plus(start, modulo(e, inner));
  });
}
