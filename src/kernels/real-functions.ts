/**
 * exp, log and what follows from them in double precision, written in the loop-nest language, so that no target
 * needs a mathematical library. Errors are about 1e-16 of the result; rounded to float32 they give the
 * reference's number but where that lies within 1e-16 of a tie.
 */
import {
  add,
  and,
  Builder,
  call,
  compare,
  convert,
  div,
  f64,
  i32,
  i64,
  max,
  min,
  mul,
  or,
  param,
  select,
  shl,
  shr,
  sub,
  unary,
} from './builder.ts';
import type { Expr, Fn } from './ir.ts';
import type { Module } from './module.ts';

export type RealFunction = 'exp' | 'expm1' | 'log' | 'softplus' | 'tanh' | 'sin' | 'cos' | 'erf' | 'pow';

/** A call of one of them; it becomes part of the program. */
export function realFunction(
  { module }: { readonly module: Module },
  name: RealFunction,
  ...args: Expr[]
): Expr {
  return call('f64', helper(module, name), ...args);
}

type Make = (b: Builder, x: Expr, f: (name: RealFunction, x: Expr) => Expr) => Expr;

function helper(module: Module, name: RealFunction): string {
  const full = `real_${name}`;
  return module.helper(full, () => {
    const b = new Builder();
    const params =
      name === 'pow'
        ? [{ name: 'x', type: 'f64' } as const, { name: 'y', type: 'f64' } as const]
        : [{ name: 'x', type: 'f64' } as const];
    const f = (other: RealFunction, x: Expr) => call('f64', helper(module, other), x);
    const result = makers[name](b, param('x', 'f64'), f);
    return b.function(full, params, result) as Fn;
  });
}

/**
 * A polynomial, the highest power first. Neighbours are put together with x, their sums with x^2, then with x^4 (Estrin's
 * scheme): the steps of one value hardly wait for each other, which Horner's rule makes them do.
 */
function polynomial(b: Builder, x: Expr, coefficients: readonly number[]): Expr {
  let terms: Expr[] = [...coefficients].reverse().map((c) => f64(c));
  let power = x;
  while (terms.length > 1) {
    const next: Expr[] = [];
    for (let i = 0; i < terms.length; i += 2)
      next.push(i + 1 < terms.length ? b.let('p', add(terms[i], mul(terms[i + 1], power))) : terms[i]);
    terms = next;
    if (terms.length > 1) power = b.let('power', mul(power, power));
  }
  return terms[0];
}

/** 1 / n! for n = most, ..., least. */
function inverseFactorials(most: number, least: number): number[] {
  const all = [1];
  for (let n = 1; n <= most; n++) all.push(all[n - 1] / n);
  return all.slice(least).reverse();
}

/** 2^k for a whole k from -1022 to 1023. */
function powerOfTwo(k: Expr): Expr {
  return convert('f64', shl(convert('i64', add(k, i32(1023))), i64(52)), 'bits');
}

