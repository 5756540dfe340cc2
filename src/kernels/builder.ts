/**
 * Writes functions of the loop-nest language: makes nodes with their types worked out, folds what is known of
 * indices, and gives every local a name of its own.
 */
import {
  type BinaryOp,
  type Cell,
  type CompareOp,
  type ConvertOp,
  type Expr,
  type Fn,
  isVector,
  laneOf,
  lanesOf,
  maskOf,
  type Place,
  type Region,
  type Stmt,
  scalarOf,
  type Type,
  type UnaryOp,
  type Vector,
} from './ir.ts';

import { pruned } from './prune.ts';

/** A number stands for a constant `index`. */
export type Index = Expr | number;

/** A local that `set` changes. */
export type Variable = Expr & { readonly kind: 'local' };

export class Builder {
  #block: Stmt[] = [];
  readonly #names = new Map<string, number>();

  // --- statements

  /** A name for a value; constants and locals stay as they are. */
  let(name: string, value: Expr): Expr {
    if (value.kind === 'const' || value.kind === 'local') return value;
    const unique = this.#name(name);
    this.#block.push({ kind: 'let', name: unique, value });
    return { kind: 'local', type: value.type, name: unique };
  }

  /** As `let`, of an index that is known not to be negative: where something lies. */
  natural(name: string, value: Expr): Expr {
    if (value.kind === 'const' || value.kind === 'local') return value;
    const unique = this.#name(name);
    this.#block.push({ kind: 'let', name: unique, value, natural: true });
    return { kind: 'local', type: value.type, name: unique };
  }

  variable(name: string, value: Expr): Variable {
    const unique = this.#name(name);
    this.#block.push({ kind: 'var', name: unique, value });
    return { kind: 'local', type: value.type, name: unique };
  }

  set(to: Variable, value: Expr): void {
    this.#block.push({ kind: 'set', name: to.name, value });
  }

  store(cell: Cell, at: Place, value: Expr, lanes?: number): void {
    const some = lanes !== undefined && lanes < lanesOf(value.type) ? { lanes } : {};
    this.#block.push({ kind: 'store', cell, at, value, ...some });
  }

  /** A loop; none where it is known to be empty, no loop where it is known to go round once. */
  for(name: string, from: Index, to: Index, step: number, body: (i: Expr) => void): void {
    const first = asIndex(from);
    const end = asIndex(to);
    if (first.kind === 'const' && end.kind === 'const') {
      if (first.value >= end.value) return;
      if (Number(first.value) + step >= Number(end.value)) {
        body(first);
        return;
      }
    }
    const unique = this.#name(name);
    const inner = this.#inside(() => body({ kind: 'local', type: 'index', name: unique }));
    if (inner.length > 0)
      this.#block.push({ kind: 'for', name: unique, from: first, to: end, step, body: inner });
  }

  /** A choice; made now where the condition is constant. */
  if(cond: Expr, then: () => void, otherwise: () => void = () => {}): void {
    if (cond.kind === 'const') {
      if (cond.value) then();
      else otherwise();
      return;
    }
    this.#block.push({ kind: 'if', cond, body: this.#inside(then), otherwise: this.#inside(otherwise) });
  }

  transfer(direction: 'in' | 'out', port: number, from: Index, at: Place, bytes: Index): void {
    this.#block.push({
      kind: 'transfer',
      direction,
      port,
      from: asIndex(from),
      at,
      bytes: asIndex(bytes),
    });
  }

  comment(text: string): void {
    this.#block.push({ kind: 'comment', text });
  }

  /** The statements so far, as a function. */
  function(name: string, params: Fn['params'], result?: Expr): Fn {
    return { name, params, body: pruned(this.#block, result), ...(result ? { result } : {}) };
  }

  #inside(write: () => void): Stmt[] {
    const outer = this.#block;
    const inner: Stmt[] = [];
    this.#block = inner;
    write();
    this.#block = outer;
    return inner;
  }

  #name(wish: string): string {
    const count = this.#names.get(wish) ?? 0;
    this.#names.set(wish, count + 1);
    return count === 0 ? wish : `${wish}_${count}`;
  }
}

// --- expressions

