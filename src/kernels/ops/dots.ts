/**
 * Sums of products of bytes on machines that take several at once without lanes for channels (`Machine.dots`): each sum
 * is a number of its own, and a word or a vector of neighbouring input elements meets as many weights of one channel.
 * A block is a few pixels times a few channels, so that what is loaded and taken apart serves several sums.
 *
 * Runs whose length is no multiple end with elements once more: the last word begins earlier, and weights that were taken
 * already are 0 in it. Nothing outside a run is read.
 */
import type { TypedArray } from '../../graph/graph.ts';
import {
  add,
  constant,
  convert,
  dot,
  dotPairs,
  type Index,
  i32,
  known,
  load,
  place,
  plus,
  sub,
  times,
  type Variable,
  vector,
  widen,
} from '../builder.ts';
import { constantValues } from '../constants.ts';
import { finishProducts } from '../finish.ts';
import { type Expr, type Place, type Region, type Type, typeOf, type Vector } from '../ir.ts';
import type { Task } from '../kernel.ts';
import type { Machine } from '../machine.ts';
import { type RowRange, rowBiases } from '../row-biases.ts';
import { elementAt } from '../site.ts';
import { type DotLayout, dotLayout, packDots } from './dot-weights.ts';
import { biasOf, excessOf, excessReader, weightsOf } from './product-weights.ts';
import type { BlockShape, ProductShape, Products } from './products.ts';
import { weightsAreConstant } from './runtime-products.ts';

/** True where an operator's products are made here. */
export function usesDots(task: Task): boolean {
  const { dtype } = task.ctx.inputs[0]!;
  return task.machine.dots !== undefined && (dtype === 'i8' || dtype === 'u8') && weightsAreConstant(task);
}

/** Three pixels times two channels, or one times eight: with what they are made of, the sums fill the registers. */
export function dotBlocks(machine: Machine, perGroup: number, beside: number): BlockShape[] {
  const words = machine.dots === 4;
  const width = words ? (beside > 1 ? 2 : 8) : 4;
  const pixels = Math.min(beside, words ? 3 : 2);
  const count = Math.floor(perGroup / width);
  const rest = perGroup - count * width;
  const shapes: BlockShape[] = [];
  if (count > 0) shapes.push({ start: 0, count, valid: width, vectors: width, pixels });
  if (rest > 0) shapes.push({ start: count * width, count: 1, valid: rest, vectors: rest, pixels });
  return shapes;
}

/** Elements [from, from + count) of each `of`: part of a row of taps. */
export interface Slice {
  readonly from: number;
  readonly count: number;
  readonly of: number;
}