const notANumber = (x: Expr) => compare('ne', x, x);
/** ln 2 as a sum of which the first has 32 trailing zeros. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

const makers: Record<RealFunction, Make> = {
  exp(b, x) {
    const inside = b.let('inside', min(max(x, f64(-746)), f64(710)));
    const k = b.let('k', unary('nearest', mul(inside, f64(Math.LOG2E))));
    const r = b.let('r', sub(sub(inside, mul(k, f64(LN2_HIGH))), mul(k, f64(LN2_LOW))));
    const p = polynomial(b, r, inverseFactorials(13, 0));
    const whole = b.let('whole', convert('i32', k));
    const half = b.let('half', shr(whole, i32(1)));
    const scaled = mul(mul(p, powerOfTwo(half)), powerOfTwo(sub(whole, half)));
    return select(notANumber(x), x, scaled);
  },

  expm1(b, x, f) {
    const small = b.let('small', min(max(x, f64(-0.5)), f64(0.5)));
    const series = mul(small, polynomial(b, small, inverseFactorials(16, 1)));
    return select(compare('eq', x, small), series, sub(f('exp', x), f64(1)));
  },

  log(b, x) {
    const bits = b.let('bits', convert('i64', x, 'bits'));
    const low = i64(0xfffffffffffffn);
    const one = i64(0x3ff0000000000000n);
    const fraction = b.let('fraction', convert('f64', or(and(bits, low), one), 'bits'));
    const large = b.let('large', compare('gt', fraction, f64(Math.SQRT2)));
    const m = b.let('m', select(large, mul(fraction, f64(0.5)), fraction));
    const exponent = sub(and(convert('i32', shr(bits, i64(52))), i32(2047)), i32(1023));
    const k = b.let('k', convert('f64', add(exponent, large)));
    const s = b.let('s', div(sub(m, f64(1)), add(m, f64(1))));
    const square = b.let('square', mul(s, s));
    const odd = Array.from({ length: 12 }, (_, i) => 2 / (2 * i + 1)).reverse();
    const p = polynomial(b, square, odd);
    const sum = add(mul(k, f64(LN2_HIGH)), add(mul(k, f64(LN2_LOW)), mul(s, p)));
    const inside = select(compare('eq', x, f64(Infinity)), x, sum);
    const positive = select(compare('eq', x, f64(0)), f64(-Infinity), inside);
    return select(compare('ge', x, f64(0)), positive, f64(Number.NaN));
  },

  softplus(b, x, f) {
    const e = b.let('e', f('exp', unary('neg', unary('abs', x))));
    // ln(1 + e): what the sum 1 + e loses of e is put back by the quotient.
    const u = b.let('u', add(f64(1), e));
    const part = b.let('part', sub(u, f64(1)));
    const nonzero = select(compare('eq', part, f64(0)), f64(1), part);
    const log = select(compare('eq', part, f64(0)), e, mul(f('log', u), div(e, nonzero)));
    return add(max(x, f64(0)), log);
  },

  tanh(b, x, f) {
    const a = b.let('a', min(unary('abs', x), f64(22)));
    const e = b.let('e', f('expm1', mul(f64(2), a)));
    const t = b.let('t', div(e, add(e, f64(2))));
    const signed = select(compare('lt', x, f64(0)), unary('neg', t), t);
    return select(notANumber(x), x, select(compare('eq', x, f64(0)), x, signed));
  },

  sin: (b, x) => circular(b, x, 0),
  cos: (b, x) => circular(b, x, 1),

  erf(b, x, f) {
    // The series and the continued fraction of src/arithmetic/error-function.ts.
    const a = b.let('a', min(unary('abs', x), f64(7)));
    const y = b.variable('y', f64(1));
    b.if(
      compare('lt', a, f64(2.5)),
      () => {
        const square = b.let('square', mul(a, a));
        const term = b.variable('term', a);
        const sum = b.variable('sum', a);
        b.for('n', 1, 60, 1, (n) => {
          const count = b.let('count', convert('f64', n));
          b.set(term, div(mul(term, unary('neg', square)), count));
          b.set(sum, add(sum, div(term, add(mul(f64(2), count), f64(1)))));
        });
        b.set(y, mul(f64(2 / Math.sqrt(Math.PI)), sum));
      },
      () => {
        const fraction = b.variable('cf', f64(0));
        b.for('n', 0, 60, 1, (n) => {
          const count = sub(f64(60), convert('f64', n));
          b.set(fraction, div(mul(count, f64(0.5)), add(a, fraction)));
        });
        const e = f('exp', unary('neg', mul(a, a)));
        b.set(y, sub(f64(1), div(e, mul(f64(Math.sqrt(Math.PI)), add(a, fraction)))));
      },
    );
    const signed = select(compare('lt', x, f64(0)), unary('neg', y), y);
    // Zero keeps its sign.
    return select(notANumber(x), x, select(compare('eq', x, f64(0)), x, signed));
  },

  pow(b, x, f) {
    // x^y = e^(y ln |x|), negative for a negative x and an odd y, and no number for one that is not whole.
    const y = param('y', 'f64');
    const whole = b.let('whole', compare('eq', unary('floor', y), y));
    const times = b.let('times', unary('abs', y));
    const size = b.variable('size', f64(1));
    // Small whole powers are products: exact where the result is a whole number.
    b.if(
      and(whole, compare('le', times, f64(64))),
      () => {
        const base = b.let('base', unary('abs', x));
        b.for('i', 0, convert('index', convert('i32', times)), 1, () => b.set(size, mul(size, base)));
        b.set(size, select(compare('lt', y, f64(0)), div(f64(1), size), size));
      },
      () => b.set(size, f('exp', mul(y, f('log', unary('abs', x))))),
    );
    const half = b.let('half', mul(y, f64(0.5)));
    const odd = b.let('odd', and(whole, compare('ne', unary('floor', half), half)));
    const negative = select(odd, unary('neg', size), select(whole, size, f64(Number.NaN)));
    const some = select(compare('lt', x, f64(0)), negative, size);
    const one = or(compare('eq', y, f64(0)), compare('eq', x, f64(1)));
    return select(one, f64(1), some);
  },
};

/** sin (quarter 0) or cos (1): the quarter turn that x lies in, and a series in what remains. */
function circular(b: Builder, x: Expr, quarter: 0 | 1): Expr {
  const k = b.let('k', unary('nearest', mul(x, f64(2 / Math.PI))));
  // pi / 2 as three numbers whose products with k are exact up to 2^20 or so.
  const parts = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21];
  const r = parts.reduce<Expr>((rest, part) => b.let('r', sub(rest, mul(k, f64(part)))), x);
  const square = b.let('square', mul(r, r));
  const alternate = (from: number, to: number) =>
    inverseFactorials(to, 0)
      .reverse()
      .flatMap((c, n) => (n >= from && (n - from) % 2 === 0 ? [((n - from) / 2) % 2 === 0 ? c : -c] : []))
      .reverse();
  const sine = b.let('sine', mul(r, polynomial(b, square, alternate(1, 19))));
  const cosine = b.let('cosine', polynomial(b, square, alternate(0, 18)));
  const turns = sub(k, mul(f64(4), unary('floor', mul(k, f64(0.25)))));
  const turn = b.let('turn', and(add(convert('i32', turns), i32(quarter)), i32(3)));
  const size = b.let('size', select(and(turn, i32(1)), cosine, sine));
  return select(and(turn, i32(2)), unary('neg', size), size);
}