export const index = (value: number): Expr => ({ kind: 'const', type: 'index', value });
export const i32 = (value: number): Expr => ({ kind: 'const', type: 'i32', value });
export const i64 = (value: number | bigint): Expr => ({ kind: 'const', type: 'i64', value });
export const f32 = (value: number): Expr => ({ kind: 'const', type: 'f32', value: Math.fround(value) });
export const f64 = (value: number): Expr => ({ kind: 'const', type: 'f64', value });
/** The same number in all lanes. */
export const constant = (type: Type, value: number): Expr => ({ kind: 'const', type, value });
export const param = (name: string, type: Type): Expr => ({ kind: 'local', type, name });

export function asIndex(x: Index): Expr {
  return typeof x === 'number' ? index(x) : x;
}

/** A number where it is known. */
export function known(x: Index): number | undefined {
  if (typeof x === 'number') return x;
  return x.kind === 'const' ? Number(x.value) : undefined;
}

export function binary(op: BinaryOp, a: Expr, b: Expr): Expr {
  return { kind: 'binary', type: a.type, op, a, b };
}

export const add = (a: Expr, b: Expr) => binary('add', a, b);
export const sub = (a: Expr, b: Expr) => binary('sub', a, b);
export const mul = (a: Expr, b: Expr) => binary('mul', a, b);
export const div = (a: Expr, b: Expr) => binary('div', a, b);
export const min = (a: Expr, b: Expr) => binary('min', a, b);
export const max = (a: Expr, b: Expr) => binary('max', a, b);
export const and = (a: Expr, b: Expr) => binary('and', a, b);
export const or = (a: Expr, b: Expr) => binary('or', a, b);
export const xor = (a: Expr, b: Expr) => binary('xor', a, b);
export const shl = (a: Expr, b: Expr) => binary('shl', a, b);
export const shr = (a: Expr, b: Expr) => binary('shr', a, b);
export const highProduct = (a: Expr, b: Expr) => binary('highProduct', a, b);
export const highWord = (a: Expr, b: Expr) => binary('highWord', a, b);

export function unary(op: UnaryOp, x: Expr): Expr {
  return { kind: 'unary', type: x.type, op, x };
}

export function mulAdd(a: Expr, b: Expr, c: Expr): Expr {
  return { kind: 'mulAdd', type: c.type, a, b, c };
}

export function compare(op: CompareOp, a: Expr, b: Expr): Expr {
  return { kind: 'compare', type: maskOf(a.type), op, a, b };
}

export function select(cond: Expr, a: Expr, b: Expr): Expr {
  return { kind: 'select', type: a.type, cond, a, b };
}

/** The value as another type. */
export function convert(type: Type, x: Expr, op: ConvertOp = 'value'): Expr {
  return x.type === type ? x : { kind: 'convert', type, op, x };
}

/** All lanes alike; the scalar itself where the type is one. */
export function splat(type: Type, x: Expr): Expr {
  if (!isVector(type)) return x;
  if (x.kind === 'const') return { kind: 'const', type, value: x.value };
  return { kind: 'splat', type, x };
}

/** One lane; of a scalar, the scalar. */
export function lane(x: Expr, at: number): Expr {
  if (!isVector(x.type)) return x;
  return { kind: 'lane', type: scalarOf(laneOf(x.type)), x, index: at };
}

/** A vector of scalars; the scalar itself where there is one. */
export function vector(type: Type, items: readonly Expr[]): Expr {
  return isVector(type) ? { kind: 'vector', type, items } : items[0];
}

export function dotPairs(type: Type, a: Expr, b: Expr): Expr {
  return { kind: 'dotPairs', type, a, b };
}

/** c plus sums of four neighbouring products of bytes: a's without a sign, b's with one. */
export function dotQuads(type: Vector, a: Expr, b: Expr, c: Expr): Expr {
  return { kind: 'dotQuads', type, a, b, c };
}

/** Four neighbouring bytes. */
export const word = (at: Place): Expr => ({ kind: 'word', type: 'i32', at });

/** The sum of all lanes' products. */
export const dot = (a: Expr, b: Expr): Expr => ({ kind: 'dot', type: 'i32', a, b });

/** Every second lane of bytes, in 16 bits. */
export function widen(which: 'even' | 'odd', x: Expr): Expr {
  return { kind: 'widen', type: `i16x${lanesOf(x.type) / 2}`, which, x };
}

/** a0 b0 a1 b1 ... of the lower or upper halves of two vectors. */
export function interleave(half: 'low' | 'high', a: Expr, b: Expr): Expr {
  return { kind: 'interleave', type: a.type as Vector, half, a, b };
}

