/** Functions of the loop-nest language as C. */
import {
  type Expr,
  type Fn,
  isVector,
  laneOf,
  lanesOf,
  type Place,
  type Stmt,
  type Type,
  type Vector,
} from '../../kernels/ir.ts';
import { partialLoad, vectorDot } from './arm-vectors.ts';
import {
  alignedWordLoad,
  byteBounds,
  isWord,
  wordExpression,
  wordFunction,
  wordLane,
  wordLoad,
  wordSum,
} from './arm-words.ts';
import type { Helpers } from './prelude.ts';
import {
  pairProducts,
  quadProducts,
  truncation,
  vectorFunction,
  vectorOperator,
  vectorType,
} from './vectors.ts';
import { narrowing, widening } from './widths.ts';

const SCALAR: Readonly<Record<string, string>> = {
  index: 'ptrdiff_t',
  i32: 'int32_t',
  i64: 'int64_t',
  f32: 'float',
  f64: 'double',
};

const INFIX: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  rem: '%',
  and: '&',
  or: '|',
  xor: '^',
};

const COMPARE: Readonly<Record<string, string>> = {
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};

/** Only where there are vectors, and so GCC or Clang. */
const INLINE = '__attribute__((always_inline))';

/** Prints functions; what they need of helpers is noted. */
export class Printer {
  readonly #helpers: Helpers;

  constructor(helpers: Helpers) {
    this.#helpers = helpers;
  }

  /** A C type. */
  type(type: Type): string {
    if (isWord(type)) return 'uint32_t';
    return isVector(type) ? vectorType(this.#helpers, type) : SCALAR[type];
  }

  fn(fn: Fn): string {
    const params = fn.params.map((p) => `${this.type(p.type)} ${p.name}`).join(', ') || 'void';
    const lines: string[] = [];
    this.#block(fn.body, 1, lines);
    if (fn.result) lines.push(`  return ${this.expr(fn.result)};`);
    // Calls would put all sums that are under way aside.
    const inline = fn.result && fn.params.some((p) => lanesOf(p.type) >= 8) ? `inline ${INLINE} ` : '';
    return `static ${inline}${fn.result ? this.type(fn.result.type) : 'void'} ${fn.name}(${params}) {\n${lines.join('\n')}\n}`;
  }

  #block(body: readonly Stmt[], depth: number, lines: string[]): void {
    const pad = '  '.repeat(depth);
    for (const s of body) {
      switch (s.kind) {
        case 'let':
          lines.push(`${pad}const ${this.type(s.value.type)} ${s.name} = ${this.expr(s.value)};`);
          break;
        case 'var':
          lines.push(`${pad}${this.type(s.value.type)} ${s.name} = ${this.#initial(s.value)};`);
          break;
        case 'set':
          lines.push(`${pad}${s.name} = ${this.expr(s.value)};`);
          break;
        case 'store':
          this.#store(s, pad, lines);
          break;
        case 'for': {
          const step = s.step === 1 ? `${s.name}++` : `${s.name} += ${s.step}`;
          const end = s.to.kind === 'const' || s.to.kind === 'local' ? this.expr(s.to) : `${s.name}_end`;
          const bound = end === `${s.name}_end` ? `, ${end} = ${this.expr(s.to)}` : '';
          lines.push(
            `${pad}for (ptrdiff_t ${s.name} = ${this.expr(s.from)}${bound}; ${s.name} < ${end}; ${step}) {`,
          );
          this.#block(s.body, depth + 1, lines);
          lines.push(`${pad}}`);
          break;
        }
        case 'if':
          lines.push(`${pad}if (${bare(this.expr(s.cond))}) {`);
          this.#block(s.body, depth + 1, lines);
          if (s.otherwise.length > 0) {
            lines.push(`${pad}} else {`);
            this.#block(s.otherwise, depth + 1, lines);
          }
          lines.push(`${pad}}`);
          break;
        case 'transfer': {
          const name = s.direction === 'in' ? 'take' : 'give';
          const args = [
            s.port,
            `(size_t)(${this.expr(s.from)})`,
            this.#address(s.at),
            `(size_t)(${this.expr(s.bytes)})`,
          ];
          lines.push(`${pad}${name}(${args.join(', ')});`);
          break;
        }
        case 'comment':
          lines.push(`${pad}/* ${s.text.replace(/\*\//g, '* /')} */`);
          break;
      }
    }
  }

