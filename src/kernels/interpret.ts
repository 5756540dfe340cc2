/**
 * Runs functions of the loop-nest language, one node at a time: the meaning of the language, and slow. Numbers are
 * doubles held to their type after each operation; i64 are bigints; vectors are arrays of lanes.
 */

import { roundEven } from '../arithmetic/onnx.ts';
import { highProduct } from '../arithmetic/tflite.ts';
import {
  type BinaryOp,
  type Cell,
  cellBytes,
  type Expr,
  type Fn,
  isVector,
  type Lane,
  laneOf,
  lanesOf,
  type Place,
  type Scalar,
  type Stmt,
  type Type,
  type UnaryOp,
} from './ir.ts';

type Value = number | bigint | readonly (number | bigint)[];
type Locals = Map<string, Value>;

/** The bytes that a program's functions work on. */
export interface Memory {
  readonly arena: Uint8Array;
  readonly data: readonly Uint8Array[];
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
  /** Told of every access to the arena before it happens; throws where it must not be. */
  readonly guard?: (access: 'read' | 'write', start: number, bytes: number) => void;
}

export class Interpreter {
  readonly #functions: ReadonlyMap<string, Fn>;
  readonly #memory: Memory;

  constructor(functions: readonly Fn[], memory: Memory) {
    this.#functions = new Map(functions.map((f) => [f.name, f]));
    this.#memory = memory;
  }

  /** Calls a function. */
  call(name: string, args: readonly Value[]): Value | undefined {
    const fn = this.#functions.get(name);
    if (!fn) throw new Error(`no function ${name}`);
    const locals: Locals = new Map(fn.params.map((p, i) => [p.name, args[i]]));
    this.#run(fn.body, locals);
    return fn.result && this.#value(fn.result, locals);
  }

  #run(body: readonly Stmt[], locals: Locals): void {
    for (const s of body) {
      switch (s.kind) {
        case 'let':
        case 'var':
        case 'set':
          locals.set(s.name, this.#value(s.value, locals));
          break;
        case 'store':
          this.#store(s.cell, s.at, this.#value(s.value, locals), s.lanes, locals);
          break;
        case 'for': {
          const to = this.#number(s.to, locals);
          for (let i = this.#number(s.from, locals); i < to; i += s.step) {
            locals.set(s.name, i);
            this.#run(s.body, locals);
          }
          break;
        }
        case 'if':
          this.#run(this.#number(s.cond, locals) !== 0 ? s.body : s.otherwise, locals);
          break;
        case 'transfer': {
          const bytes = this.#number(s.bytes, locals);
          const from = this.#number(s.from, locals);
          const at = this.#number(s.at.address, locals) + s.at.offset;
          const memory = this.#bytes(s.at);
          if (bytes > 0 && s.at.region.kind === 'arena')
            this.#memory.guard?.(s.direction === 'in' ? 'write' : 'read', at, bytes);
          if (s.direction === 'in') memory.set(this.#memory.inputs[s.port].subarray(from, from + bytes), at);
          else this.#memory.outputs[s.port].set(memory.subarray(at, at + bytes), from);
          break;
        }
        default:
          break;
      }
    }
  }

  #bytes({ region }: Place): Uint8Array {
    if (region.kind === 'arena') return this.#memory.arena;
    return (region.kind === 'data' ? this.#memory.data : this.#memory.inputs)[region.index];
  }

  #number(e: Expr, locals: Locals): number {
    return this.#value(e, locals) as number;
  }

