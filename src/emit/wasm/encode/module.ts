/**
 * A WebAssembly module in the binary format (specification 2.0, "Binary Format", with SIMD and bulk memory).
 * Functions that come out byte for byte equal are kept once: layers of one shape share their kernels.
 */
import { Body, type Func, type Global, TYPE_CODE, type ValueType } from './body.ts';
import { ByteWriter } from './bytes.ts';

export interface FuncType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

const FUNCTION = 0;
const MEMORY = 2;
const GLOBAL = 3;

interface Import {
  readonly module: string;
  readonly name: string;
  readonly type: number;
}

interface Segment {
  /** Left out: passive. */
  readonly address?: number;
  readonly bytes: Uint8Array;
}

export class ModuleBuilder {
  readonly #types: FuncType[] = [];
  readonly #imports: Import[] = [];
  readonly #functions: { readonly type: number; readonly code: Uint8Array; readonly name: string }[] = [];
  readonly #same = new Map<string, Func[]>();
  readonly #globals: { readonly type: ValueType; readonly mutable: boolean; readonly value: number }[] = [];
  readonly #exports: { readonly name: string; readonly kind: number; readonly index: number }[] = [];
  readonly #segments: Segment[] = [];
  #memory?: { readonly pages: number; readonly mostPages?: number };
  readonly #customs: { readonly name: string; readonly bytes: Uint8Array }[] = [];
  #start?: Func;
  #passive = false;

  #type(type: FuncType): number {
    const key = (t: FuncType) => `${t.params.join()}>${t.results.join()}`;
    const found = this.#types.findIndex((t) => key(t) === key(type));
    return found >= 0 ? found : this.#types.push(type) - 1;
  }

  /** Imports come before all functions of the module's own. */
  import(module: string, name: string, type: FuncType): Func {
    if (this.#functions.length > 0) throw new Error('imports come before functions');
    this.#imports.push({ module, name, type: this.#type(type) });
    return { name, index: this.#imports.length - 1 };
  }

  /** Defines a function, or finds the one that does the same. */
  func(name: string, type: FuncType, write: (body: Body) => void): Func {
    const body = new Body(type.params);
    write(body);
    const code = body.finish();
    const typeIndex = this.#type(type);
    const hash = `${typeIndex}:${code.length}:${checksum(code)}`;
    const alike = this.#same.get(hash) ?? [];
    const found = alike.find((f) => sameBytes(this.#functions[f.index - this.#imports.length].code, code));
    if (found) return found;
    const func = { name, index: this.#imports.length + this.#functions.length };
    this.#functions.push({ type: typeIndex, code, name });
    this.#same.set(hash, [...alike, func]);
    return func;
  }

  global(type: ValueType, value: number, mutable = true): Global {
    this.#globals.push({ type, value, mutable });
    return { index: this.#globals.length - 1 };
  }

  /** The module's one memory, in pages of 64 KiB. */
  memory(pages: number, mostPages?: number): void {
    this.#memory = { pages, mostPages };
  }

  exportFunc(name: string, func: Func): void {
    this.#exports.push({ name, kind: FUNCTION, index: func.index });
  }

  exportMemory(name: string): void {
    this.#exports.push({ name, kind: MEMORY, index: 0 });
  }

  exportGlobal(name: string, global: Global): void {
    this.#exports.push({ name, kind: GLOBAL, index: global.index });
  }

  /** Runs when the module is instantiated. */
  start(func: Func): void {
    this.#start = func;
  }

  /** Bytes that stand at `address` from the start. */
  data(address: number, bytes: Uint8Array): void {
    this.#segments.push({ address, bytes });
  }

  /** Bytes that `memory.init` copies; returns the segment's number. */
  passiveData(bytes: Uint8Array): number {
    this.#passive = true;
    return this.#segments.push({ bytes }) - 1;
  }

  /** A section that engines skip. */
  custom(name: string, bytes: Uint8Array): void {
    this.#customs.push({ name, bytes });
  }

  /** Functions of its own, after equal ones became one. */
  get functionCount(): number {
    return this.#functions.length;
  }

  /** Bytes of the code of each function, by name: what a size budget looks at. */
  functionSizes(): { readonly name: string; readonly bytes: number }[] {
    return this.#functions.map(({ name, code }) => ({ name, bytes: code.length }));
  }

  encode(options: { readonly names?: boolean } = {}): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter().bytes([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const section = (id: number, write: (s: ByteWriter) => void) => {
      const s = new ByteWriter();
      write(s);
      out.byte(id).sized(s.finish());
    };
    const list = <T>(id: number, items: readonly T[], write: (s: ByteWriter, item: T) => void) => {
      if (items.length === 0) return;
      section(id, (s) => {
        s.u32(items.length);
        for (const item of items) write(s, item);
      });
    };
    const types = (s: ByteWriter, all: readonly ValueType[]) => s.sized(all.map((t) => TYPE_CODE[t]));
    list(1, this.#types, (s, t) => types(types(s.byte(0x60), t.params), t.results));
    list(2, this.#imports, (s, i) => s.name(i.module).name(i.name).byte(FUNCTION).u32(i.type));
    list(3, this.#functions, (s, f) => s.u32(f.type));
    list(5, this.#memory ? [this.#memory] : [], (s, { pages, mostPages }) => {
      s.byte(mostPages === undefined ? 0 : 1).u32(pages);
      if (mostPages !== undefined) s.u32(mostPages);
    });
    list(6, this.#globals, (s, { type, mutable, value }) => {
      s.byte(TYPE_CODE[type]).byte(mutable ? 1 : 0);
      constant(s, type, value);
    });
    list(7, this.#exports, (s, e) => s.name(e.name).byte(e.kind).u32(e.index));
    const start = this.#start;
    if (start) section(8, (s) => s.u32(start.index));
    if (this.#passive) section(12, (s) => s.u32(this.#segments.length));
    list(10, this.#functions, (s, f) => s.sized(f.code));
    list(11, this.#segments, (s, { address, bytes }) => {
      if (address === undefined) s.byte(1);
      else constant(s.byte(0), 'i32', address);
      s.sized(bytes);
    });
    for (const { name, bytes } of this.#customs) section(0, (s) => s.name(name).bytes(bytes));
    if (options.names) section(0, (s) => this.#names(s.name('name')));
    return out.finish();
  }

  /** Function names, for stack traces and disassemblers. */
  #names(s: ByteWriter): void {
    const all = [...this.#imports, ...this.#functions];
    const map = new ByteWriter().u32(all.length);
    for (const [i, { name }] of all.entries()) map.u32(i).name(name);
    s.byte(1).sized(map.finish());
  }
}

/** A constant expression. */
function constant(s: ByteWriter, type: ValueType, value: number): void {
  if (type === 'i32') s.byte(0x41).s32(value);
  else if (type === 'i64') s.byte(0x42).s64(BigInt(value));
  else if (type === 'f32') s.byte(0x43).f32(value);
  else if (type === 'f64') s.byte(0x44).f64(value);
  else throw new Error('no vector globals');
  s.byte(0x0b);
}

function checksum(bytes: Uint8Array): number {
  let h = 0x811c9dc5;
  for (const b of bytes) h = Math.imul(h ^ b, 0x01000193);
  return h >>> 0;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}
