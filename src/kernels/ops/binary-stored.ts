/** Functions of two bytes that have no arithmetic of their own here: a table of all 65,536 pairs. */
import { type ElementType, elementBytes, type TypedArray } from '../../graph/graph.ts';
import { evaluate } from '../../ops/evaluate.ts';
import { add, and, constant, convert, i32, lane, load, place, shl, vector } from '../builder.ts';
import { unsupported } from '../finish.ts';
import { type Cell, type Expr, isVector, lanesOf, typeOf } from '../ir.ts';
import type { Task } from '../kernel.ts';
import { cellOf } from '../site.ts';

/** The function as a table, made by the reference kernel. */
export function storedPair(task: Task, to: ElementType): (a: Expr, b: Expr) => Expr {
  const { ctx, b } = task;
  const [x, y] = ctx.inputs;
  if (elementBytes(x!) !== 1 || elementBytes(y!) !== 1) throw unsupported(ctx, `${x!.dtype} and ${y!.dtype}`);
  const table = tableOf(task, to);
  const cell: Cell = cellOf(to);
  const region = task.module.constant(`${ctx.op.name} pairs`, table);
  const scalar = cell === 'f32' ? 'f32' : 'i32';
  const byte = (v: Expr) => and(v, constant(v.type, 255));
  const one = (p: Expr, q: Expr) => {
    const entry = b.natural('entry', convert('index', add(shl(byte(p), i32(8)), byte(q))));
    const size = table.BYTES_PER_ELEMENT;
    const at: Expr =
      size === 1 ? entry : { kind: 'binary', type: 'index', op: 'mul', a: entry, b: constant('index', size) };
    return load(scalar, cell, place(region, at));
  };
  return (p, q) => {
    if (!isVector(p.type)) return one(p, q);
    const lanes = lanesOf(p.type);
    const items = Array.from({ length: lanes }, (_, i) => b.let('pair', one(lane(p, i), lane(q, i))));
    return vector(typeOf(scalar, lanes), items);
  };
}

function tableOf({ ctx }: Task, to: ElementType): TypedArray {
  const shape = [65536];
  const [x, y] = ctx.inputs;
  const all = (type: ElementType, at: (i: number) => number) => {
    const values = type.dtype === 'i8' ? new Int8Array(65536) : new Uint8Array(65536);
    for (let i = 0; i < 65536; i++) values[i] = at(i);
    return values;
  };
  const bare = {
    ...ctx,
    op: { ...ctx.op, epilogue: undefined },
    inputs: [
      { ...x!, shape, constant: undefined },
      { ...y!, shape, constant: undefined },
    ],
    outputs: [{ ...ctx.outputs[0], ...to, shape }],
  };
  return evaluate(bare, [all(x!, (i) => i >> 8), all(y!, (i) => i & 255)])[0];
}
