/**
 * From a sum of products to a stored integer, as a function that all kernels of a program call: written out at every
 * place where a kernel finishes a pixel it would be most of the code.
 */
import { multiplyByQuantizedMultiplier } from '../arithmetic/tflite.ts';
import { clamp, multiplyFloat, roundingShiftRight } from './arithmetic.ts';
import {
  add,
  Builder,
  call,
  constant,
  highProduct,
  highWord,
  type Index,
  i32,
  load,
  param,
  place,
  shl,
  shr,
  times,
} from './builder.ts';
import { channelData } from './channel-data.ts';
import { type Expr, isVector, lanesOf, type Type, typeOf } from './ir.ts';
import type { Task } from './kernel.ts';
import type { SumLimits } from './sum-limits.ts';

/** What is added to a rounded value, and where it is held. */
export interface Bounds {
  readonly zero: number;
  readonly least: number;
  readonly greatest: number;
}

/** A real factor as multiplier * 2^(shift - 31) (src/arithmetic/tflite.ts). */
export interface Fixed {
  readonly multiplier: number;
  readonly shift: number;
}

type Stage = (sum: Expr, channel: Index) => Expr;

const word = (v: number) => (v < 0 ? `m${-v}` : String(v));
const named = ({ zero, least, greatest }: Bounds) => [zero, least, greatest].map(word).join('_');

/** sum * scale, rounded with ties to even: ONNX. */
export function floatStage(task: Task, name: string, scales: Float32Array, bounds: Bounds): Stage {
  const scale = channelData(task, `${name} scales`, scales);
  const { zero, least, greatest } = bounds;
  return (sum, c) => {
    const real = typeOf('f32', lanesOf(sum.type));
    const fn = task.module.helper(`requantise_${sum.type}_${named(bounds)}`, () => {
      const b = new Builder();
      const result = multiplyFloat(param('sum', sum.type), param('scale', real), zero, least, greatest);
      const params = [
        { name: 'sum', type: sum.type },
        { name: 'scale', type: real },
      ];
      return b.function(`requantise_${sum.type}_${named(bounds)}`, params, result);
    });
    return call(sum.type, fn, sum, scale(real, c));
  };
}

/** A side of a shift: the same for all channels, or a number for each. */
interface Side {
  readonly uniform?: number;
  read(type: Type, channel: Index): Expr;
}

/**
 * sum * multiplier * 2^(shift - 31) with TFLite's two roundings. Vectors have no shift for each lane in WebAssembly and
 * SSE, so shifts become products: to the left with 2^n, to the right with 2^(31 - n) and another high product. The
 * latter rounds ties up; less one for negative numbers, that is away from zero, as it must be.
 */
export function fixedStage(
  task: Task,
  name: string,
  fixed: readonly Fixed[],
  bounds: Bounds,
  limits?: readonly SumLimits[],
): Stage {
  const { highWord: oneWord, laneShifts } = task.machine;
  const rows = (oneWord || laneShifts) && limits ? shortRows(fixed, bounds, limits) : undefined;
  if (rows) return oneWord ? shortStage(task, name, rows, bounds) : laneStage(task, name, rows, bounds);
  const side = (what: string, of: (f: Fixed) => number): Side => {
    const values = Int32Array.from(fixed, of);
    const uniform = values.every((v) => v === values[0]) ? values[0] : undefined;
    return { uniform, read: channelData(task, `${name} ${what}`, values) };
  };
  const right = (f: Fixed) => Math.max(0, -f.shift);
  const left = (f: Fixed) => Math.max(0, f.shift);
  const multiplier = side('multipliers', (f) => f.multiplier);
  const leftShift = side('left shifts', left);
  const rightShift = side('right shifts', right);
  const powers = rightShift.uniform === undefined && fixed.every((f) => right(f) > 0);
  const byPower = powers ? side('right shifts as powers', (f) => 2 ** (31 - right(f))) : undefined;
  return (sum, c) => {
    const { type } = sum;
    const vector = isVector(type) && byPower !== undefined;
    const last = vector ? byPower : rightShift;
    const forms = [leftShift, last].map((s) => (s.uniform === undefined ? 'n' : s.uniform));
    const fn = `requantise_${type}_${forms.join('_')}${vector ? '_power' : ''}_${named(bounds)}`;
    const args: Expr[] = [sum, multiplier.read(type, c)];
    if (leftShift.uniform === undefined) args.push(leftShift.read(type, c));
    if (last.uniform === undefined) args.push(last.read(type, c));
    task.module.helper(fn, () => {
      const b = new Builder();
      const names = ['sum', 'multiplier'];
      if (leftShift.uniform === undefined) names.push('left');
      if (last.uniform === undefined) names.push('right');
      const of = (s: Side, p: string): Expr => (s.uniform === undefined ? param(p, type) : i32(s.uniform));
      const up = of(leftShift, 'left');
      const x = param('sum', type);
      const shifted = up.kind === 'const' && up.value === 0 ? x : shl(x, up);
      const product = b.let('product', highProduct(shifted, param('multiplier', type)));
      const scaled = vector
        ? highProduct(add(product, shr(product, i32(31))), param('right', type))
        : roundingShiftRight(b, product, of(rightShift, 'right'));
      const result = clamp(add(scaled, constant(type, bounds.zero)), bounds.least, bounds.greatest);
      return b.function(
        fn,
        names.map((n) => ({ name: n, type })),
        result,
      );
    });
    return call(type, fn, ...args);
  };
}

