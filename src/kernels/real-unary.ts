/**
 * Elementwise functions of real numbers, on f32 scalars and lanes. Plain ones give the reference's bits; those with
 * an exponential inside work in double precision (real-functions.ts) and are rounded once, as the reference is.
 */
import { TidemarkError } from '../errors.ts';
import type { Attributes } from '../graph/graph.ts';
import {
  add,
  compare,
  constant,
  convert,
  div,
  f32,
  f64,
  type Index,
  lane,
  max,
  min,
  mul,
  select,
  unary,
  vector,
} from './builder.ts';
import { channelData } from './channel-data.ts';
import { type Expr, isVector, lanesOf } from './ir.ts';
import type { Task } from './kernel.ts';
import { type RealFunction, realFunction } from './real-functions.ts';

type Map = (x: Expr, channel: Index) => Expr;
type Make = (task: Task, attrs: Attributes) => Map;

const { fround } = Math;
const at = (like: Expr, value: number) => constant(like.type, fround(value));

/** Functions that need no more than float32 operations. */
const simple: Record<string, (attrs: Attributes) => (x: Expr) => Expr> = {
  Copy: () => (x) => x,
  Clip:
    ({ min: low, max: high }) =>
    (x) => {
      // Written so that NaN stays: the first operand stands where a comparison fails.
      const above = low === null ? x : max(x, at(x, Number(low)));
      return high === null ? above : min(above, at(x, Number(high)));
    },
  LeakyRelu:
    ({ alpha }) =>
    (x) =>
      select(compare('lt', x, at(x, 0)), mul(x, at(x, Number(alpha))), x),
  Neg: () => (x) => unary('neg', x),
  Abs: () => (x) => unary('abs', x),
  Floor: () => (x) => unary('floor', x),
  Ceil: () => (x) => unary('ceil', x),
  Round: () => (x) => unary('nearest', x),
  Sqrt: () => (x) => unary('sqrt', x),
  Rsqrt: () => (x) => div(at(x, 1), unary('sqrt', x)),
  Reciprocal: () => (x) => div(at(x, 1), x),
  Sign: () => (x) =>
    select(compare('gt', x, at(x, 0)), at(x, 1), select(compare('lt', x, at(x, 0)), at(x, -1), x)),
  ThresholdedRelu:
    ({ alpha }) =>
    (x) =>
      select(compare('gt', x, at(x, Number(alpha))), x, at(x, 0)),
  HardSigmoid:
    ({ alpha, beta }) =>
    (x) => {
      const line = add(mul(x, at(x, Number(alpha))), at(x, Number(beta)));
      return max(min(line, at(x, 1)), at(x, 0));
    },
};

/** Functions of a double, rounded once. */
const precise: Record<
  string,
  (attrs: Attributes) => (call: (f: RealFunction, x: Expr) => Expr, x: Expr) => Expr
> = {
  Exp: () => (f, x) => f('exp', x),
  Log: () => (f, x) => f('log', x),
  Sin: () => (f, x) => f('sin', x),
  Cos: () => (f, x) => f('cos', x),
  Tanh: () => (f, x) => f('tanh', x),
  Erf: () => (f, x) => f('erf', x),
  Sigmoid: () => (f, x) => div(f64(1), add(f64(1), f('exp', unary('neg', x)))),
  Silu: () => (f, x) => div(x, add(f64(1), f('exp', unary('neg', x)))),
  Softsign: () => (_f, x) => div(x, add(f64(1), unary('abs', x))),
  HardSwish: () => (_f, x) => {
    const gate = convert('f64', add(convert('f32', x), f32(3)));
    return div(mul(x, min(max(gate, f64(0)), f64(6))), f64(6));
  },
  Softplus: () => (f, x) => f('softplus', x),
  Mish: () => (f, x) => mul(x, f('tanh', f('softplus', x))),
  Elu:
    ({ alpha }) =>
    (f, x) =>
      select(compare('lt', x, f64(0)), mul(f64(fround(Number(alpha))), f('expm1', x)), x),
  Celu:
    ({ alpha }) =>
    (f, x) => {
      const a = fround(Number(alpha));
      return select(compare('lt', x, f64(0)), mul(f64(a), f('expm1', div(x, f64(a)))), x);
    },
  Selu:
    ({ alpha, gamma }) =>
    (f, x) => {
      const below = mul(f64(fround(Number(alpha))), f('expm1', x));
      return mul(f64(fround(Number(gamma))), select(compare('gt', x, f64(0)), x, below));
    },
  Gelu:
    ({ approximate }) =>
    (f, x) => {
      const half = mul(f64(0.5), x);
      if (approximate !== true && approximate !== 'tanh')
        return mul(half, add(f64(1), f('erf', mul(x, f64(Math.SQRT1_2)))));
      const cube = mul(mul(mul(f64(0.044715), x), x), x);
      return mul(half, add(f64(1), f('tanh', mul(f64(Math.sqrt(2 / Math.PI)), add(x, cube)))));
    },
};

/** The function that an elementwise operator applies to float32 values. */
export function realUnary(task: Task, kind: string, attrs: Attributes): Map {
  const plain = simple[kind];
  if (plain) {
    const f = plain(attrs);
    return (x) => f(task.b.let('x', x));
  }
  const channelwise = perChannel[kind];
  if (channelwise) return channelwise(task, attrs);
  const real = precise[kind];
  if (!real) {
    throw new TidemarkError(
      'operator-unsupported',
      `${kind} (${task.ctx.op.name}) of float32 cannot be emitted yet; run it with --backend reference`,
    );
  }
  const f = real(attrs);
  const one = (x: Expr): Expr => {
    const wide = task.b.let('wide', convert('f64', x));
    return convert(
      'f32',
      f((name, v) => realFunction(task, name, v), wide),
    );
  };
  return (x) => {
    if (!isVector(x.type)) return one(x);
    const v = task.b.let('x', x);
    const items = Array.from({ length: lanesOf(v.type) }, (_, i) => task.b.let('y', one(lane(v, i))));
    return vector(v.type, items);
  };
}

const perChannel: Record<string, Make> = {
  ChannelAffine: (task, attrs) => {
    const scale = channelData(
      task,
      `${task.ctx.op.name} scale`,
      Float32Array.from(attrs.scale as readonly number[]),
    );
    const shift = channelData(
      task,
      `${task.ctx.op.name} shift`,
      Float32Array.from(attrs.shift as readonly number[]),
    );
    return (x, c) => add(mul(x, scale(x.type, c)), shift(x.type, c));
  },
  ChannelPRelu: (task, attrs) => {
    const slope = channelData(
      task,
      `${task.ctx.op.name} slope`,
      Float32Array.from(attrs.slope as readonly number[]),
    );
    return (x, c) => {
      const v = task.b.let('x', x);
      return select(compare('lt', v, at(v, 0)), mul(v, slope(v.type, c)), v);
    };
  },
};
