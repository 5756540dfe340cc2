/** Weights as dots.ts reads them: [block of channels][tap][unit][channel][elements of the unit]. */
import type { TypedArray } from '../../graph/graph.ts';
import type { Cell } from '../ir.ts';
import type { Machine } from '../machine.ts';
import type { BlockShape, ProductShape } from './products.ts';

export interface DotLayout {
  /** Elements that are taken at once. */
  readonly unit: number;
  readonly depth: number;
  /** Units of a tap, and those that hold elements for the first time only. */
  readonly units: number;
  readonly whole: number;
  readonly cell: 'i8' | 'i16';
  readonly unitBytes: number;
  /** Elements of a unit in the order in which they lie. */
  readonly order: readonly number[];
}

export function dotLayout(
  machine: Machine,
  values: TypedArray,
  { depth }: ProductShape,
  input: Cell,
): DotLayout {
  const words = machine.dots === 4;
  const narrow = fitsBytes(values);
  const wide = words ? !narrow || values.length <= (machine.wideWeights ?? 0) : !narrow;
  const cell = wide ? 'i16' : 'i8';
  // Vectors have products of bytes with one sign only.
  const unit = words ? 4 : narrow && input === 'i8' ? 16 : 8;
  // A word is taken apart into its even and its odd bytes.
  const order = words && wide ? [0, 2, 1, 3] : Array.from({ length: unit }, (_, i) => i);
  const bytes = unit * (wide ? 2 : 1);
  const whole = Math.floor(depth / unit);
  return { unit, depth, units: Math.ceil(depth / unit), whole, cell, unitBytes: bytes, order };
}

function fitsBytes(values: TypedArray): boolean {
  for (const v of values) if (v < -128 || v > 127) return false;
  return true;
}

export function packDots(
  values: TypedArray,
  { groups, perGroup, depth, taps }: ProductShape,
  shapes: readonly BlockShape[],
  { unit, units, whole, cell, order }: DotLayout,
): TypedArray {
  const length = groups * perGroup * taps * units * unit;
  const out = cell === 'i8' ? new Int8Array(length) : new Int16Array(length);
  // The last unit of a run that is long enough begins where it ends with the run.
  const start = (u: number) => (u < whole || depth < unit ? u * unit : depth - unit);
  let at = 0;
  for (let g = 0; g < groups; g++) {
    for (const s of shapes) {
      for (let n = 0; n < s.count; n++) {
        const first = g * perGroup + s.start + n * s.valid;
        for (let t = 0; t < taps; t++) {
          for (let u = 0; u < units; u++) {
            for (let c = 0; c < s.valid; c++) {
              const row = ((first + c) * taps + t) * depth;
              for (const i of order) {
                const k = start(u) + i;
                if (k >= u * unit && k < depth) out[at] = values[row + k];
                at++;
              }
            }
          }
        }
      }
    }
  }
  return out;
}
