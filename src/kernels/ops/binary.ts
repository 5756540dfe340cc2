/** Elementwise functions of two tensors with broadcasting. */
import { quantizeMultiplier } from '../../arithmetic/tflite.ts';
import { channelsOf, type ElementType } from '../../graph/graph.ts';
import { BINARY_KINDS } from '../../ops/binary.ts';
import { type PixelMap, pixelMap } from '../../ops/broadcast.ts';
import { coreOutputType } from '../../ops/core-type.ts';
import { integerRange, sameType, wholeQuantisation } from '../../ops/stored.ts';
import { clamp, cutTo, multiplyFixed } from '../arithmetic.ts';
import {
  add,
  type Builder,
  compare,
  constant,
  convert,
  div,
  type Index,
  i32,
  lane,
  load,
  max,
  min,
  mul,
  over,
  plus,
  select,
  shl,
  splat,
  sub,
  times,
  unary,
  xor,
} from '../builder.ts';
import { decode, encode } from '../coding.ts';
import { siteOf } from '../constants.ts';
import { overLanes } from '../elements.ts';
import { epilogue, isChannelwise, unsupported } from '../finish.ts';
import { type Expr, isVector, lanesOf, typeOf } from '../ir.ts';
import type { OperatorKernels, Task } from '../kernel.ts';
import { realFunction } from '../real-functions.ts';
import { addressOf, elementAt, isDense, runsUnbroken, type Site } from '../site.ts';
import { storedPair } from './binary-stored.ts';

/** On what is loaded: f32 or i32, scalars or lanes. */
export type Pair = (a: Expr, b: Expr) => Expr;

export const binaryKernels: readonly OperatorKernels[] = BINARY_KINDS.map((kind) => ({
  kind,
  fused: true,
  write,
}));

function write(task: Task): void {
  const { b, ctx, machine, run } = task;
  const [to] = task.outputs;
  const { shape } = ctx.outputs[0];
  const sites = [siteOf(task, 0), siteOf(task, 1)];
  const maps = ctx.inputs.map((t) => pixelMap(t!.shape, shape));
  const after = epilogue(task);
  const f = pairOf(task, coreOutputType(ctx.op.epilogue, ctx.outputs[0]));
  const channelwise = (ctx.op.epilogue ?? []).some(isChannelwise);
  const channels = channelsOf(shape);
  const single = (m: PixelMap) => m.form === 'one' && (m.channelStep === 0 || channels === 1);
  const flat = (s: Site, m: PixelMap) =>
    single(m) || (m.form === 'same' && m.channelStep === 1 && isDense(s) && runsUnbroken(s, run.length));
  const joined =
    !channelwise && sites.every((s, i) => flat(s, maps[i])) && isDense(to) && runsUnbroken(to, run.length);

  const line = (p: Expr, count: Index) => {
    const at = maps.map((m, i) =>
      b.let('at', addressOf(sites[i], pixelUnder(b, m, p, shape, ctx.inputs[i]!.shape))),
    );
    const o = b.let('to', addressOf(to, p));
    // What does not change along the line is loaded before it.
    const fixed = maps.map((m, i) =>
      single(m) || m.channelStep === 0
        ? b.let('fixed', load(scalarType(sites[i]), sites[i].cell, elementAt(sites[i], at[i])))
        : undefined,
    );
    overLanes(b, count, machine.lanes, (e, lanes) => {
      const [x, y] = sites.map((s, i) => {
        const type = typeOf(s.cell === 'f32' ? 'f32' : 'i32', lanes);
        return b.let(
          i === 0 ? 'x' : 'y',
          fixed[i] ? splat(type, fixed[i]) : load(type, s.cell, elementAt(s, at[i], e)),
        );
      });
      b.store(to.cell, elementAt(to, o, e), after(b.let('z', f(x, y)), e));
    });
  };
  if (joined) {
    const count = run.even ? run.length * channels : b.let('count', times(sub(run.hi, run.lo), channels));
    line(run.lo, count);
  } else b.for('p', run.lo, run.hi, 1, (p) => line(p, channels));
}

const scalarType = (s: Site) => (s.cell === 'f32' ? 'f32' : 'i32');

/** The input's pixel under an output pixel (src/ops/broadcast.ts). */
export function pixelUnder(
  b: Builder,
  map: PixelMap,
  p: Expr,
  output: readonly number[],
  input: readonly number[],
): Index {
  if (map.form === 'same') return p;
  if (map.form === 'one') return 0;
  let under: Expr = plus(0, 0);
  let inner = 1;
  let step = 1;
  for (let k = output.length - 2; k >= 0; k--) {
    const at = k - (output.length - input.length);
    const size = output[k];
    if (at >= 0 && input[at] === size && size > 1) {
      const wraps = output.slice(0, k).some((d) => d > 1);
      const coordinate = over(p, inner);
      const c: Expr = wraps
        ? { kind: 'binary', type: 'index', op: 'rem', a: coordinate, b: plus(size, 0) }
        : coordinate;
      under = plus(under, times(c, step));
      step *= size;
    }
    inner *= size;
  }
  return b.let('under', under);
}

