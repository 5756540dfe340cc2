/** The inner loops of products by type: what a sum is, how weights are packed, and how a run of elements is added. */

import type { TypedArray } from '../../graph/graph.ts';
import {
  add,
  after,
  constant,
  type Index,
  i32,
  known,
  load,
  minus,
  modulo,
  mul,
  mulAdd,
  plus,
  splat,
  sub,
  times,
  type Variable,
} from '../builder.ts';
import { siteOf } from '../constants.ts';
import { unsupported } from '../finish.ts';
import { type Cell, cellBytes, type Expr, type Place, type Type, typeOf } from '../ir.ts';
import type { Task } from '../kernel.ts';
import { pairAdder } from './pair-products.ts';
import { quadAdder } from './quad-products.ts';

/** The arithmetic of one type: what a sum is, and how a run of elements is added. */
export interface Arithmetic {
  readonly sum: Type;
  readonly cell: Cell;
  /** Elements that lie together in the packed weights. */
  readonly pack: 1 | 2 | 4;
  /** Zero point of the input that `add` leaves in. */
  readonly zero?: number;
  add(sums: readonly Variable[][], pixels: readonly Place[], weights: Place, count: Index): void;
}

export function arithmeticOf(task: Task, lanes: number, values: TypedArray, depth: number): Arithmetic {
  const { ctx, machine } = task;
  const x = ctx.inputs[0]!;
  if (x.dtype === 'f32') return floatArithmetic(task, lanes);
  const cell = values instanceof Int8Array ? 'i8' : fits(values) ? 'i8' : 'i16';
  if (x.dtype === 'i16') return scalarArithmetic(task, 'i64', cell, 0);
  const zero = x.quant?.zeroPoint[0] ?? 0;
  if (lanes > 1 && machine.quads && cell === 'i8')
    return { sum: `i32x${lanes}`, cell, pack: 4, ...quadAdder(task, lanes, zero) };
  if (lanes > 1 && machine.pairs) {
    const add = pairAdder(task.b, siteOf(task, 0), lanes, cell, depth);
    return { sum: `i32x${lanes}`, cell, pack: 2, zero, add };
  }
  if (lanes > 1) throw unsupported(ctx, 'integers on a machine with vectors but without pairs');
  return scalarArithmetic(task, 'i32', cell, zero);
}

const fits = (values: TypedArray) => {
  for (const v of values) if (v < -128 || v > 127) return false;
  return true;
};

/** Sums that a processor needs under way at once so that none waits for another. */
const UNDER_WAY = 8;

function floatArithmetic({ b, machine }: Task, lanes: number): Arithmetic {
  const sum = typeOf('f32', lanes);
  const addRun = (
    sums: readonly Variable[][],
    pixels: readonly Place[],
    weights: Place,
    from: Index,
    to: Index,
    step: number,
    targets: readonly (readonly Variable[][])[],
  ) => {
    const vectors = sums[0].length;
    b.for('k', from, to, step, (first) => {
      targets.forEach((target, t) => {
        const k = plus(first, t);
        const w = Array.from({ length: vectors }, (_, v) => {
          const at = after(weights, plus(times(k, vectors * lanes * 4), v * lanes * 4));
          return b.let(`w${v}`, load(sum, 'f32', at));
        });
        target.forEach((row, j) => {
          const x = b.let(`x${j}`, splat(sum, load('f32', 'f32', after(pixels[j], times(k, 4)))));
          row.forEach((s, v) => {
            b.set(s, mulAdd(x, w[v], s));
          });
        });
      });
    });
  };
  return {
    sum,
    cell: 'f32',
    pack: 1,
    add(sums, pixels, weights, count) {
      const fixed = known(count);
      const parts = machine.reorders ? Math.floor(UNDER_WAY / (sums.length * sums[0].length)) : 1;
      if (parts < 2 || (fixed !== undefined && fixed < 4 * parts)) {
        addRun(sums, pixels, weights, 0, count, 1, [sums]);
        return;
      }
      const more = Array.from({ length: parts - 1 }, () =>
        sums.map((row) => row.map(() => b.variable('part', constant(sum, 0)))),
      );
      const whole = b.let('whole', minus(count, modulo(count, parts)));
      addRun(sums, pixels, weights, 0, whole, parts, [sums, ...more]);
      addRun(sums, pixels, weights, whole, count, 1, [sums]);
      sums.forEach((row, j) => {
        row.forEach((s, v) => {
          b.set(
            s,
            more.reduce<Expr>((total, part) => add(total, part[j][v]), s),
          );
        });
      });
    },
  };
}

/** One product at a time, in 32 bits, or in 64 for int16 activations. */
function scalarArithmetic(task: Task, sum: 'i32' | 'i64', cell: Cell, zero: number): Arithmetic {
  const { b } = task;
  const site = siteOf(task, 0);
  return {
    sum,
    cell,
    pack: 1,
    add(sums, pixels, weights, count) {
      const vectors = sums[0].length;
      const size = cellBytes(cell);
      b.for('k', 0, count, 1, (k) => {
        const w = Array.from({ length: vectors }, (_, v) => {
          const at = after(weights, plus(times(k, vectors * size), v * size));
          return b.let(`w${v}`, load(sum, cell, at));
        });
        sums.forEach((row, j) => {
          const stored = load(sum, site.cell, after(pixels[j], times(k, site.cellBytes)));
          const x = b.let(`x${j}`, zero === 0 ? stored : sub(stored, i32(zero)));
          row.forEach((s, v) => {
            b.set(s, add(s, mul(x, w[v])));
          });
        });
      });
    },
  };
}
