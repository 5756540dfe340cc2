/** Reducers that add: in float32 for real values, in wrapping 32-bit integers for stored ones. */
import type { Dialect, ElementType } from '../graph/graph.ts';
import type { Reducer } from './fold-kernel.ts';
import { dequantiser, quantiser } from './stored.ts';

/** Sum of real values (each mapped first), then `finish`, then the output's encoding. */
export function sumReal(
  from: ElementType,
  to: ElementType,
  dialect: Dialect,
  finish: (sum: number) => number = (sum) => sum,
  map: (x: number) => number = (x) => x,
): Reducer {
  const decode = dequantiser(from);
  const encode = quantiser(to, dialect);
  return {
    state: 'f32',
    start: 0,
    step: (sum, value) => Math.fround(sum + map(decode(value, 0))),
    finish: (sum) => encode(finish(sum), 0),
  };
}

/** Sum of stored values. */
export function sumInteger(finish: (sum: number) => number = (sum) => sum): Reducer {
  return { state: 'i32', start: 0, step: (sum, value) => (sum + value) | 0, finish };
}