  #cells(access: 'read' | 'write', at: Place, cell: Cell, count: number, locals: Locals): DataView {
    const bytes = this.#bytes(at);
    const start = this.#number(at.address, locals) + at.offset;
    const size = count * cellBytes(cell);
    if (start < 0 || start + size > bytes.length)
      throw new RangeError(`bytes ${start}..${start + size} of a ${at.region.kind} of ${bytes.length}`);
    if (start % cellBytes(cell) !== 0) throw new RangeError(`byte ${start} is not aligned to ${cell}`);
    if (at.region.kind === 'arena') this.#memory.guard?.(access, start, size);
    return new DataView(bytes.buffer, bytes.byteOffset + start, size);
  }

  #store(cell: Cell, at: Place, value: Value, lanes: number | undefined, locals: Locals): void {
    const items = Array.isArray(value) ? value.slice(0, lanes) : [value];
    const view = this.#cells('write', at, cell, items.length, locals);
    items.forEach((v, i) => {
      writeCell(view, cell, i, Number(v));
    });
  }

  #value(e: Expr, locals: Locals): Value {
    switch (e.kind) {
      case 'const': {
        const v = e.type === 'i64' ? BigInt(e.value) : Number(e.value);
        return isVector(e.type) ? new Array(lanesOf(e.type)).fill(v) : v;
      }
      case 'local':
        return locals.get(e.name)!;
      case 'load': {
        const count = lanesOf(e.type);
        const view = this.#cells('read', e.at, e.cell, count, locals);
        const items = Array.from({ length: count }, (_, i) => readCell(view, e.cell, i));
        if (isVector(e.type)) return items;
        return e.type === 'i64' ? BigInt(items[0]) : items[0];
      }
      case 'unary': {
        const f = (x: number | bigint) => unaryOf(e.op, laneOf(e.type), x);
        return map(f, this.#value(e.x, locals));
      }
      case 'binary': {
        const f = (x: number | bigint, y: number | bigint) => binaryOf(e.op, laneOf(e.type), x, y);
        return zip(f, this.#value(e.a, locals), this.#value(e.b, locals));
      }
      case 'compare': {
        const yes = isVector(e.type) ? -1 : 1;
        const f = (x: number | bigint, y: number | bigint) => (holds(e.op, x, y) ? yes : 0);
        return zip(f, this.#value(e.a, locals), this.#value(e.b, locals));
      }
      case 'select': {
        const cond = this.#value(e.cond, locals);
        const a = this.#value(e.a, locals);
        const b = this.#value(e.b, locals);
        if (!Array.isArray(cond)) return cond ? a : b;
        return cond.map((c, i) => (c ? (a as number[])[i] : (b as number[])[i]));
      }
      case 'mulAdd': {
        const lane = laneOf(e.type);
        const product = zip(
          (x, y) => binaryOf('mul', lane, x, y),
          this.#value(e.a, locals),
          this.#value(e.b, locals),
        );
        return zip((x, y) => binaryOf('add', lane, x, y), product, this.#value(e.c, locals));
      }
      case 'dotPairs': {
        const a = this.#value(e.a, locals) as readonly number[];
        const b = this.#value(e.b, locals) as readonly number[];
        return Array.from(
          { length: lanesOf(e.type) },
          (_, i) => (a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1]) | 0,
        );
      }
      case 'interleave': {
        const a = this.#value(e.a, locals) as readonly number[];
        const b = this.#value(e.b, locals) as readonly number[];
        const first = e.half === 'low' ? 0 : a.length / 2;
        return a.map((_, i) => (i % 2 === 0 ? a : b)[first + (i >> 1)]);
      }
      case 'splat':
        return new Array(lanesOf(e.type)).fill(this.#value(e.x, locals));
      case 'lane':
        return (this.#value(e.x, locals) as readonly number[])[e.index];
      case 'vector':
        return e.items.map((x) => this.#value(x, locals) as number);
      case 'convert': {
        const [from, to] = [laneOf(e.x.type), laneOf(e.type)];
        const x = this.#value(e.x, locals);
        if (e.op === 'bits')
          return Array.isArray(x) ? regrouped(x, from, to) : sameBits(x as number, from, to);
        return map((v) => converted(v, from, to), x);
      }
      case 'call':
        return this.call(
          e.name,
          e.args.map((a) => this.#value(a, locals)),
        )!;
    }
  }
}

function map(f: (x: number | bigint) => number | bigint, x: Value): Value {
  return Array.isArray(x) ? x.map(f) : f(x as number);
}

/** Lane by lane; a scalar beside a vector goes with every lane. */
function zip(f: (x: number | bigint, y: number | bigint) => number | bigint, a: Value, b: Value): Value {
  if (!Array.isArray(a)) return f(a as number, b as number);
  return a.map((x, i) => f(x, Array.isArray(b) ? b[i] : (b as number)));
}

/** The result of an operation as a value of its type: wrapped or rounded. */
function held(x: number | bigint, type: Lane | Scalar): number | bigint {
  if (type === 'i64') return BigInt.asIntN(64, BigInt(x));
  if (type === 'f32') return Math.fround(Number(x));
  if (type === 'f64' || type === 'index') return Number(x);
  const word = typeof x === 'bigint' ? Number(BigInt.asIntN(32, x)) : x | 0;
  if (type === 'i8') return (word << 24) >> 24;
  if (type === 'u8') return word & 255;
  return type === 'i16' ? (word << 16) >> 16 : word;
}

/** A number as a value of another type; from floats to integers truncated and saturated. */
function converted(x: number | bigint, from: Lane | Scalar, to: Lane | Scalar): number | bigint {
  const real = from === 'f32' || from === 'f64';
  if (!real || to === 'f32' || to === 'f64') return held(x, to);
  if (Number.isNaN(x)) return to === 'i64' ? 0n : 0;
  if (to === 'i64') {
    const least = -(2n ** 63n);
    const whole = BigInt(Math.trunc(Math.max(-(2 ** 64), Math.min(2 ** 64, Number(x)))));
    return whole < least ? least : whole >= -least ? -least - 1n : whole;
  }
  return held(Math.trunc(Math.max(-2147483648, Math.min(2147483647, Number(x)))), to);
}

function unaryOf(op: UnaryOp, type: Lane | Scalar, v: number | bigint): number | bigint {
  if (op === 'clz') {
    if (typeof v !== 'bigint') return Math.clz32(v);
    const bits = BigInt.asUintN(64, v).toString(2);
    return BigInt(v === 0n ? 64 : 64 - bits.length);
  }
  if (typeof v === 'bigint') return held(op === 'neg' || v < 0n ? -v : v, type);
  const f: Record<Exclude<UnaryOp, 'clz'>, (x: number) => number> = {
    neg: (x) => -x,
    abs: Math.abs,
    sqrt: Math.sqrt,
    floor: Math.floor,
    ceil: Math.ceil,
    trunc: Math.trunc,
    nearest: roundEven,
  };
  return held(f[op](v), type);
}

function binaryOf(
  op: BinaryOp,
  type: Lane | Scalar,
  a: number | bigint,
  b: number | bigint,
): number | bigint {
  if (op === 'min') return b < a ? b : a;
  if (op === 'max') return a < b ? b : a;
  if (typeof a === 'bigint') return held(wideOf(op, a, BigInt(b)), type);
  const [x, y] = [a, Number(b)];
  switch (op) {
    case 'add':
      return held(x + y, type);
    case 'sub':
      return held(x - y, type);
    case 'mul':
      return type === 'f32' || type === 'f64' || type === 'index'
        ? held(x * y, type)
        : held(Math.imul(x, y), type);
    case 'div':
      return type === 'f32' || type === 'f64' ? held(x / y, type) : held(Math.trunc(x / y), type);
    case 'rem':
      return held(x % y, type);
    case 'and':
      return held(x & y, type);
    case 'or':
      return held(x | y, type);
    case 'xor':
      return held(x ^ y, type);
    case 'shl':
      return held(x << y, type);
    case 'shr':
      return held(x >> y, type);
    case 'shrU':
      return held(x >>> y, type);
    default:
      return highProduct(x, y);
  }
}

function wideOf(op: BinaryOp, a: bigint, b: bigint): bigint {
  switch (op) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return a * b;
    case 'div':
      return a / b;
    case 'rem':
      return a % b;
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    case 'shl':
      return a << b;
    case 'shr':
      return a >> b;
    case 'shrU':
      return BigInt.asUintN(64, a) >> b;
    default:
      throw new Error(`${op} of i64`);
  }
}

function holds(op: string, a: number | bigint, b: number | bigint): boolean {
  switch (op) {
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'lt':
      return a < b;
    case 'le':
      return a <= b;
    case 'gt':
      return a > b;
    default:
      return a >= b;
  }
}

const bitsView = new DataView(new ArrayBuffer(8));

function sameBits(x: number | bigint, from: Lane | Scalar, to: Type | Lane): number | bigint {
  if (from === 'f32') bitsView.setFloat32(0, Number(x));
  else if (from === 'f64') bitsView.setFloat64(0, Number(x));
  else if (from === 'i64') bitsView.setBigInt64(0, BigInt(x));
  else bitsView.setInt32(0, Number(x));
  if (to === 'f32') return bitsView.getFloat32(0);
  if (to === 'f64') return bitsView.getFloat64(0);
  return to === 'i64' ? bitsView.getBigInt64(0) : bitsView.getInt32(0);
}

/** The bytes of lanes as lanes of another width. */
function regrouped(x: readonly (number | bigint)[], from: Lane | Scalar, to: Lane | Scalar): number[] {
  const [a, b] = [from as Cell, to as Cell];
  const view = new DataView(new ArrayBuffer(x.length * cellBytes(a)));
  x.forEach((v, i) => {
    writeCell(view, a, i, Number(v));
  });
  return Array.from({ length: view.byteLength / cellBytes(b) }, (_, i) => readCell(view, b, i));
}

function readCell(view: DataView, cell: Cell, i: number): number {
  switch (cell) {
    case 'i8':
      return view.getInt8(i);
    case 'u8':
      return view.getUint8(i);
    case 'i16':
      return view.getInt16(2 * i, true);
    case 'i32':
      return view.getInt32(4 * i, true);
    default:
      return view.getFloat32(4 * i, true);
  }
}

function writeCell(view: DataView, cell: Cell, i: number, v: number): void {
  if (cell === 'i8') view.setInt8(i, v);
  else if (cell === 'u8') view.setUint8(i, v);
  else if (cell === 'i16') view.setInt16(2 * i, v, true);
  else if (cell === 'i32') view.setInt32(4 * i, v, true);
  else view.setFloat32(4 * i, v, true);
}
