/** TFLite's softmaxes of stored numbers: 8 bits by gemmlowp's arithmetic, 16 bits by tables with interpolation. */
import { expOfNegative } from '../../arithmetic/fixed-point-functions.ts';
import { lookupTable } from '../../arithmetic/softmax-int16.ts';
import {
  highProduct as highProductOf,
  quantizeMultiplier,
  roundingShiftRight as shiftRightOf,
} from '../../arithmetic/tflite.ts';
import type { ElementType } from '../../graph/graph.ts';
import { clamp, multiplyFixed, roundingShiftRight } from '../arithmetic.ts';
import {
  add,
  and,
  Builder,
  compare,
  constant,
  convert,
  highProduct,
  i32,
  i64,
  load,
  max,
  mul,
  param,
  place,
  plus,
  select,
  shl,
  shr,
  sub,
  times,
  unary,
  xor,
} from '../builder.ts';
import type { Expr, Fn, Region } from '../ir.ts';
import type { Task } from '../kernel.ts';
import type { Line } from './lines.ts';

const DIFFERENCE_BITS = 5;
const SUM_BITS = 12;

export function fixedPointSoftmax(task: Task, from: ElementType, to: ElementType): Line {
  return from.dtype === 'i16' ? int16Softmax(task, from) : byteSoftmax(task, from, to);
}

/** src/arithmetic/softmax-fixed-point.ts; the exponentials of all differences are a table. */
function byteSoftmax(task: Task, from: ElementType, to: ElementType): Line {
  const { b, ctx } = task;
  const beta = Math.fround(Number(ctx.op.attrs.beta));
  const real = Math.min(beta * Math.fround(from.quant!.scale[0]) * 2 ** (31 - DIFFERENCE_BITS), 2147483647);
  const { multiplier, shift } = quantizeMultiplier(real);
  const radius = Math.floor(((2 ** DIFFERENCE_BITS - 1) * 2 ** (31 - DIFFERENCE_BITS)) / 2 ** shift);
  const bits = to.dtype === 'i16' ? 16 : 8;
  const least = to.dtype === 'i16' ? -32768 : to.dtype === 'i8' ? -128 : 0;
  const powers = Int32Array.from({ length: 256 }, (_, d) =>
    d > radius ? 0 : expOfNegative(highProductOf((-d * 2 ** shift) | 0, multiplier), DIFFERENCE_BITS),
  );
  // What is beyond the radius adds nothing to the sum.
  const parts = powers.map((p, d) => (d > radius ? 0 : shiftRightOf(p, SUM_BITS)));
  const powerTable = task.module.constant(`${ctx.op.name} powers`, powers);
  const partTable = task.module.constant(`${ctx.op.name} parts`, parts);
  const reciprocal = reciprocalHelper(task);
  const entry = (table: Region, d: Expr) => load('i32', 'i32', place(table, times(d, 4)));
  return (read, length) => {
    const most = greatestOf(b, read, length);
    const distance = (v: Expr) => b.natural('distance', convert('index', sub(most, v)));
    const sum = b.variable('sum', i32(0));
    b.for('i', 0, length, 1, (i) => b.set(sum, add(sum, entry(partTable, distance(read(i))))));
    const room = b.let('room', unary('clz', sum));
    const scale = b.let('scale', {
      kind: 'call',
      type: 'i32',
      name: reciprocal,
      args: [xor(shl(sum, room), i32(-2147483648))],
    });
    const exponent = b.let('exponent', sub(i32(SUM_BITS + 31 - bits), room));
    return (value) => {
      const d = distance(value);
      const q = roundingShiftRight(b, highProduct(scale, entry(powerTable, d)), exponent);
      const held = clamp(add(q, i32(least)), least, least + 2 ** bits - 1);
      return select(compare('le', d, constant('index', radius)), held, i32(least));
    };
  };
}

function greatestOf(b: Builder, read: (i: Expr) => Expr, length: number): Expr {
  const most = b.variable('most', i32(-32768));
  b.for('i', 0, length, 1, (i) => b.set(most, max(most, read(i))));
  return most;
}

/** src/arithmetic/softmax-int16.ts. */
function int16Softmax(task: Task, from: ElementType): Line {
  const { b, ctx } = task;
  const f = Math.fround;
  const exp = task.module.constant(
    'exp table',
    lookupTable((x) => f(Math.exp(x)), -10, 0),
  );
  const inverse = task.module.constant(
    'reciprocal table',
    lookupTable((x) => f(1 / f(1 + x)), 0, 1),
  );
  const fixed = quantizeMultiplier((f(from.quant!.scale[0]) * f(Number(ctx.op.attrs.beta))) / (10 / 65535));
  const lookup = (table: Region, value: Expr): Expr => {
    const v = b.let('v', clamp(value, -32768, 32767));
    const at = b.natural('at', times(plus(convert('index', shr(v, i32(7))), 256), 2));
    const low = b.let('low', load('i32', 'i16', place(table, at)));
    const slope = sub(load('i32', 'i16', place(table, plus(at, 2))), low);
    return add(low, shr(add(mul(slope, and(v, i32(127))), i32(64)), i32(7)));
  };
  return (read, length) => {
    const most = greatestOf(b, read, length);
    const power = (v: Expr) => {
      const scaled = multiplyFixed(b, sub(v, most), fixed);
      return b.let('power', lookup(exp, add(scaled, i32(32767))));
    };
    const sum = b.variable('sum', i32(0));
    b.for('i', 0, length, 1, (i) => b.set(sum, add(sum, power(read(i)))));
    const room = b.let('room', unary('clz', sum));
    const wide = shl(convert('i64', sum), convert('i64', sub(room, i32(1))));
    const shifted = convert('i32', shr(add(wide, i64(8192)), i64(14)));
    const scale = b.let('scale', lookup(inverse, sub(shifted, i32(98304))));
    const right = b.let('right', sub(i32(31), room));
    return (value) => {
      const half = shl(i32(1), sub(right, i32(1)));
      return clamp(shr(add(mul(power(value), scale), half), right), 0, 32767);
    };
  };
}

/** 1 / (1 + x), Q(0) to Q(0), of src/arithmetic/fixed-point-functions.ts. */
function reciprocalHelper({ module }: Task): string {
  const name = 'reciprocal_of_one_plus';
  return module.helper(name, (): Fn => {
    const b = new Builder();
    const x = param('x', 'i32');
    // (x + 2^31) / 2 without leaving 32 bits: x is not negative.
    const half = b.let('half', add(shr(x, i32(1)), i32(1073741824)));
    const y = b.variable('y', add(i32(1515870810), highProduct(half, i32(-1010580540))));
    for (let i = 0; i < 3; i++) {
      const error = b.let('error', sub(i32(536870912), highProduct(half, y)));
      const step = b.let('step', highProduct(y, error));
      b.set(y, add(y, saturatingShiftLeft(step, 2)));
    }
    return b.function(name, [{ name: 'x', type: 'i32' }], saturatingShiftLeft(y, 1));
  });
}

/** x * 2^bits, saturated. */
function saturatingShiftLeft(x: Expr, bits: number): Expr {
  const most = 2147483647 >> bits;
  const low = -(2147483648 / 2 ** bits);
  const high = select(compare('gt', x, i32(most)), i32(2147483647), shl(x, i32(bits)));
  return select(compare('lt', x, i32(low)), i32(-2147483648), high);
}
