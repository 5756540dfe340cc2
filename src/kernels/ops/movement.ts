/**
 * Operators that only move elements. Where each output element comes from is learnt by running the reference kernel
 * on an input that holds its own indices; a sum of one table an axis then says it in little space.
 */

import { allocate, type ElementType, elementCount, type Tensor } from '../../graph/graph.ts';
import { requantiser as concatRequantiser } from '../../ops/concat-requantise.ts';
import { coreOutputType } from '../../ops/core-type.ts';
import { evaluate } from '../../ops/evaluate.ts';
import type { OpContext } from '../../ops/operator.ts';
import { requantiser } from '../../ops/requantiser.ts';
import { quantiser } from '../../ops/stored.ts';
import {
  compareIndex,
  constant,
  convert,
  i32,
  index,
  known,
  load,
  modulo,
  over,
  place,
  plus,
  times,
} from '../builder.ts';
import { constantSite } from '../constants.ts';
import { overLanes } from '../elements.ts';
import { type Finish, tabled } from '../finish.ts';
import { type Expr, typeOf } from '../ir.ts';
import type { OperatorKernels, Task } from '../kernel.ts';
import { addressOf, byteOf, elementAt, isContiguous, type Site } from '../site.ts';
import { writeGather, writeGatherND } from './gather.ts';
import { type AxisTable, separate } from './separate.ts';

/** Kinds of one input whose elements move unchanged. */
const MOVES = [
  'Reshape',
  'Slice',
  'Pad',
  'Transpose',
  'ChannelShuffle',
  'Tile',
  'Expand',
  'Gather',
  'GatherND',
  'SpaceToBatch',
  'BatchToSpace',
  'SpaceToDepth',
  'DepthToSpace',
];

const move = (kind: string): OperatorKernels => ({
  kind,
  write(task) {
    const listed = task.ctx.inputs.slice(1).some((t) => t && !t.constant);
    if (listed && kind === 'Gather') return writeGather(task);
    if (listed && kind === 'GatherND') return writeGatherND(task);
    const to = coreOutputType(task.ctx.op.epilogue, task.ctx.outputs[0]);
    writeMoves(task, 0, fillOf(task.ctx, to), (x) => x);
  },
});

const concat: OperatorKernels = {
  kind: 'Concat',
  write(task) {
    const { ctx } = task;
    const to = coreOutputType(ctx.op.epilogue, ctx.outputs[0]);
    ctx.inputs.forEach((part, i) => {
      const f = concatRequantiser(part!, to, ctx.dialect);
      writeMoves(task, i, undefined, f ? changed(task, part!, to, f) : (x) => x);
    });
  },
};

export const movementKernels: readonly OperatorKernels[] = [...MOVES.map(move), concat];

/** Resize by nearest neighbours; ops/resize.ts calls it. */
export function writeNearest(task: Task): void {
  const { ctx } = task;
  const to = coreOutputType(ctx.op.epilogue, ctx.outputs[0]);
  const from = ctx.inputs[0]!;
  const f = requantiser(from, to, ctx.dialect);
  writeMoves(task, 0, undefined, f && from.dtype !== 'i32' ? changed(task, from, to, f) : (x) => x);
}

function changed(task: Task, from: ElementType, to: ElementType, f: (q: number) => number): Finish {
  return tabled(task, from, to, f);
}

/** Stored value of output elements that come from nowhere. */
function fillOf({ op, dialect }: OpContext, to: ElementType): number {
  if (op.kind === 'Pad') return quantiser(to, dialect)(Math.fround(Number(op.attrs.value)));
  return to.quant?.zeroPoint[0] ?? 0;
}

/** Source element of each output element in one input; -1 where it comes from elsewhere. */
function sourcesOf(ctx: OpContext, input: number): Int32Array {
  const plain = (t: Tensor): Tensor => ({ ...t, dtype: 'i32', quant: undefined });
  const data = ctx.op.kind === 'Concat' ? ctx.inputs.map((_, i) => i) : [0];
  const inputs = ctx.inputs.map((t, i) => (t && data.includes(i) ? plain({ ...t, constant: undefined }) : t));
  const bare: OpContext = {
    ...ctx,
    op: { ...ctx.op, epilogue: undefined },
    inputs,
    outputs: ctx.outputs.map(plain),
  };
  const run = (offset: number) => {
    const values = inputs.map((t, i) => {
      if (!t || !data.includes(i)) return t?.constant?.load();
      const v = allocate('i32', elementCount(t.shape));
      if (i === input) for (let e = 0; e < v.length; e++) v[e] = e + offset;
      return v;
    });
    return evaluate(bare, values)[0] as Int32Array;
  };
  // What does not follow when all indices move is a fill.
  const first = run(0);
  const second = run(2 ** 29);
  return first.map((e, i) => (second[i] - e === 2 ** 29 ? e : -1));
}