/** Words of a channel in the table of `shortStage`: multiplier, what is added before the shift, the shift. */
const SHORT_WORDS = 3;
const MOST_SHIFT = 20;

/**
 * The words of each channel. Exact where the factor is below a half and no sum reaches 2^30; a channel whose sums all come
 * to one result, as those without weights do, has that. Undefined where a channel is neither.
 */
function shortRows(
  fixed: readonly Fixed[],
  { zero, least, greatest }: Bounds,
  limits: readonly SumLimits[],
): number[][] | undefined {
  const rows: number[][] = [];
  for (const [c, { multiplier, shift }] of fixed.entries()) {
    const { from, to } = limits[c];
    const up = 2 ** Math.max(0, shift);
    if (from * up < -(2 ** 31) || to * up >= 2 ** 31) return undefined;
    const result = (sum: number) =>
      Math.min(greatest, Math.max(least, multiplyByQuantizedMultiplier(sum, multiplier, shift) + zero));
    const only = result(from);
    if (only === result(to)) rows.push([0, 2 * only, 1]);
    else if (shift > -1 || shift < -MOST_SHIFT || from <= -(2 ** 30) || to >= 2 ** 30) return undefined;
    else rows.push([multiplier, 2 ** (-shift - 1) + zero * 2 ** -shift, -shift]);
  }
  return rows;
}

/**
 * The same where the upper word of a rounded product is one instruction: that of twice the sum is the high product. Then
 * (r + half - (r < 0)) >> n is r / 2^n with ties away from zero, and the zero point is added with the half.
 */
function shortStage(task: Task, name: string, rows: readonly number[][], { least, greatest }: Bounds): Stage {
  const alike = rows.every((row) => row.every((v, i) => v === rows[0][i]));
  const region = alike ? undefined : task.module.constant(`${name} factors`, Int32Array.from(rows.flat()));
  const fn = `requantise_short_${word(least)}_${word(greatest)}`;
  return (sum, c) => {
    const of = (i: number): Expr =>
      region ? load('i32', 'i32', place(region, times(c, 4 * SHORT_WORDS), 4 * i)) : i32(rows[0][i]);
    task.module.helper(fn, () => {
      const b = new Builder();
      const [x, multiplier, more, shift] = ['sum', 'multiplier', 'more', 'shift'].map((p) => param(p, 'i32'));
      const product = b.let('product', highWord(shl(x, i32(1)), multiplier));
      const scaled = shr(add(add(product, shr(product, i32(31))), more), shift);
      const params = ['sum', 'multiplier', 'more', 'shift'].map((p) => ({ name: p, type: 'i32' as const }));
      return b.function(fn, params, clamp(scaled, least, greatest));
    });
    return call('i32', fn, sum, of(0), of(1), of(2));
  };
}

/** The same where lanes are shifted by a number each. */
function laneStage(task: Task, name: string, rows: readonly number[][], { least, greatest }: Bounds): Stage {
  const names = ['multiplier', 'more', 'shift'];
  const words = names.map((what, i) =>
    channelData(
      task,
      `${name} ${what}s`,
      Int32Array.from(rows, (row) => row[i]),
    ),
  );
  return (sum, c) => {
    const { type } = sum;
    const fn = `requantise_${type}_lanes_${word(least)}_${word(greatest)}`;
    task.module.helper(fn, () => {
      const b = new Builder();
      const [x, multiplier, more, shift] = ['sum', ...names].map((p) => param(p, type));
      const product = b.let('product', highProduct(x, multiplier));
      const scaled = shr(add(add(product, shr(product, i32(31))), more), shift);
      const params = ['sum', ...names].map((p) => ({ name: p, type }));
      return b.function(fn, params, clamp(scaled, least, greatest));
    });
    return call(type, fn, sum, ...words.map((read) => read(type, c)));
  };
}