/** The function on stored values. */
function pairOf(task: Task, to: ElementType): Pair {
  const { ctx, b } = task;
  const [x, y] = ctx.inputs as readonly ElementType[];
  const { kind } = ctx.op;
  const quantised = x.quant || y.quant || to.quant;
  if (!quantised) {
    if (x.dtype !== 'f32') {
      const f = kind === 'Pow' ? wholePower(task) : integers[kind]?.(ctx.op.attrs);
      if (!f || (y.dtype === 'f32' && kind !== 'Pow')) throw unsupported(ctx, `${x.dtype} and ${y.dtype}`);
      return to.dtype === 'i32' || comparing(kind) ? f : (a, c) => cutTo(to.dtype, b.let('word', f(a, c)));
    }
    const real = realPair(task, kind);
    if (comparing(kind)) return real;
    return y.dtype === 'f32' ? real : (a, c) => real(a, convert(a.type, c));
  }
  const own = storedForm(task, to);
  if (own) return own;
  const real = realPair(task, kind);
  return (a, c) => {
    const value = b.let('r', real(b.let('a', decode(x, a)), b.let('c', decode(y, c))));
    return comparing(kind) ? value : encode(to, ctx.dialect, value);
  };
}

const comparisons = {
  Equal: 'eq',
  Greater: 'gt',
  GreaterOrEqual: 'ge',
  Less: 'lt',
  LessOrEqual: 'le',
} as const;

function comparing(kind: string): boolean {
  return kind in comparisons || kind === 'And' || kind === 'Or' || kind === 'Xor';
}

/** 1 or 0 in i32 lanes. */
function truth(cond: Expr): Expr {
  return isVector(cond.type)
    ? { kind: 'binary', type: cond.type, op: 'and', a: cond, b: constant(cond.type, 1) }
    : cond;
}

const isTrue = (x: Expr) => truth(compare('ne', x, constant(x.type, 0)));

const logical: Record<string, Pair> = {
  And: (a, b) => mul(isTrue(a), isTrue(b)),
  Or: (a, b) => max(isTrue(a), isTrue(b)),
  Xor: (a, b) => truth(compare('ne', isTrue(a), isTrue(b))),
};

/** On f32. */
function realPair(task: Task, kind: string): Pair {
  const { b } = task;
  const order = comparisons[kind as keyof typeof comparisons];
  if (order) return (x, y) => truth(compare(order, x, y));
  if (logical[kind]) return logical[kind];
  const zero = (x: Expr) => constant(x.type, 0);
  switch (kind) {
    case 'Add':
      return add;
    case 'Sub':
      return sub;
    case 'Mul':
      return mul;
    case 'Div':
      return div;
    case 'Min':
    case 'Max':
      // NaN where either is; of two zeros Math.max takes the positive one.
      return (x, y) => {
        const chosen = (kind === 'Min' ? min : max)(x, y);
        const zeros = kind === 'Min' ? sub(zero(x), sub(sub(zero(x), x), y)) : add(x, y);
        const both = select(compare('eq', x, y), select(compare('eq', x, zero(x)), zeros, x), chosen);
        return select(compare('ne', y, y), y, select(compare('ne', x, x), x, both));
      };
    case 'SquaredDifference':
      return (x, y) => {
        const d = b.let('d', sub(x, y));
        return mul(d, d);
      };
    case 'PRelu':
      return (x, slope) => select(compare('lt', x, zero(x)), mul(x, slope), x);
    case 'FloorDiv':
      return (x, y) => unary('floor', div(x, y));
    case 'Pow':
      return lanewise(task, (x, y) =>
        convert('f32', realFunction(task, 'pow', convert('f64', x), convert('f64', y))),
      );
    default:
      throw unsupported(task.ctx, 'float32');
  }
}

/** Powers of whole numbers, truncated. */
function wholePower(task: Task): Pair {
  const power: Pair = (x, y) => {
    const real = realFunction(task, 'pow', convert('f64', x), convert('f64', y));
    return convert('i32', unary('trunc', real));
  };
  return (x, y) => {
    if (!isVector(x.type)) return power(x, y);
    const items = Array.from({ length: lanesOf(x.type) }, (_, i) =>
      task.b.let('lane', power(lane(x, i), lane(y, i))),
    );
    return { kind: 'vector', type: x.type, items };
  };
}

/** A scalar function on each lane. */
function lanewise({ b }: Task, f: Pair): Pair {
  return (x, y) => {
    if (!isVector(x.type)) return f(x, y);
    const items = Array.from({ length: lanesOf(x.type) }, (_, i) => {
      const at = (v: Expr): Expr => ({ kind: 'lane', type: 'f32', x: v, index: i });
      return b.let('lane', f(at(x), at(y)));
    });
    return { kind: 'vector', type: x.type, items };
  };
}

