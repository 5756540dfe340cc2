/**
 * Sums of products of bytes on machines that take several at once without lanes for channels (`Machine.dots`): each sum
 * is a number of its own, and a word or a vector of neighbouring input elements meets as many weights of one channel.
 * A block is a few pixels times a few channels, so that what is loaded and taken apart serves several sums.
 *
 * Runs whose length is no multiple end with elements once more: the last word begins earlier, and weights that were taken
 * already are 0 in it. Nothing outside a run is read.
 */
import type { TypedArray } from '../../graph/graph.ts';
import { type Index, i32, plus, sub, times, vector } from '../builder.ts';
import { constantValues, siteOf } from '../constants.ts';
import { finishProducts } from '../finish.ts';
import { typeOf } from '../ir.ts';
import type { Task } from '../kernel.ts';
import type { Machine } from '../machine.ts';
import { type RowRange, rowBiases } from '../row-biases.ts';
import { elementAt } from '../site.ts';
import { vectorAdder, wordAdder } from './dot-adders.ts';
import { dotLayout, packDots } from './dot-weights.ts';
import { inBlocks, takeOff } from './product-blocks.ts';
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
  const site = siteOf(task, 0);
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
    ...inBlocks(b, shape, shapes, blockBytes),
    joins: shape.depth % unit === 0,
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
      if (excess && !whole) takeOff(b, lines, excess, (v) => plus(block.first, v), tap, taps);
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
