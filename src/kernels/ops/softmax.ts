/** Softmax along the last axis: a line is a pixel. */
import { expOfNegative } from '../../arithmetic/fixed-point-functions.ts';
import {
  highProduct as highProductOf,
  quantizeMultiplier,
  roundingShiftRight as shiftRightOf,
} from '../../arithmetic/tflite.ts';
import type { ElementType } from '../../graph/graph.ts';
import { coreOutputType } from '../../ops/core-type.ts';
import { clamp, roundingShiftRight } from '../arithmetic.ts';
import {
  add,
  Builder,
  compare,
  constant,
  convert,
  div,
  f32,
  highProduct,
  i32,
  load,
  max,
  mul,
  param,
  place,
  select,
  shl,
  sub,
  times,
  unary,
  xor,
} from '../builder.ts';
import { decode, encode } from '../coding.ts';
import { siteOf } from '../constants.ts';
import { unsupported } from '../finish.ts';
import type { Expr, Fn } from '../ir.ts';
import type { OperatorKernels, Task } from '../kernel.ts';
import { realFunction } from '../real-functions.ts';
import { addressOf, elementAt } from '../site.ts';

export const softmaxKernels: readonly OperatorKernels[] = [{ kind: 'Softmax', write }];

function write(task: Task): void {
  const { ctx } = task;
  const from = ctx.inputs[0]!;
  if (ctx.op.attrs.axis !== Math.max(0, from.shape.length - 1))
    throw unsupported(ctx, 'an axis other than the last');
  const to = coreOutputType(ctx.op.epilogue, ctx.outputs[0]);
  if (ctx.dialect === 'tflite' && from.quant && to.quant) {
    if (from.dtype === 'i16') throw unsupported(ctx, 'int16');
    fixedPoint(task, from, to);
  } else real(task, from, to);
}

/** Greatest of a line, sum of exponentials in ascending order, quotients; in float32 but for the exponential itself. */
function real(task: Task, from: ElementType, to: ElementType): void {
  const { b, ctx, run } = task;
  const x = siteOf(task, 0);
  const [y] = task.outputs;
  const beta = Math.fround(Number(ctx.op.attrs.beta));
  const at = (address: Expr, c: Expr) =>
    decode(from, load(x.cell === 'f32' ? 'f32' : 'i32', x.cell, elementAt(x, address, c)));
  b.for('p', run.lo, run.hi, 1, (p) => {
    const i = b.let('at', addressOf(x, p));
    const o = b.let('to', addressOf(y, p));
    const most = b.variable('most', f32(-Infinity));
    b.for('c', 0, x.channels, 1, (c) => {
      const v = b.let('v', at(i, c));
      b.set(most, select(compare('ne', v, v), v, max(most, v)));
    });
    const power = (c: Expr) => {
      const scaled = mul(sub(at(i, c), most), f32(beta));
      return b.let('power', convert('f32', realFunction(task, 'exp', convert('f64', scaled))));
    };
    const sum = b.variable('sum', f32(0));
    b.for('c', 0, x.channels, 1, (c) => b.set(sum, add(sum, power(c))));
    b.for('c', 0, x.channels, 1, (c) => {
      const q = b.let('quotient', div(power(c), sum));
      b.store(y.cell, elementAt(y, o, c), encode(to, ctx.dialect, q));
    });
  });
}

const DIFFERENCE_BITS = 5;
const SUM_BITS = 12;

/** The reference's fixed-point softmax (src/arithmetic/softmax-fixed-point.ts); exponentials of all differences are a table. */
function fixedPoint(task: Task, from: ElementType, to: ElementType): void {
  const { b, ctx, run } = task;
  const x = siteOf(task, 0);
  const [y] = task.outputs;
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
  const stored = (address: Expr, c: Expr) => load('i32', x.cell, elementAt(x, address, c));
  b.for('p', run.lo, run.hi, 1, (p) => {
    const i = b.let('at', addressOf(x, p));
    const o = b.let('to', addressOf(y, p));
    const most = b.variable('most', i32(-32768));
    b.for('c', 0, x.channels, 1, (c) => b.set(most, max(most, stored(i, c))));
    const distance = (c: Expr) => b.let('distance', convert('index', sub(most, stored(i, c))));
    const sum = b.variable('sum', i32(0));
    b.for('c', 0, x.channels, 1, (c) =>
      b.set(sum, add(sum, load('i32', 'i32', place(partTable, times(distance(c), 4))))),
    );
    const room = b.let('room', unary('clz', sum));
    const scale = b.let('scale', {
      kind: 'call',
      type: 'i32',
      name: reciprocal,
      args: [xor(shl(sum, room), i32(-2147483648))],
    });
    const exponent = b.let('exponent', sub(i32(SUM_BITS + 31 - bits), room));
    b.for('c', 0, x.channels, 1, (c) => {
      const d = distance(c);
      const power = load('i32', 'i32', place(powerTable, times(d, 4)));
      const q = add(roundingShiftRight(b, highProduct(scale, power), exponent), i32(least));
      const held = clamp(q, least, least + 2 ** bits - 1);
      const near = compare('le', d, constant('index', radius));
      b.store(y.cell, elementAt(y, o, c), select(near, held, i32(least)));
    });
  });
}

/** 1 / (1 + x), Q(0) to Q(0), of src/arithmetic/fixed-point-functions.ts. */
function reciprocalHelper({ module }: Task): string {
  const name = 'reciprocal_of_one_plus';
  return module.helper(name, (): Fn => {
    const b = new Builder();
    const x = param('x', 'i32');
    // (x + 2^31) / 2 without leaving 32 bits: x is not negative.
    const half = b.let('half', add(shrOne(x), i32(1073741824)));
    const y = b.variable('y', add(i32(1515870810), highProduct(half, i32(-1010580540))));
    for (let i = 0; i < 3; i++) {
      const error = b.let('error', sub(i32(536870912), highProduct(half, y)));
      const step = b.let('step', highProduct(y, error));
      b.set(y, add(y, saturatingShiftLeft(step, 2)));
    }
    return b.function(name, [{ name: 'x', type: 'i32' }], saturatingShiftLeft(y, 1));
  });
}

function shrOne(x: Expr): Expr {
  return { kind: 'binary', type: 'i32', op: 'shr', a: x, b: i32(1) };
}

/** x * 2^bits, saturated. */
function saturatingShiftLeft(x: Expr, bits: number): Expr {
  const most = 2147483647 >> bits;
  const low = -(2147483648 / 2 ** bits);
  const shifted = shl(x, i32(bits));
  const high = select(compare('gt', x, i32(most)), i32(2147483647), shifted);
  return select(compare('lt', x, i32(low)), i32(-2147483648), high);
}