  /** A constant word of a variable is wanted in a register. */
  #initial(value: Expr): string {
    const text = this.expr(value);
    return isWord(value.type) && value.kind === 'const'
      ? `${wordFunction(this.#helpers, 'kept')}(${text})`
      : text;
  }

  #store(s: Stmt & { readonly kind: 'store' }, pad: string, lines: string[]): void {
    const address = this.#address(s.at);
    const { type } = s.value;
    if (!isVector(type)) {
      lines.push(`${pad}${this.#storeScalar(s.cell, address, this.expr(s.value))};`);
      return;
    }
    const lanes = lanesOf(type);
    if (s.lanes !== undefined && s.lanes < lanes) {
      lines.push(
        `${pad}{ const ${this.type(type)} part_ = ${this.expr(s.value)}; uint8_t *const to_ = ${address};`,
      );
      const size = s.cell === 'i16' ? 2 : s.cell === 'i8' || s.cell === 'u8' ? 1 : 4;
      const stores = Array.from({ length: s.lanes }, (_, i) =>
        this.#storeScalar(s.cell, `to_ + ${i * size}`, `part_[${i}]`),
      );
      lines.push(`${pad}  ${stores.join('; ')}; }`);
      return;
    }
    if (laneOf(type) === s.cell) {
      const cell = vectorType(this.#helpers, `${s.cell}x${lanes}`);
      lines.push(`${pad}*(${cell}_u *)(${address}) = ${this.expr(s.value)};`);
    } else lines.push(`${pad}${narrowing(this.#helpers, type, s.cell)}(${address}, ${this.expr(s.value)});`);
  }

  #storeScalar(cell: string, address: string, value: string): string {
    if (cell === 'i8' || cell === 'u8') return `(${address})[0] = (uint8_t)${value}`;
    const narrow = cell === 'i16' ? `(int16_t)${value}` : value;
    return `${this.#helpers.use(`st_${cell}`)}(${address}, ${narrow})`;
  }

  #address({ region, address, offset }: Place): string {
    const base = region.kind === 'arena' ? bankName(region.bank) : `${region.kind}_${region.index}`;
    const at = this.expr(address);
    if (at === '0') return offset === 0 ? base : `${base} + ${offset}`;
    return offset === 0 ? `${base} + ${at}` : `${base} + (${at} + ${offset})`;
  }

  /** A C expression, in brackets where it has operators outside. */
  expr(e: Expr): string {
    if (isWord(e.type) && e.kind !== 'local' && e.kind !== 'load')
      return wordExpression(this.#helpers, e, (x) => this.expr(x));
    switch (e.kind) {
      case 'const':
        return isVector(e.type)
          ? this.#splat(e.type, this.#number(Number(e.value), laneOf(e.type)))
          : this.#number(e.value, e.type);
      case 'local':
        return e.name;
      case 'load':
        return this.#load(e);
      case 'unary':
        return this.#unary(e);
      case 'binary':
        return this.#binary(e);
      case 'compare': {
        const text = `(${this.expr(e.a)} ${COMPARE[e.op]} ${this.expr(e.b)})`;
        return isVector(e.type) ? `(${this.type(e.type)})${text}` : text;
      }
      case 'select':
        if (isVector(e.type) && isVector(e.cond.type))
          return `${vectorFunction(this.#helpers, e.type, 'select')}(${this.expr(e.cond)}, ${this.expr(e.a)}, ${this.expr(e.b)})`;
        return `(${this.expr(e.cond)} ? ${this.expr(e.a)} : ${this.expr(e.b)})`;
      case 'mulAdd':
        return `(${this.expr(e.a)} * ${this.expr(e.b)} + ${this.expr(e.c)})`;
      case 'dotPairs':
        if (!isVector(e.type))
          return `${wordFunction(this.#helpers, 'dot_i16x2_add')}(0, ${this.expr(e.a)}, ${this.expr(e.b)})`;
        return `${pairProducts(this.#helpers, e.type)}(${this.expr(e.a)}, ${this.expr(e.b)})`;
      case 'dotQuads':
        return `${quadProducts(this.#helpers, e.type)}(${this.expr(e.a)}, ${this.expr(e.b)}, ${this.expr(e.c)})`;
      case 'word':
        return `${this.#helpers.use('ld_i32_any')}(${this.#address(e.at)})`;
      case 'dot':
        return `${vectorDot(this.#helpers, e.a.type)}(0, ${this.expr(e.a)}, ${this.expr(e.b)})`;
      case 'widen':
        throw new Error(`no C for widened lanes of ${e.x.type}`);
      case 'interleave': {
        const lanes = lanesOf(e.type);
        const first = e.half === 'low' ? 0 : lanes / 2;
        const order = Array.from({ length: lanes }, (_, i) => first + (i >> 1) + (i & 1) * lanes);
        return `__builtin_shufflevector(${this.expr(e.a)}, ${this.expr(e.b)}, ${order.join(', ')})`;
      }
      case 'splat':
        return this.#splat(e.type, this.expr(e.x));
      case 'lane':
        if (isWord(e.x.type)) return wordLane(this.expr(e.x), e.index);
        return e.x.kind === 'local' ? `${e.x.name}[${e.index}]` : `(${this.expr(e.x)})[${e.index}]`;
      case 'vector':
        return `(${this.type(e.type)}){${e.items.map((x) => this.expr(x)).join(', ')}}`;
      case 'convert':
        return this.#convert(e);
      case 'call':
        return `${e.name}(${e.args.map((a) => this.expr(a)).join(', ')})`;
    }
  }

  #number(value: number | bigint, type: string): string {
    const v = Number(value);
    if (type !== 'f32' && type !== 'f64') return number(value, type);
    if (Number.isFinite(v)) return number(v, type);
    if (type === 'f32') {
      const bits = this.#helpers.use('bits_f32_i32');
      return Number.isNaN(v) ? `${bits}(0x7fc00000)` : `${v < 0 ? '-' : ''}${bits}(0x7f800000)`;
    }
    const bits = this.#helpers.use('bits_f64_i64');
    return Number.isNaN(v)
      ? `${bits}(INT64_C(0x7ff8000000000000))`
      : `${v < 0 ? '-' : ''}${bits}(INT64_C(0x7ff0000000000000))`;
  }

  #splat(type: Vector, x: string): string {
    return `${vectorFunction(this.#helpers, type, 'splat')}(${x})`;
  }

  #load(e: Expr & { readonly kind: 'load' }): string {
    const at = this.#address(e.at);
    if (isWord(e.type)) {
      const aligned = e.at.region.kind === 'data';
      return `${aligned ? alignedWordLoad(this.#helpers) : wordLoad(this.#helpers)}(${at})`;
    }
    if (isVector(e.type)) {
      if (e.lanes !== undefined) return `${partialLoad(this.#helpers, e.type, e.cell, e.lanes)}(${at})`;
      const cell = `${e.cell}x${lanesOf(e.type)}`;
      if (cell !== e.type) return `${widening(this.#helpers, e.type, e.cell)}(${at})`;
      return `*(const ${vectorType(this.#helpers, cell)}_u *)(${at})`;
    }
    const scalar =
      e.cell === 'u8'
        ? `(${at})[0]`
        : e.cell === 'i8'
          ? `(int8_t)(${at})[0]`
          : `${this.#helpers.use(`ld_${e.cell}`)}(${at})`;
    return e.cell === e.type ? scalar : `(${this.type(e.type)})${scalar}`;
  }

  #unary(e: Expr & { readonly kind: 'unary' }): string {
    const x = this.expr(e.x);
    if (e.op === 'neg') return `(-${x})`;
    if (isVector(e.type)) return `${vectorFunction(this.#helpers, e.type, e.op)}(${x})`;
    return `${this.#helpers.use(`${e.op}_${e.type}`)}(${x})`;
  }

  #binary(e: Expr & { readonly kind: 'binary' }): string {
    const { op, type } = e;
    const bounded = byteBounds(this.#helpers, e, (x) => this.expr(x));
    if (bounded) return bounded;
    if (op === 'add' && type === 'i32') {
      const dotted = e.b.kind === 'dot' ? this.#dotSum(e.a, e.b) : undefined;
      const fused = dotted ?? wordSum(this.#helpers, e.a, e.b, (x) => this.expr(x));
      if (fused) return fused;
    }
    const [a, b] = [this.expr(e.a), this.expr(e.b)];
    if (isVector(type)) {
      const shift = op === 'shl' || op === 'shr' || op === 'shrU';
      const other = isVector(e.b.type) || !shift ? b : this.#splat(type, b);
      if (op === 'shr' && e.b.kind === 'const' && !isVector(e.b.type)) return `(${a} >> ${b})`;
      if (op === 'shr') return `(${a} >> ${other})`;
      if (op === 'shl' || op === 'shrU' || op === 'min' || op === 'max' || op === 'highProduct')
        return `${vectorFunction(this.#helpers, type, op)}(${a}, ${other})`;
      return vectorOperator(this.#helpers, type, INFIX[op], a, b);
    }
    if (op === 'highWord') return `${wordFunction(this.#helpers, 'high_word')}(${a}, ${b})`;
    if (op === 'highProduct') return `${this.#helpers.use('high_product')}(${a}, ${b})`;
    const wraps = type === 'i32' || type === 'i64';
    const infix = wraps ? ['div', 'rem', 'and', 'or', 'xor'] : Object.keys(INFIX);
    if (infix.includes(op)) return `(${a} ${INFIX[op]} ${b})`;
    return `${this.#helpers.use(`${op}_${type}`)}(${a}, ${b})`;
  }

  #dotSum(sum: Expr, e: Expr & { readonly kind: 'dot' }): string {
    return `${vectorDot(this.#helpers, e.a.type)}(${this.expr(sum)}, ${this.expr(e.a)}, ${this.expr(e.b)})`;
  }

  #convert(e: Expr & { readonly kind: 'convert' }): string {
    const x = this.expr(e.x);
    const [from, to] = [e.x.type, e.type];
    if (isVector(to)) {
      if (e.op === 'bits') return `(${this.type(to)})${x}`;
      if (laneOf(from) === 'f32' && laneOf(to) === 'i32')
        return `${truncation(this.#helpers, from as Vector, to)}(${x})`;
      return `__builtin_convertvector(${x}, ${this.type(to)})`;
    }
    if (e.op === 'bits') return `${this.#helpers.use(`bits_${to}_${from}`)}(${x})`;
    const real = from === 'f32' || from === 'f64';
    if (real && (to === 'i32' || to === 'i64')) return `${this.#helpers.use(`${to}_${from}`)}(${x})`;
    return `(${SCALAR[to]})${x}`;
  }
}