/** With a slice, `shape` has the slice's depth. */
export function dotProducts(task: Task, shape: ProductShape, slice?: Slice): Products {
  const { b, ctx, machine } = task;
  const site = task.inputs[0]!;
  const shapes = dotBlocks(machine, shape.perGroup, shape.pixels);
  const values = slice ? sliced(weightsOf(task, shape), slice) : weightsOf(task, shape);
  const layout = dotLayout(machine, values, shape, site.cell);
  const { unit, units, unitBytes } = layout;
  const channels = shape.groups * shape.perGroup;
  const packed = task.module.packed(
    `${ctx.op.name} weights`,
    ctx.inputs[1]!.constant!.load(),
    `dots ${unit}/${layout.cell}/${shapes.map((s) => s.valid)}/${shape.groups}/${shape.depth}/${slice?.from ?? ''}`,
    () => packDots(values, shape, shapes, layout),
  );
  const zero = ctx.inputs[0]!.quant?.zeroPoint[0] ?? 0;
  const inWords = machine.dots === 4;
  const prefix = zero === 0 ? undefined : excessOf(values, shape, zero);
  const bias = biasOf(task, channels);
  const corrected = prefix && biasOf(task, channels, prefix.subarray(shape.taps * channels));
  const excess = prefix && !inWords ? excessReader(task, prefix, channels, 'i32') : undefined;
  const blockBytes = (s: { readonly valid: number }) => shape.taps * units * s.valid * unitBytes;
  const groupBytes = shapes.reduce((n, s) => n + s.count * blockBytes(s), 0);
  const finish = finishProducts(task, channels);
  const given = ctx.inputs[2] ? constantValues(ctx, 2) : new Int32Array(channels);
  const biasesOf = (rows: RowRange) => {
    const each = shape.taps / rows.rows;
    return rowBiases(task, given, (row, c) => prefix![row * each * channels + c], channels, rows);
  };
  /** Where a table would be large: the bias less what all rows before the last add, but those before the first. */
  const differenceOf = (rows: RowRange) => {
    if (!excess) return undefined;
    const each = shape.taps / rows.rows;
    return (channel: Index) =>
      sub(
        bias('i32', channel),
        sub(excess(channel, times(rows.to, each)), excess(channel, times(rows.from, each))),
      );
  };
  const adder = inWords ? wordAdder(task, layout) : vectorAdder(task, layout);
  return {
    bytes: groupBytes * shape.groups,
    joins: shape.depth % unit === 0,
    overBlocks(body) {
      b.for('group', 0, shape.groups, 1, (group) => {
        let before = 0;
        for (const s of shapes) {
          const base = before;
          b.for('block', 0, s.count, 1, (at) => {
            const channel = plus(plus(times(group, shape.perGroup), s.start), times(at, s.valid));
            const weights = plus(plus(times(group, groupBytes), base), times(at, blockBytes(s)));
            body({ ...s, group, first: b.let('first', channel), weights: b.let('weights', weights) });
          });
          before += s.count * blockBytes(s);
        }
      });
    },
    start(block, pixels, whole, rows) {
      const byRows = prefix && rows && !whole ? (biasesOf(rows) ?? differenceOf(rows)) : undefined;
      const from = whole && corrected ? corrected : bias;
      const first = (v: number) =>
        byRows ? byRows(plus(block.first, v)) : from('i32', plus(block.first, v));
      const lines = Array.from({ length: pixels }, (_, j) =>
        Array.from({ length: block.valid }, (_, v) => b.variable(`s${j}_${v}`, first(v))),
      );
      return { whole: whole || byRows !== undefined, lines };
    },
    add(block, { lines, whole }, pixels, tap, taps) {
      const from = b.let('w', plus(block.weights, times(tap, units * block.valid * unitBytes)));
      adder(lines, pixels, packed, from, taps, whole || !inWords ? 0 : zero);
      if (excess && !whole) {
        lines[0].forEach((_, v) => {
          const channel = plus(block.first, v);
          const much = b.let('excess', sub(excess(channel, plus(tap, taps)), excess(channel, tap)));
          for (const line of lines) b.set(line[v], sub(line[v], much));
        });
      }
    },
    finish(block, sums, to, address) {
      const lanes = machine.lanes;
      for (let v = 0; v < sums.length; v += lanes) {
        const some = sums.slice(v, v + lanes);
        const valid = some.length;
        while (some.length < lanes) some.push(i32(0));
        const sum = lanes === 1 ? some[0] : b.let('sum', vector(typeOf('i32', lanes), some));
        const value = finish(sum, plus(block.first, v));
        b.store(to.cell, elementAt(to, address, plus(block.first, v)), value, valid);
      }
    },
  };
}

/** The elements of a slice of each run. */
function sliced(values: TypedArray, { from, count, of }: Slice): TypedArray {
  const out = new Int16Array((values.length / of) * count);
  for (let i = 0; i < out.length; i++) out[i] = values[Math.floor(i / count) * of + from + (i % count)];
  return out;
}

type Adder = (
  sums: readonly Variable[][],
  pixels: readonly Place[],
  weights: Region,
  from: Expr,
  taps: Index,
  zero: number,
) => void;

/** Byte `more` after a place. */
function after(p: Place, more: Index): Place {
  return place(p.region, plus(p.address, more), p.offset);
}

/** Units that a loop takes at a time, where their number allows; more would be kept beyond their loop, and not fit. */
const UNROLLED_WORDS = 4;
const UNROLLED_VECTORS = 2;

/** Calls `step` for each unit of `taps` taps: the element where it begins, its number, and whether it is a short one. */
function overUnits(
  { b }: Task,
  { unit, units, whole, depth }: DotLayout,
  taps: Index,
  step: (element: Index, number: Index, some: number) => void,
): void {
  const count = known(taps);
  if (whole === units) {
    const all = times(taps, units);
    const fixed = count === undefined ? units : count * units;
    const most = unit === 4 ? UNROLLED_WORDS : UNROLLED_VECTORS;
    const at = [most, ...(most > 1 ? [3, 2] : [])].find((n) => fixed % n === 0) ?? 1;
    if (fixed <= most && count !== undefined) {
      for (let u = 0; u < fixed; u++) step(u * unit, u, unit);
      return;
    }
    b.for('u', 0, all, at, (u) => {
      for (let n = 0; n < at; n++) step(times(plus(u, n), unit), plus(u, n), unit);
    });
    return;
  }
  if (count !== 1) throw new Error('taps that do not join come one by one');
  for (let u = 0; u < whole; u++) step(u * unit, u, unit);
  if (depth < unit) step(0, 0, depth);
  else step(depth - unit, whole, unit);
}

