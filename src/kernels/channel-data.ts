/** Numbers that differ from channel to channel, as constants that kernels read. */
import { constant, type Index, load, place, times } from './builder.ts';
import type { Expr, Type } from './ir.ts';
import type { Task } from './kernel.ts';

/** Lanes beyond the last channel that a load may touch. */
const MOST_LANES = 16;

/** Reads values at a channel: neighbouring ones where the type has lanes; a constant where all are alike. */
export function channelData(
  task: Task,
  name: string,
  values: Int32Array | Float32Array,
): (type: Type, channel: Index) => Expr {
  const float = values instanceof Float32Array;
  if (values.every((v) => Object.is(v, values[0]))) return (type) => constant(type, values[0] ?? 0);
  const padded = new (float ? Float32Array : Int32Array)(values.length + MOST_LANES);
  padded.set(values);
  const region = task.module.constant(name, padded);
  return (type, channel) => load(type, float ? 'f32' : 'i32', place(region, times(channel, 4)));
}
