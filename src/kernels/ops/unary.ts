/** Elementwise functions of one tensor: tables or clamps of stored integers, arithmetic on real numbers. */
import { channelsOf, type ElementType } from '../../graph/graph.ts';
import { coreOutputType } from '../../ops/core-type.ts';
import { definitions } from '../../ops/definitions.ts';
import { definitionOf } from '../../ops/registry.ts';
import { storedFunction } from '../../ops/unary.ts';
import { clamp, cutTo } from '../arithmetic.ts';
import { compare, constant, convert, load, max, select, sub } from '../builder.ts';
import { decode, encode } from '../coding.ts';
import { siteOf } from '../constants.ts';
import { overLanes, overLines } from '../elements.ts';
import { epilogue, type Finish, isChannelwise, tabled, unsupported } from '../finish.ts';
import { type Expr, lanesOf, typeOf } from '../ir.ts';
import type { OperatorKernels, Task } from '../kernel.ts';
import { realUnary } from '../real-unary.ts';
import { elementAt } from '../site.ts';

export const unaryKernels: readonly OperatorKernels[] = definitions
  .filter((d) => d.unary)
  .map((d) => ({ kind: d.kind, fused: true, write }));

function write(task: Task): void {
  const { b, ctx, machine } = task;
  const x = ctx.inputs[0]!;
  const core = coreOutputType(ctx.op.epilogue, ctx.outputs[0]);
  const own = { kind: ctx.op.kind, from: x, to: core };
  for (const type of [x, core]) {
    const axis = type.quant && type.quant.scale.length > 1 ? type.quant.axis : undefined;
    if (axis !== undefined && axis !== x.shape.length - 1)
      throw unsupported(ctx, `one scale for each index of axis ${axis}`);
  }
  const channelwise = [own, ...(ctx.op.epilogue ?? [])].some(isChannelwise);
  const from = siteOf(task, 0);
  const [to] = task.outputs;
  const after = epilogue(task);
  const map = elementFunction(task, x, core, isChannelwise(own));
  overLines(b, [from, to], task.run, !channelwise, ({ addresses: [i, o], count }) => {
    overLanes(b, count, machine.lanes, (e, lanes) => {
      const type = typeOf(from.cell === 'f32' ? 'f32' : 'i32', lanes);
      const value = b.let('y', map(b.let('x', load(type, from.cell, elementAt(from, i, e))), e));
      b.store(to.cell, elementAt(to, o, e), after(value, e));
    });
  });
}

/** The operator's own function, from what is loaded to what is stored. */
function elementFunction(task: Task, from: ElementType, to: ElementType, channelwise: boolean): Finish {
  const { ctx } = task;
  const { op, dialect } = ctx;
  if (op.kind === 'Copy') return (x) => x;
  if (op.kind === 'Cast' && (from.dtype === 'f32' || from.dtype === 'i32')) return (x) => castTo(to, x);
  if (op.kind === 'Dequantize' && !channelwise && from.dtype !== 'f32') return (x) => decode(from, x);
  if (from.dtype === 'f32') {
    if (to.dtype !== 'f32' && !to.quant) throw unsupported(ctx, `float32 to ${to.dtype}`);
    if (channelwise && to.dtype !== 'f32') throw unsupported(ctx, 'one scale for each channel');
    const real: Finish = op.kind === 'Quantize' ? (x) => x : realUnary(task, op.kind, op.attrs);
    return (x, c) => encode(to, dialect, task.b.let('r', real(x, c)));
  }
  if (from.dtype === 'i32') {
    const whole = integers[op.kind]?.(op.attrs);
    if (!whole || to.dtype === 'f32' || from.quant || to.quant)
      throw unsupported(ctx, `${from.dtype} to ${to.dtype}`);
    return (x) => whole(x);
  }
  const f = storedFunction(definitionOf(op.kind).unary!, op.attrs, from, to, dialect);
  return tabled(task, from, to, f, channelwise ? channelsOf(ctx.inputs[0]!.shape) : 1);
}

/** Functions of whole numbers without quantisation. */
const integers: Record<string, (attrs: Task['ctx']['op']['attrs']) => (x: Expr) => Expr> = {
  Neg: () => (x) => sub(constant(x.type, 0), x),
  Abs: () => (x) => max(x, sub(constant(x.type, 0), x)),
  Sign: () => (x) => sign(x),
  Not: () => (x) => select(compare('eq', x, constant(x.type, 0)), constant(x.type, 1), constant(x.type, 0)),
  Floor: () => (x) => x,
  Ceil: () => (x) => x,
  Round: () => (x) => x,
  Clip:
    ({ min, max: most }) =>
    (x) =>
      clamp(
        x,
        min === null ? -2147483648 : Math.max(-2147483648, Math.ceil(Number(min))),
        most === null ? 2147483647 : Math.min(2147483647, Math.floor(Number(most))),
      ),
};

function sign(x: Expr): Expr {
  const at = (n: number) => constant(x.type, n);
  const negative = select(compare('lt', x, at(0)), at(-1), at(0));
  return select(compare('gt', x, at(0)), at(1), negative);
}

/** A number by value as another type (src/ops/cast.ts): truncated, saturated at 32 bits, then cut to the type. */
function castTo(to: ElementType, x: Expr): Expr {
  const lanes = lanesOf(x.type);
  if (to.dtype === 'f32') return convert(typeOf('f32', lanes), x);
  if (to.dtype === 'bool') {
    const whole = typeOf('i32', lanes);
    const zero = compare('eq', x, constant(x.type, 0));
    return select(zero, constant(whole, 0), constant(whole, 1));
  }
  return cutTo(to.dtype, convert(typeOf('i32', lanes), x));
}