/** What the memory of a bank is called; left out and 0 are the arena. */
export function bankName(bank = 0): string {
  return bank === 0 ? 'arena' : `bank_${bank}`;
}

/** A condition without the brackets around the whole of it, which compilers suspect of being a mistake. */
function bare(text: string): string {
  if (!text.startsWith('(') || !text.endsWith(')')) return text;
  let depth = 0;
  for (let i = 0; i < text.length - 1; i++) {
    depth += text[i] === '(' ? 1 : text[i] === ')' ? -1 : 0;
    if (depth === 0) return text;
  }
  return text.slice(1, -1);
}

/** A literal of a finite number that gives the same bits. */
export function number(value: number | bigint, type: string): string {
  if (type === 'f32' || type === 'f64') {
    const v = Number(value);
    const suffix = type === 'f32' ? 'f' : '';
    const digits = type === 'f32' ? shortest32(v) : String(v);
    const text = /[.e]/.test(digits) ? digits : `${digits}.0`;
    return v < 0 || Object.is(v, -0)
      ? `(-${Object.is(v, -0) ? '0.0' : text.slice(1)}${suffix})`
      : `${text}${suffix}`;
  }
  if (type === 'i64') {
    const v = BigInt(value);
    return v === -(2n ** 63n) ? 'INT64_MIN' : v < 0n ? `(-INT64_C(${-v}))` : `INT64_C(${v})`;
  }
  const v = Number(value);
  if (v === -2147483648) return 'INT32_MIN';
  return v < 0 ? `(${v})` : String(v);
}

/** The fewest digits that read back as the same float32. */
export function shortest32(v: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = v.toPrecision(digits);
    if (Math.fround(Number(text)) === v) return String(Number(text));
  }
  return String(v);
}
