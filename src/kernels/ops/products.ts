/**
 * Sums of products of runs of input elements with packed weights: the inner loops of convolutions and dense
 * layers. A block of neighbouring output channels, times a few pixels, stays in named locals; each input element is
 * loaded once a block. Every sum goes over the elements in the reference's order, so that float32 gives its bits.
 */

import type { TypedArray } from '../../graph/graph.ts';
import { weightZeros } from '../../ops/weight-zeros.ts';
import {
  add,
  and,
  convert,
  dotPairs,
  type Index,
  i32,
  known,
  load,
  mul,
  mulAdd,
  or,
  over,
  place,
  plus,
  shl,
  splat,
  sub,
  times,
  type Variable,
} from '../builder.ts';
import { channelData } from '../channel-data.ts';
import { constantValues } from '../constants.ts';
import { finishProducts, unsupported } from '../finish.ts';
import { type Cell, cellBytes, type Expr, type Place, type Type, typeOf, type Vector } from '../ir.ts';
import type { Task } from '../kernel.ts';
import type { Machine } from '../machine.ts';
import { elementAt, type Site } from '../site.ts';

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
interface BlockShape {
  readonly start: number;
  readonly count: number;
  readonly valid: number;
  readonly vectors: number;
  readonly pixels: number;
}

export interface Products {
  /** Bytes of packed weights. */
  readonly bytes: number;
  /** True where taps that are neighbours in the input may be added as one run. */
  readonly joins: boolean;
  overBlocks(body: (block: Block) => void): void;
  /** Sums of `pixels` pixels, holding the bias. */
  start(block: Block, pixels: number): Variable[][];
  /** Adds `count` neighbouring elements of each pixel times the weights from a tap's first on. */
  add(block: Block, sums: readonly Variable[][], pixels: readonly Place[], tap: Index, count: Index): void;
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
}

const MOST_PIXELS = 12;