/** Words of four bytes, taken apart into two pairs of 16 bits. */
function wordAdder(task: Task, layout: DotLayout): Adder {
  const { b } = task;
  const site = task.inputs[0]!;
  const { cell, unitBytes } = layout;
  const bytes: Vector = `${site.cell as 'i8' | 'u8'}x4`;
  const PAIR: Vector = 'i16x2';
  return (sums, pixels, weights, from, taps, zero) => {
    const offset = zero === 0 ? undefined : b.variable('zero', constant(PAIR, -zero));
    const halves = (at: Place, some: number): readonly [Expr, Expr] => {
      if (some < 4) {
        const one = (k: number): Expr => {
          const x = load('i32', site.cell, after(at, k));
          return zero === 0 ? x : sub(x, i32(zero));
        };
        // A number's own upper half meets a weight of 0.
        const even = some > 2 ? vector(PAIR, [one(0), one(2)]) : convert(PAIR, one(0), 'bits');
        return [even, some > 1 ? convert(PAIR, one(1), 'bits') : constant(PAIR, 0)];
      }
      const word = b.let('word', load(bytes, site.cell, at));
      const half = (which: 'even' | 'odd') => (offset ? add(offset, widen(which, word)) : widen(which, word));
      return [half('even'), half('odd')];
    };
    overUnits(task, layout, taps, (element, number, some) => {
      const width = sums[0].length;
      const wordsOf = (v: number): readonly Expr[] => {
        const at = place(weights, plus(from, plus(times(number, width * unitBytes), v * unitBytes)));
        if (cell === 'i8') return [b.let('w', load('i8x4', 'i8', at))];
        return [0, ...(some > 1 ? [4] : [])].map((more) => b.let('w', load(PAIR, 'i16', after(at, more))));
      };
      const pairsOf = (words: readonly Expr[]): readonly Expr[] => {
        if (cell === 'i16') return words;
        const [w] = words;
        return [b.let('w', widen('even', w)), ...(some > 1 ? [b.let('w', widen('odd', w))] : [])];
      };
      const pairsAt = (p: Place) =>
        halves(after(p, element), some).map((x, i) => b.let(i === 0 ? 'even' : 'odd', x));
      const meet = (line: readonly Variable[], v: number, x: readonly Expr[], w: readonly Expr[]) => {
        w.forEach((part, i) => {
          b.set(line[v], add(line[v], dotPairs('i32', x[i], part)));
        });
      };
      // Whichever is fewer stays in registers while the others come and go.
      if (pixels.length > width) {
        const ws = Array.from({ length: width }, (_, v) => wordsOf(v)).map(pairsOf);
        pixels.forEach((p, j) => {
          const x = pairsAt(p);
          ws.forEach((w, v) => {
            meet(sums[j], v, x, w);
          });
        });
        return;
      }
      const xs = pixels.map(pairsAt);
      // Neighbouring words are loaded by one instruction where they are asked for together.
      for (let v = 0; v < width; v += 2) {
        const two = [v, v + 1].filter((n) => n < width);
        two.map(wordsOf).forEach((words, n) => {
          const w = pairsOf(words);
          sums.forEach((line, j) => {
            meet(line, v + n, xs[j], w);
          });
        });
      }
    });
  };
}

/** Vectors of 16 bytes, or of eight numbers of 16 bits where bytes would not hold them. */
function vectorAdder(task: Task, layout: DotLayout): Adder {
  const { b } = task;
  const site = task.inputs[0]!;
  const { cell, unit, unitBytes } = layout;
  const type: Type = cell === 'i8' && unit === 16 ? 'i8x16' : 'i16x8';
  return (sums, pixels, weights, from, taps) => {
    overUnits(task, layout, taps, (element, number, some) => {
      const xs = pixels.map((p) => {
        const at = after(p, element);
        const x = load(type, site.cell, at);
        return b.let('x', some < unit ? ({ ...x, lanes: some } as Expr) : x);
      });
      const width = sums[0].length;
      for (let v = 0; v < width; v++) {
        const at = place(weights, plus(from, plus(times(number, width * unitBytes), v * unitBytes)));
        const w = b.let('w', load(type, cell, at));
        sums.forEach((line, j) => {
          b.set(line[v], add(line[v], dot(xs[j], w)));
        });
      }
    });
  };
}