/** Copies what an input gives to the output's run; elements from nowhere get `fill`, or are left where it is undefined. */
export function writeMoves(task: Task, input: number, fill: number | undefined, change: Finish): void {
  const { b, ctx, run, machine } = task;
  const [to] = task.outputs;
  const shape = ctx.outputs[0].shape.length === 0 ? [1] : ctx.outputs[0].shape;
  if (elementCount(shape) === 0) return;
  const from = task.inputs[input] ?? constantSite(task, input);
  const sources = sourcesOf(ctx, input);
  const tables = separate(sources, shape);
  if (!tables) {
    writeListed(task, from, sources, fill, change);
    return;
  }
  const outer = tables.slice(0, -1);
  const last = tables[tables.length - 1];
  const type = (lanes: number) => typeOf(scalar(to), lanes);
  b.for('p', run.lo, run.hi, 1, (p) => {
    const at = b.let('to', addressOf(to, p));
    const filling = (first: number, end: number) => {
      if (fill === undefined) return;
      overLanes(b, end - first, machine.lanes, (e, n) => {
        b.store(to.cell, elementAt(to, at, plus(e, first)), constant(type(n), fill));
      });
    };
    const { exists, parts } = outerParts(task, outer, p);
    const copy = () => {
      filling(0, last.first);
      const start = b.let(
        'source',
        parts.reduce<Expr>((sum, x) => plus(sum, x), index(0)),
      );
      const row = rowReader(task, from, outer, last, start);
      overLanes(b, last.end - last.first, row.joined ? machine.lanes : 1, (e, n) => {
        const channel = plus(e, last.first);
        b.store(to.cell, elementAt(to, at, channel), change(row.read(e, n), channel));
      });
      filling(last.end, last.size);
    };
    b.if(exists, copy, () => filling(0, last.size));
  });
}

const scalar = (site: Site) => (site.cell === 'f32' ? 'f32' : 'i32');

/** What the axes but the last add to the source of pixel p, and whether all of them have one. */
function outerParts(task: Task, outer: readonly AxisTable[], p: Expr) {
  const { b } = task;
  let exists: Expr = i32(1);
  let inner = 1;
  const parts: Expr[] = [];
  for (let k = outer.length - 1; k >= 0; k--) {
    const { size } = outer[k];
    const wraps = outer.slice(0, k).some((t) => t.size > 1);
    const coordinate = size === 1 ? index(0) : wraps ? modulo(over(p, inner), size) : over(p, inner);
    inner *= size;
    const value = b.let('part', lookUp(task, outer[k], b.let('c', coordinate)));
    if (outer[k].holes) exists = both(exists, compareIndex('ge', value, 0));
    parts.push(value);
  }
  return { exists, parts };
}

/** Reads element e of the last axis' sources, several at once where `joined`. */
function rowReader(task: Task, from: Site, outer: readonly AxisTable[], last: AxisTable, start: Expr) {
  const { b } = task;
  const type = (lanes: number) => typeOf(scalar(from), lanes);
  const dense = isContiguous(from) && from.first === undefined;
  const element = (e: Expr) =>
    last.step === undefined
      ? plus(start, lookUp(task, last, plus(e, last.first)))
      : plus(start, plus(times(e, last.step), last.start));
  if (dense) {
    const first = byteOf(from, 0);
    return {
      joined: last.step === 1,
      read: (e: Expr, n: number) =>
        load(type(n), from.cell, place(from.region, plus(times(element(e), from.cellBytes), first))),
    };
  }
  // Sums of remainders that stay below a pixel's channels stay in one pixel.
  const { channels } = from;
  const most = (t: AxisTable) => t.values.reduce((n, v) => Math.max(n, v < 0 ? 0 : v % channels), 0);
  const span = outer.reduce((sum, t) => sum + most(t), last.start % channels) + last.end - last.first;
  if (last.step === 1 && span <= channels) {
    const first = b.let('first', plus(start, last.start));
    const pixel = addressOf(from, over(first, channels));
    const at = b.let('from', plus(pixel, times(modulo(first, channels), from.cellBytes)));
    return { joined: true, read: (e: Expr, n: number) => load(type(n), from.cell, elementAt(from, at, e)) };
  }
  return {
    joined: false,
    read: (e: Expr, n: number) => {
      const named = b.let('element', element(e));
      const pixel = addressOf(from, over(named, channels));
      return load(type(n), from.cell, elementAt(from, pixel, modulo(named, channels)));
    },
  };
}

/** Every element's source from one long table. */
function writeListed(
  task: Task,
  from: Site,
  sources: Int32Array,
  fill: number | undefined,
  change: Finish,
): void {
  const { b, run } = task;
  const [to] = task.outputs;
  const list = task.module.constant(`${task.ctx.op.name} sources`, sources);
  b.for('p', run.lo, run.hi, 1, (p) => {
    const at = b.let('to', addressOf(to, p));
    b.for('c', 0, to.channels, 1, (c) => {
      const e = b.let(
        'e',
        convert('index', load('i32', 'i32', place(list, times(plus(times(p, to.channels), c), 4)))),
      );
      const store = (value: Expr) => b.store(to.cell, elementAt(to, at, c), value);
      const copy = () => {
        const pixel = addressOf(from, over(e, from.channels));
        const place = elementAt(from, pixel, modulo(e, from.channels));
        store(change(load(scalar(from), from.cell, place), c));
      };
      b.if(compareIndex('ge', e, 0), copy, () => {
        if (fill !== undefined) store(constant(scalar(to), fill));
      });
    });
  });
}

function both(a: Expr, b: Expr): Expr {
  return a.kind === 'const' && a.value === 1 ? b : { kind: 'binary', type: 'i32', op: 'and', a, b };
}

/** A table's value at a coordinate. */
function lookUp(task: Task, table: AxisTable, c: Expr): Expr {
  const at = known(c);
  if (at !== undefined) return index(table.values[at]);
  if (table.step !== undefined && !table.holes) return plus(times(c, table.step), table.start);
  const region = task.module.constant(`${task.ctx.op.name} sources`, table.values);
  return convert('index', load('i32', 'i32', place(region, times(c, 4))));
}
