/** Plain tools for naive formulas in tests: coordinates, shapes, types. */
import type { ElementType } from '../../graph/graph.ts';
import { pick, type Random } from './check-operator.ts';

/** All coordinates of a shape in raster order. */
export function coordinates(shape: readonly number[]): number[][] {
  let all: number[][] = [[]];
  for (const d of shape) all = all.flatMap((at) => Array.from({ length: d }, (_, i) => [...at, i]));
  return all;
}

/** Raster index of a coordinate. */
export function indexOf(shape: readonly number[], at: readonly number[]): number {
  return at.reduce((sum, i, k) => sum * shape[k] + i, 0);
}

export function randomShape(random: Random, rank = pick(random, 1, 4), greatest = 5): number[] {
  return Array.from({ length: rank }, () => pick(random, 1, greatest));
}

export const F32: ElementType = { dtype: 'f32' };

export function quantised(dtype: 'i8' | 'u8' | 'i16', scale: number, zeroPoint: number): ElementType {
  return { dtype, quant: { scale: [scale], zeroPoint: [zeroPoint], axis: 0 } };
}

/** One of the types that move alike. */
export function randomType(random: Random): ElementType {
  return [F32, quantised('i8', 0.5, 3), quantised('u8', 0.25, 128), { dtype: 'i32' } as const][
    pick(random, 0, 3)
  ];
}