export function call(type: Type, name: string, ...args: Expr[]): Expr {
  return { kind: 'call', type, name, args };
}

export function load(type: Type, cell: Cell, at: Place): Expr {
  return { kind: 'load', type, cell, at };
}

/** Byte `address` of a region; a constant part of it goes into the offset. */
export function place(region: Region, address: Index, offset = 0): Place {
  let rest = asIndex(address);
  let constantPart = offset;
  if (rest.kind === 'const') {
    constantPart += Number(rest.value);
    rest = index(0);
  } else if (rest.kind === 'binary' && rest.op === 'add' && rest.b.kind === 'const') {
    const more = Number(rest.b.value);
    if (constantPart + more >= 0) {
      constantPart += more;
      rest = rest.a;
    }
  }
  if (constantPart < 0) return { region, address: plus(rest, constantPart), offset: 0 };
  return { region, address: rest, offset: constantPart };
}

/** Byte `more` after a place. */
export function after({ region, address, offset }: Place, more: Index): Place {
  return place(region, plus(address, more), offset);
}

// --- indices, folded

export function plus(a: Index, b: Index): Expr {
  const x = asIndex(a);
  const y = asIndex(b);
  if (x.kind === 'const') {
    if (y.kind === 'const') return index(Number(x.value) + Number(y.value));
    return x.value === 0 ? y : plus(y, x);
  }
  if (y.kind === 'const') {
    if (y.value === 0) return x;
    if (hasConstant(x)) return plus(x.a, Number(x.b.value) + Number(y.value));
    return add(x, y);
  }
  // Constants come last, where `place` finds them.
  if (hasConstant(x)) return plus(plus(x.a, y), Number(x.b.value));
  if (hasConstant(y)) return plus(plus(x, y.a), Number(y.b.value));
  return add(x, y);
}

/** True for a sum whose second part is known. */
function hasConstant(
  e: Expr,
): e is Expr & { kind: 'binary' } & { readonly b: Expr & { readonly kind: 'const' } } {
  return e.kind === 'binary' && e.op === 'add' && e.b.kind === 'const';
}

export function minus(a: Index, b: Index): Expr {
  const y = known(b);
  if (y !== undefined) return plus(a, -y);
  return sub(asIndex(a), asIndex(b));
}

export function times(a: Index, factor: number): Expr {
  const x = asIndex(a);
  if (factor === 0) return index(0);
  if (x.kind === 'const') return index(Number(x.value) * factor);
  if (factor === 1) return x;
  if (x.kind === 'binary' && x.op === 'mul' && x.b.kind === 'const')
    return times(x.a, Number(x.b.value) * factor);
  if (hasConstant(x)) return plus(times(x.a, factor), Number(x.b.value) * factor);
  return mul(x, index(factor));
}

/** Quotient of a number that is not negative. */
export function over(a: Index, divisor: number): Expr {
  const x = asIndex(a);
  if (x.kind === 'const') return index(Math.floor(Number(x.value) / divisor));
  return divisor === 1 ? x : div(x, index(divisor));
}

/** Remainder of a number that is not negative. */
export function modulo(a: Index, divisor: number): Expr {
  const x = asIndex(a);
  if (x.kind === 'const') return index(Number(x.value) % divisor);
  return divisor === 1 ? index(0) : binary('rem', x, index(divisor));
}

export function least(a: Index, b: Index): Expr {
  const [x, y] = [known(a), known(b)];
  return x !== undefined && y !== undefined ? index(Math.min(x, y)) : min(asIndex(a), asIndex(b));
}

export function greatest(a: Index, b: Index): Expr {
  const [x, y] = [known(a), known(b)];
  return x !== undefined && y !== undefined ? index(Math.max(x, y)) : max(asIndex(a), asIndex(b));
}

/** Two indices compared; a constant where both are known. */
export function compareIndex(op: CompareOp, a: Index, b: Index): Expr {
  const [x, y] = [known(a), known(b)];
  if (x === undefined || y === undefined) return compare(op, asIndex(a), asIndex(b));
  const holds = { eq: x === y, ne: x !== y, lt: x < y, le: x <= y, gt: x > y, ge: x >= y }[op];
  return i32(holds ? 1 : 0);
}