/** How a machine cuts the channels of a group into blocks. */
export function blocksOf(machine: Machine, perGroup: number): BlockShape[] {
  const { lanes, sums } = machine;
  const vectors = Math.ceil(perGroup / lanes);
  const most = sums >= 24 || lanes === 1 ? 4 : 2;
  const wide = Math.ceil(vectors / Math.ceil(vectors / most));
  const width = wide * lanes;
  const pixels = (v: number) => Math.max(1, Math.min(MOST_PIXELS, Math.floor(sums / v)));
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

/** The arithmetic of one type: what a sum is, and how a run of elements is added. */
interface Arithmetic {
  readonly sum: Type;
  readonly cell: Cell;
  /** Elements that lie together in the packed weights. */
  readonly pack: 1 | 2;
  add(sums: readonly Variable[][], pixels: readonly Place[], weights: Place, count: Index): void;
}

export function productsOf(task: Task, shape: ProductShape): Products {
  const { ctx, machine, b } = task;
  const wide = ctx.inputs[0]!.dtype === 'i16';
  const lanes = wide ? 1 : machine.lanes;
  const shapes = blocksOf({ ...machine, lanes }, shape.perGroup);
  const values = weightsOf(task, shape);
  const arithmetic = arithmeticOf(task, lanes, values);
  const { pack, cell } = arithmetic;
  const unit = pack * cellBytes(cell);
  const units = Math.ceil(shape.depth / pack);
  const channels = shape.groups * shape.perGroup;
  const packed = task.module.packed(
    `${ctx.op.name} weights`,
    ctx.inputs[1]!.constant!.load(),
    `${lanes}/${machine.sums}/${pack}/${cell}/${shape.groups}/${shape.depth}`,
    () => packWeights(values, shape, shapes, lanes, pack, cell),
  );
  const width = (s: { readonly vectors: number }) => s.vectors * lanes;
  const blockBytes = (s: BlockShape) => shape.taps * units * width(s) * unit;
  const groupBytes = shapes.reduce((n, s) => n + s.count * blockBytes(s), 0);
  const bias = biasOf(task, channels);
  const finish = finishProducts(task, channels);
  return {
    bytes: groupBytes * shape.groups,
    joins: pack === 1 || shape.depth % 2 === 0,
    overBlocks(body) {
      b.for('group', 0, shape.groups, 1, (group) => {
        let before = 0;
        for (const s of shapes) {
          const base = before;
          b.for('block', 0, s.count, 1, (at) => {
            const channel = plus(plus(times(group, shape.perGroup), s.start), times(at, s.valid));
            const weights = plus(plus(times(group, groupBytes), base), times(at, blockBytes(s)));
            body({
              ...s,
              group,
              first: b.let('first', channel),
              weights: b.let('weights', weights),
            });
          });
          before += s.count * blockBytes(s);
        }
      });
    },
    start: (block, pixels) =>
      Array.from({ length: pixels }, (_, j) =>
        Array.from({ length: block.vectors }, (_, v) =>
          b.variable(`s${j}_${v}`, bias(arithmetic.sum, plus(block.first, v * lanes))),
        ),
      ),
    add(block, sums, pixels, tap, count) {
      const from = plus(block.weights, times(tap, units * width(block) * unit));
      arithmetic.add(sums, pixels, place(packed, b.let('w', from)), count);
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

/** Weights less their zero points. */
function weightsOf(task: Task, { groups, perGroup, depth, taps }: ProductShape): TypedArray {
  const w = task.ctx.inputs[1]!;
  const values = constantValues(task.ctx, 1);
  const channels = groups * perGroup;
  const zeros = weightZeros(w, channels);
  if (w.dtype === 'f32' || zeros.every((z) => z === 0)) return values;
  const each = depth * taps;
  return Int16Array.from(values as ArrayLike<number>, (v, i) => v - zeros[Math.floor(i / each)]);
}

function packWeights(
  values: TypedArray,
  { groups, perGroup, depth, taps }: ProductShape,
  shapes: readonly BlockShape[],
  lanes: number,
  pack: number,
  cell: Cell,
): TypedArray {
  const units = Math.ceil(depth / pack);
  const total = shapes.reduce((n, s) => n + s.count * s.vectors * lanes, 0) * groups * taps * units * pack;
  const out =
    cell === 'f32' ? new Float32Array(total) : cell === 'i8' ? new Int8Array(total) : new Int16Array(total);
  let at = 0;
  for (let g = 0; g < groups; g++) {
    for (const s of shapes) {
      const width = s.vectors * lanes;
      for (let n = 0; n < s.count; n++) {
        const first = g * perGroup + s.start + n * s.valid;
        for (let t = 0; t < taps; t++) {
          for (let u = 0; u < units; u++) {
            for (let l = 0; l < width; l++) {
              const row = (first + l) * taps * depth + t * depth;
              for (let k = u * pack; k < (u + 1) * pack; k++, at++) {
                if (l < s.valid && k < depth) out[at] = values[row + k];
              }
            }
          }
        }
      }
    }
  }
  return out;
}

/** The bias of channels as sums start with it; zero where there is none. */
function biasOf(task: Task, channels: number): (type: Type, channel: Index) => Expr {
  const { ctx } = task;
  const name = `${ctx.op.name} bias`;
  const float = ctx.inputs[0]!.dtype === 'f32';
  const values = ctx.inputs[2] ? constantValues(ctx, 2) : new Float32Array(channels);
  const data = channelData(task, name, float ? Float32Array.from(values) : Int32Array.from(values));
  return (type, channel) => (type === 'i64' ? convert('i64', data('i32', channel)) : data(type, channel));
}

function arithmeticOf(task: Task, lanes: number, values: TypedArray): Arithmetic {
  const { ctx, machine } = task;
  const x = ctx.inputs[0]!;
  if (x.dtype === 'f32') return floatArithmetic(task, lanes);
  const cell = values instanceof Int8Array ? 'i8' : fits(values) ? 'i8' : 'i16';
  if (x.dtype === 'i16') return scalarArithmetic(task, 'i64', cell, 0);
  const zero = x.quant?.zeroPoint[0] ?? 0;
  if (lanes > 1 && machine.pairs) return pairArithmetic(task, lanes, cell, zero);
  if (lanes > 1) throw unsupported(ctx, 'integers on a machine with vectors but without pairs');
  return scalarArithmetic(task, 'i32', cell, zero);
}

const fits = (values: TypedArray) => {
  for (const v of values) if (v < -128 || v > 127) return false;
  return true;
};

/** Byte `more` after a place. */
function after(p: Place, more: Index): Place {
  return place(p.region, plus(p.address, more), p.offset);
}

function floatArithmetic({ b }: Task, lanes: number): Arithmetic {
  const sum = typeOf('f32', lanes);
  return {
    sum,
    cell: 'f32',
    pack: 1,
    add(sums, pixels, weights, count) {
      const vectors = sums[0].length;
      b.for('k', 0, count, 1, (k) => {
        const w = Array.from({ length: vectors }, (_, v) => {
          const at = after(weights, plus(times(k, vectors * lanes * 4), v * lanes * 4));
          return b.let(`w${v}`, load(sum, 'f32', at));
        });
        sums.forEach((row, j) => {
          const x = b.let(`x${j}`, splat(sum, load('f32', 'f32', after(pixels[j], times(k, 4)))));
          row.forEach((s, v) => {
            b.set(s, mulAdd(x, w[v], s));
          });
        });
      });
    },
  };
}

/** One product at a time, in 32 bits, or in 64 for int16 activations. */
function scalarArithmetic(task: Task, sum: 'i32' | 'i64', cell: Cell, zero: number): Arithmetic {
  const { b } = task;
  const site = task.inputs[0]!;
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

/** Two products at a time in each lane. */
function pairArithmetic(task: Task, lanes: number, cell: Cell, zero: number): Arithmetic {
  const { b } = task;
  const site = task.inputs[0]!;
  const sum: Vector = `i32x${lanes}`;
  const halves: Type = `i16x${2 * lanes}`;
  const size = cellBytes(cell);
  const element = (at: Place, k: Index): Expr => {
    const stored = load('i32', site.cell, after(at, k));
    return zero === 0 ? stored : sub(stored, i32(zero));
  };
  const step = (
    sums: readonly Variable[][],
    pixels: readonly Place[],
    weights: Place,
    pair: Index,
    second: boolean,
  ) => {
    const vectors = sums[0].length;
    const bytes = 2 * lanes * size;
    const w = Array.from({ length: vectors }, (_, v) =>
      b.let(`w${v}`, load(halves, cell, after(weights, plus(times(pair, vectors * bytes), v * bytes)))),
    );
    sums.forEach((row, j) => {
      const k = times(pair, 2);
      const low = and(element(pixels[j], k), i32(0xffff));
      const both = second ? or(low, shl(element(pixels[j], plus(k, 1)), i32(16))) : low;
      const x = b.let(`x${j}`, convert(halves, splat(sum, both), 'bits'));
      row.forEach((s, v) => {
        b.set(s, add(s, dotPairs(sum, x, w[v])));
      });
    });
  };
  return {
    sum,
    cell,
    pack: 2,
    add(sums, pixels, weights, count) {
      const fixed = known(count);
      // A count that is not known is of joined taps, which have even numbers of elements.
      const end = over(count, 2);
      b.for('k', 0, end, 1, (k) => step(sums, pixels, weights, k, true));
      if (fixed !== undefined && fixed % 2 === 1) step(sums, pixels, weights, Math.floor(fixed / 2), false);
    },
  };
}
