/**
 * From a sum of products to a stored integer, as a function that all kernels of a program call: written out at every
 * place where a kernel finishes a pixel it would be most of the code.
 */
import { clamp, multiplyFloat, roundingShiftRight } from './arithmetic.ts';
import { add, Builder, call, constant, highProduct, type Index, i32, param, shl, shr } from './builder.ts';
import { channelData } from './channel-data.ts';
import { type Expr, isVector, lanesOf, type Type, typeOf } from './ir.ts';
import type { Task } from './kernel.ts';

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
export function fixedStage(task: Task, name: string, fixed: readonly Fixed[], bounds: Bounds): Stage {
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