const isZero = (y: Expr) => compare('eq', y, i32(0));

/** x / y of i32, truncated. */
function truncatedQuotient(x: Expr, y: Expr): Expr {
  const safe = select(isZero(y), i32(1), select(compare('eq', y, i32(-1)), i32(1), y));
  const quotient = div(x, safe);
  const signed = select(compare('eq', y, i32(-1)), sub(i32(0), x), quotient);
  return select(isZero(y), i32(0), signed);
}

/** 1 where the quotient that rounds down is one below the truncated one, else 0. */
function below(x: Expr, y: Expr): Expr {
  const rest = select(isZero(y), i32(0), sub(x, mul(truncatedQuotient(x, y), y)));
  const differ = compare('lt', xor(rest, y), i32(0));
  return select(compare('eq', rest, i32(0)), i32(0), differ);
}

/** A function of scalars on each lane. */
function lanes(f: Pair): Pair {
  return (x, y) => {
    if (!isVector(x.type)) return f(x, y);
    const at = (v: Expr, i: number): Expr => ({ kind: 'lane', type: 'i32', x: v, index: i });
    const items = Array.from({ length: lanesOf(x.type) }, (_, i) => f(at(x, i), at(y, i)));
    return { kind: 'vector', type: x.type, items };
  };
}

/** On whole numbers without quantisation. */
const integers: Record<string, (attrs: Task['ctx']['op']['attrs']) => Pair> = {
  Add: () => add,
  Sub: () => sub,
  Mul: () => mul,
  Min: () => min,
  Max: () => max,
  SquaredDifference: () => (x, y) => mul(sub(x, y), sub(x, y)),
  // Of zero divisors 0, as of the least number and -1 what wraps.
  Div: () => lanes(truncatedQuotient),
  FloorDiv: () => lanes((x, y) => add(truncatedQuotient(x, y), sub(i32(0), below(x, y)))),
  Mod: (attrs) =>
    lanes((x, y) => {
      const r = sub(x, mul(truncatedQuotient(x, y), y));
      const rest = select(isZero(y), i32(0), r);
      return attrs.truncated ? rest : add(rest, mul(below(x, y), y));
    }),
  ...Object.fromEntries(
    Object.entries(comparisons).map(([kind, op]) => [
      kind,
      () => (x: Expr, y: Expr) => truth(compare(op, x, y)),
    ]),
  ),
  ...Object.fromEntries(Object.entries(logical).map(([kind, f]) => [kind, () => f])),
};

/** A rule of its own for quantised values; undefined where real numbers are the rule. */
function storedForm(task: Task, to: ElementType): Pair | undefined {
  const { ctx, b } = task;
  const [x, y] = ctx.inputs as readonly ElementType[];
  const { kind } = ctx.op;
  const [qa, qb, qy] = [x, y, to].map(wholeQuantisation);
  const tflite = ctx.dialect === 'tflite';
  const [least, greatest] = integerRange(to.dtype);
  if (kind === 'Min' || kind === 'Max') {
    const f = kind === 'Min' ? min : max;
    return tflite || (sameType(x, to) && sameType(y, to)) ? f : undefined;
  }
  if (!tflite || !qa || !qb) return undefined;
  if (!qy && !comparing(kind)) return undefined;
  if ((kind === 'Add' || kind === 'Sub') && qy) {
    const leftShift = to.dtype === 'i16' ? 15 : 20;
    const precise = kind === 'Add' || to.dtype !== 'i8' ? (v: number) => v : Math.fround;
    const twice = 2 * Math.max(qa.scale, qb.scale);
    const ma = quantizeMultiplier(precise(qa.scale / twice));
    const mb = quantizeMultiplier(precise(qb.scale / twice));
    const mo = quantizeMultiplier(precise(twice / precise(2 ** leftShift * qy.scale)));
    const scaled = (q: Expr, zero: number, m: typeof ma) =>
      multiplyFixed(b, shl(centred(q, zero), i32(leftShift)), m);
    return (p, q) => {
      const left = b.let('left', scaled(p, qa.zero, ma));
      const right = b.let('right', scaled(q, qb.zero, mb));
      const sum = kind === 'Add' ? add(left, right) : sub(left, right);
      const out = multiplyFixed(b, sum, mo);
      return clamp(add(out, constant(out.type, qy.zero)), least, greatest);
    };
  }
  if (kind === 'Mul' && qy) {
    const m = quantizeMultiplier((qa.scale * qb.scale) / qy.scale);
    return (p, q) => {
      const scaled = multiplyFixed(b, mul(centred(p, qa.zero), centred(q, qb.zero)), m);
      return clamp(add(scaled, constant(scaled.type, qy.zero)), least, greatest);
    };
  }
  return storedPair(task, to);
}

function centred(q: Expr, zero: number): Expr {
  return zero === 0 ? q : sub(q, constant(q.type, zero));
}
