/** What products read: weights less their zero points in blocks, biases, and what an input's zero point adds. */
import type { TypedArray } from '../../graph/graph.ts';
import { weightZeros } from '../../ops/weight-zeros.ts';
import { convert, type Index, load, place, plus, times } from '../builder.ts';
import { channelData } from '../channel-data.ts';
import { constantValues } from '../constants.ts';
import type { Cell, Expr, Region, Type } from '../ir.ts';
import type { Task } from '../kernel.ts';
import type { BlockShape, ProductShape } from './products.ts';

/** Weights less their zero points. */
export function weightsOf(task: Task, { groups, perGroup, depth, taps }: ProductShape): TypedArray {
  const w = task.ctx.inputs[1]!;
  const values = constantValues(task.ctx, 1);
  const channels = groups * perGroup;
  const zeros = weightZeros(w, channels);
  if (w.dtype === 'f32' || zeros.every((z) => z === 0)) return values;
  const each = depth * taps;
  return Int16Array.from(values as ArrayLike<number>, (v, i) => v - zeros[Math.floor(i / each)]);
}

export function packWeights(
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

/** [tap][channel]: what a zero point adds to the sum of the taps before this one. Wraps, as sums do. */
export function excessOf(
  values: TypedArray,
  { groups, perGroup, depth, taps }: ProductShape,
  zero: number,
): Int32Array {
  const channels = groups * perGroup;
  const prefix = new Int32Array((taps + 1) * channels);
  for (let t = 0; t < taps; t++) {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let k = 0; k < depth; k++) sum += values[(c * taps + t) * depth + k];
      prefix[(t + 1) * channels + c] = prefix[t * channels + c] + Math.imul(sum, zero);
    }
  }
  return prefix;
}

/** Reads the excess of the taps before one. */
export function excessReader(
  { ctx, module }: Task,
  prefix: Int32Array,
  channels: number,
  type: Type,
): (channel: Index, tap: Index) => Expr {
  let region: Region | undefined;
  return (channel, tap) => {
    const padded = () => Int32Array.from({ length: prefix.length + 16 }, (_, i) => prefix[i] ?? 0);
    region ??= module.constant(`${ctx.op.name} excess`, padded());
    return load(type, 'i32', place(region, times(plus(times(tap, channels), channel), 4)));
  };
}

/** The bias of channels as sums start with it, less `excess`; zero where there is none. */
export function biasOf(
  task: Task,
  channels: number,
  excess?: Int32Array,
): (type: Type, channel: Index) => Expr {
  const { ctx } = task;
  const name = `${ctx.op.name} bias`;
  const float = ctx.inputs[0]!.dtype === 'f32';
  const given = ctx.inputs[2] ? constantValues(ctx, 2) : new Float32Array(channels);
  const values = excess ? Int32Array.from(given as ArrayLike<number>, (v, c) => v - excess[c]) : given;
  const data = channelData(task, name, float ? Float32Array.from(values) : Int32Array.from(values));
  return (type, channel) => (type === 'i64' ? convert('i64', data('i32', channel)) : data(type, channel));
}
