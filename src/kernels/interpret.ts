/**
 * Runs functions of the loop-nest language, one node at a time: the meaning of the language, and slow. Numbers are
 * doubles held to their type after each operation; i64 are bigints; vectors are arrays of lanes.
 */

import {
  binaryOf,
  converted,
  holds,
  readCell,
  regrouped,
  sameBits,
  unaryOf,
  writeCell,
} from './interpret-values.ts';
import {
  bankOf,
  type Cell,
  cellBytes,
  type Expr,
  type Fn,
  isVector,
  laneOf,
  lanesOf,
  type Place,
  type Stmt,
} from './ir.ts';

type Value = number | bigint | readonly (number | bigint)[];
type Locals = Map<string, Value>;

/** The bytes that a program's functions work on. */
export interface Memory {
  readonly arena: Uint8Array;
  /** Memory banks beside it: bank k is `banks[k - 1]`. */
  readonly banks?: readonly Uint8Array[];
  readonly data: readonly Uint8Array[];
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
  /** Told of every access to the arena before it happens; throws where it must not be. */
  readonly guard?: (access: 'read' | 'write', start: number, bytes: number, bank: number) => void;
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
        case 'let': {
          const value = this.#value(s.value, locals);
          if (s.natural && Number(value) < 0) throw new RangeError(`${s.name} is ${value}, less than 0`);
          locals.set(s.name, value);
          break;
        }
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
          const bank = bankOf(s.at.region);
          if (bytes > 0 && bank !== undefined)
            this.#memory.guard?.(s.direction === 'in' ? 'write' : 'read', at, bytes, bank);
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
    if (region.kind === 'arena')
      return region.bank ? this.#memory.banks![region.bank - 1] : this.#memory.arena;
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
    const bank = bankOf(at.region);
    if (bank !== undefined) this.#memory.guard?.(access, start, size, bank);
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
        const count = e.lanes ?? lanesOf(e.type);
        const view = this.#cells('read', e.at, e.cell, count, locals);
        const items = Array.from({ length: count }, (_, i) => readCell(view, e.cell, i));
        if (isVector(e.type)) return [...items, ...new Array<number>(lanesOf(e.type) - count).fill(0)];
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
        const sums = Array.from(
          { length: lanesOf(e.type) },
          (_, i) => (a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1]) | 0,
        );
        return isVector(e.type) ? sums : sums[0];
      }
      case 'dotQuads': {
        const a = this.#value(e.a, locals) as readonly number[];
        const b = this.#value(e.b, locals) as readonly number[];
        return (this.#value(e.c, locals) as readonly number[]).map((sum, l) => {
          const four = [0, 1, 2, 3].map((i) => a[4 * l + i] * b[4 * l + i]);
          return (sum + four.reduce((n, v) => n + v, 0)) | 0;
        });
      }
      case 'word':
        return this.#cells('read', e.at, 'u8', 4, locals).getInt32(0, true);
      case 'dot': {
        const a = this.#value(e.a, locals) as readonly number[];
        const b = this.#value(e.b, locals) as readonly number[];
        return a.reduce((sum, x, i) => (sum + x * b[i]) | 0, 0);
      }
      case 'widen': {
        const first = e.which === 'even' ? 0 : 1;
        return (this.#value(e.x, locals) as readonly number[]).filter((_, i) => i % 2 === first);
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
          return isVector(e.type)
            ? regrouped(Array.isArray(x) ? x : [x as number], from, to)
            : sameBits(x as number, from, to);
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
