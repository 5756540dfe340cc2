/**
 * Sums of products of runs of input elements with packed weights: the inner loops of convolutions and dense
 * layers. A block of neighbouring output channels, times a few pixels, stays in named locals; each input element is
 * loaded once a block. Every sum goes over the elements in the reference's order, so that float32 gives its bits.
 */

import { type Index, known, place, plus, times, type Variable } from '../builder.ts';
import { finishProducts } from '../finish.ts';
import { cellBytes, type Expr, type Place } from '../ir.ts';
import type { Task } from '../kernel.ts';
import type { Machine } from '../machine.ts';
import type { RowRange } from '../row-biases.ts';
import { elementAt, type Site } from '../site.ts';
import { dotProducts, usesDots } from './dots.ts';
import { arithmeticOf } from './product-arithmetic.ts';
import { inBlocks, takeOff } from './product-blocks.ts';
import { biasOf, excessOf, excessReader, packWeights, weightsOf } from './product-weights.ts';
import { runtimeProducts, weightsAreConstant } from './runtime-products.ts';

/** Neighbouring output channels that are computed together. */
export interface Block {
  readonly group: Index;
  /** First output channel. */
  readonly first: Expr;
  /** Channels. */
  readonly valid: number;
  readonly vectors: number;
  /** Pixels that fit in registers beside each other. */
  readonly pixels: number;
  /** Byte of the packed weights where its own begin. */
  readonly weights: Expr;
}

/** How the channels of a group are cut: `count` equal blocks from `start` on. */
export interface BlockShape {
  readonly start: number;
  readonly count: number;
  readonly valid: number;
  readonly vectors: number;
  readonly pixels: number;
}

export interface Sums {
  /** One line a pixel, of vectors of channels. */
  readonly lines: readonly Variable[][];
  /** What the input's zero point takes off all taps is off from the start. */
  readonly whole: boolean;
}

export interface Products {
  /** Bytes of packed weights. */
  readonly bytes: number;
  /** True where taps that are neighbours in the input may be added as one run. */
  readonly joins: boolean;
  overBlocks(body: (block: Block) => void): void;
  /** Sums of `pixels` pixels, holding the bias. `whole`: each tap will be added once; `rows`: those of some rows. */
  start(block: Block, pixels: number, whole: boolean, rows?: RowRange): Sums;
  /** Adds `taps` neighbouring taps of each pixel, whose elements lie side by side. */
  add(block: Block, sums: Sums, pixels: readonly Place[], tap: Index, taps: Index): void;
  /** Stores one pixel's sums at its byte address. */
  finish(block: Block, sums: readonly Expr[], to: Site, address: Expr): void;
}

export interface ProductShape {
  readonly groups: number;
  /** Output channels of a group. */
  readonly perGroup: number;
  /** Elements of a tap that belong to a group. */
  readonly depth: number;
  readonly taps: number;
  /** Pixels that may be computed beside each other, at most. */
  readonly pixels: number;
}

const MOST_PIXELS = 12;

/** Sums that are added to in turn, so that none waits for its last addition. */
const BUSY_SUMS = 8;

/**
 * How a machine cuts the channels of a group into blocks: a few vectors for many pixels, or more of them where few
 * pixels are computed at once.
 */
export function blocksOf(machine: Machine, perGroup: number, beside: number): BlockShape[] {
  const { lanes, sums } = machine;
  const vectors = Math.ceil(perGroup / lanes);
  const usual = sums >= 24 || lanes === 1 ? 4 : 2;
  const most = Math.max(usual, Math.floor(Math.min(sums, BUSY_SUMS) / beside));
  const wide = Math.ceil(vectors / Math.ceil(vectors / most));
  const width = wide * lanes;
  const pixels = (v: number) => Math.max(1, Math.min(MOST_PIXELS, beside, Math.floor(sums / v)));
  const count = Math.floor(perGroup / width);
  const shapes: BlockShape[] = [];
  if (count > 0) shapes.push({ start: 0, count, valid: width, vectors: wide, pixels: pixels(wide) });
  const rest = perGroup - count * width;
  if (rest > 0) {
    const left = Math.ceil(rest / lanes);
    shapes.push({ start: count * width, count: 1, valid: rest, vectors: left, pixels: pixels(left) });
  }
  return shapes;
}

export function productsOf(task: Task, shape: ProductShape): Products {
  if (!weightsAreConstant(task)) return runtimeProducts(task, shape);
  if (usesDots(task)) return dotProducts(task, shape);
  const { ctx, machine, b } = task;
  const wide = ctx.inputs[0]!.dtype === 'i16';
  const lanes = wide ? 1 : machine.lanes;
  const shapes = blocksOf({ ...machine, lanes }, shape.perGroup, shape.pixels);
  const values = weightsOf(task, shape);
  const arithmetic = arithmeticOf(task, lanes, values, shape.depth);
  const { pack, cell } = arithmetic;
  const unit = pack * cellBytes(cell);
  const units = Math.ceil(shape.depth / pack);
  const channels = shape.groups * shape.perGroup;
  const packed = task.module.packed(
    `${ctx.op.name} weights`,
    ctx.inputs[1]!.constant!.load(),
    `${lanes}/${shapes.map((s) => s.vectors)}/${pack}/${cell}/${shape.groups}/${shape.depth}`,
    () => packWeights(values, shape, shapes, lanes, pack, cell),
  );
  const width = (s: { readonly vectors: number }) => s.vectors * lanes;
  const blockBytes = (s: BlockShape) => shape.taps * units * width(s) * unit;
  const bias = biasOf(task, channels);
  const zero = arithmetic.zero ?? 0;
  const prefix = zero === 0 ? undefined : excessOf(values, shape, zero);
  const corrected = prefix && biasOf(task, channels, prefix.subarray(shape.taps * channels));
  const excess = prefix && excessReader(task, prefix, channels, arithmetic.sum);
  const finish = finishProducts(task, channels);
  return {
    ...inBlocks(b, shape, shapes, blockBytes),
    joins: shape.depth % pack === 0,
    start: (block, pixels, whole) => ({
      whole,
      lines: Array.from({ length: pixels }, (_, j) =>
        Array.from({ length: block.vectors }, (_, v) => {
          const from = whole && corrected ? corrected : bias;
          return b.variable(`s${j}_${v}`, from(arithmetic.sum, plus(block.first, v * lanes)));
        }),
      ),
    }),
    add(block, { lines, whole }, pixels, tap, taps) {
      const from = plus(block.weights, times(tap, units * width(block) * unit));
      const w = place(packed, b.let('w', from));
      const run = known(taps);
      arithmetic.add(lines, pixels, w, run === undefined ? times(taps, shape.depth) : run * shape.depth);
      if (excess && !whole) takeOff(b, lines, excess, (v) => plus(block.first, v * lanes), tap, taps);
    },
    finish(block, sums, to, address) {
      sums.forEach((sum, v) => {
        const value = finish(sum, plus(block.first, v * lanes));
        const valid = Math.min(lanes, block.valid - v * lanes);
        b.store(to.cell, elementAt(to, address, plus(block.first, v * lanes)), value, valid);
      });
    },
  };
}
