/**
 * Writes the code of one function, instruction after instruction as in the text format. Labels are objects, so
 * that no one counts nesting, and locals can be declared when they are needed.
 */
import { ByteWriter } from './bytes.ts';
import {
  accessBytes,
  type LaneName,
  type MemoryLaneName,
  type MemoryName,
  opcodeOf,
  type PlainName,
} from './opcodes.ts';

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

export const TYPE_CODE: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

const EMPTY = 0x40;

export interface Local {
  readonly index: number;
  readonly type: ValueType;
}

/** Target of a branch: out of a block or an if, back to the head of a loop. */
export interface Label {
  readonly depth: number;
}

/** A function of the module, own or imported. */
export interface Func {
  readonly name: string;
  readonly index: number;
}

export interface Global {
  readonly index: number;
}

export class Body {
  readonly #code = new ByteWriter();
  readonly #locals: ValueType[] = [];
  readonly #free = new Map<ValueType, Local[]>();
  #depth = 0;
  readonly params: readonly Local[];

  constructor(params: readonly ValueType[]) {
    this.params = params.map((type, index) => ({ index, type }));
  }

  /** A local that is zero at first, or one that was given back. */
  local(type: ValueType): Local {
    const free = this.#free.get(type)?.pop();
    if (free) return free;
    this.#locals.push(type);
    return { index: this.params.length + this.#locals.length - 1, type };
  }

  /** The local's value is not needed any more. */
  release(...locals: readonly Local[]): void {
    for (const local of locals) {
      const list = this.#free.get(local.type);
      if (list) list.push(local);
      else this.#free.set(local.type, [local]);
    }
  }

  #opcode(name: string): ByteWriter {
    const { prefix, code } = opcodeOf(name);
    return prefix === 0 ? this.#code.byte(code) : this.#code.byte(prefix).u32(code);
  }

  op(...names: readonly PlainName[]): this {
    for (const name of names) this.#opcode(name);
    return this;
  }

  lane(name: LaneName, lane: number): this {
    this.#opcode(name).byte(lane);
    return this;
  }

  /** A load or store at the address on the stack plus `offset`. The alignment is only a hint. */
  memory(name: MemoryName, offset = 0, alignment = accessBytes(name)): this {
    this.#opcode(name).u32(Math.log2(alignment)).u32(offset);
    return this;
  }

  memoryLane(name: MemoryLaneName, lane: number, offset = 0, alignment = accessBytes(name)): this {
    this.#opcode(name).u32(Math.log2(alignment)).u32(offset).byte(lane);
    return this;
  }

  i32(value: number): this {
    this.#code.byte(0x41).s32(value);
    return this;
  }

  i64(value: bigint): this {
    this.#code.byte(0x42).s64(value);
    return this;
  }

  f32(value: number): this {
    this.#code.byte(0x43).f32(value);
    return this;
  }

  f64(value: number): this {
    this.#code.byte(0x44).f64(value);
    return this;
  }

  v128(bytes: ArrayLike<number>): this {
    this.#code.byte(0xfd).u32(12).bytes(bytes);
    return this;
  }

  /** Sixteen byte lanes chosen from the two vectors on the stack (0 to 31). */
  shuffle(lanes: readonly number[]): this {
    this.#code.byte(0xfd).u32(13).bytes(lanes);
    return this;
  }

  get(...locals: readonly Local[]): this {
    for (const local of locals) this.#code.byte(0x20).u32(local.index);
    return this;
  }

  set(local: Local): this {
    this.#code.byte(0x21).u32(local.index);
    return this;
  }

  tee(local: Local): this {
    this.#code.byte(0x22).u32(local.index);
    return this;
  }

  getGlobal(global: Global): this {
    this.#code.byte(0x23).u32(global.index);
    return this;
  }

  setGlobal(global: Global): this {
    this.#code.byte(0x24).u32(global.index);
    return this;
  }

  call(func: Func): this {
    this.#code.byte(0x10).u32(func.index);
    return this;
  }

  return(): this {
    this.#code.byte(0x0f);
    return this;
  }

  #structure(opcode: number, result: ValueType | undefined, inside: (label: Label) => void): void {
    this.#code.byte(opcode).byte(result ? TYPE_CODE[result] : EMPTY);
    inside({ depth: this.#depth++ });
    this.#depth--;
    this.#code.byte(0x0b);
  }

  /** A branch to its label leaves it. */
  block(inside: (exit: Label) => void, result?: ValueType): this {
    this.#structure(0x02, result, inside);
    return this;
  }

  /** A branch to its label starts it again; else it ends after one turn. */
  loop(inside: (again: Label) => void, result?: ValueType): this {
    this.#structure(0x03, result, inside);
    return this;
  }

  /** Takes its condition from the stack. */
  if(then: () => void, otherwise?: () => void, result?: ValueType): this {
    this.#structure(0x04, result, () => {
      then();
      if (!otherwise) return;
      this.#code.byte(0x05);
      otherwise();
    });
    return this;
  }

  #labelled(opcode: number, label: Label): this {
    this.#code.byte(opcode).u32(this.#depth - 1 - label.depth);
    return this;
  }

  br(label: Label): this {
    return this.#labelled(0x0c, label);
  }

  brIf(label: Label): this {
    return this.#labelled(0x0d, label);
  }

  brTable(labels: readonly Label[], otherwise: Label): this {
    this.#code.byte(0x0e).u32(labels.length);
    for (const label of [...labels, otherwise]) this.#code.u32(this.#depth - 1 - label.depth);
    return this;
  }

  memorySize(): this {
    this.#code.byte(0x3f).byte(0);
    return this;
  }

  memoryGrow(): this {
    this.#code.byte(0x40).byte(0);
    return this;
  }

  /** to, from, bytes */
  memoryCopy(): this {
    this.#code.byte(0xfc).u32(10).byte(0).byte(0);
    return this;
  }

  /** to, value, bytes */
  memoryFill(): this {
    this.#code.byte(0xfc).u32(11).byte(0);
    return this;
  }

  /** to, first byte of the segment, bytes */
  memoryInit(segment: number): this {
    this.#code.byte(0xfc).u32(8).u32(segment).byte(0);
    return this;
  }

  dataDrop(segment: number): this {
    this.#code.byte(0xfc).u32(9).u32(segment);
    return this;
  }

  /** The function's entry in the code section: its locals, its code, its end. */
  finish(): Uint8Array {
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.#locals) {
      const last = runs[runs.length - 1];
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    const out = new ByteWriter().u32(runs.length);
    for (const { type, count } of runs) out.u32(count).byte(TYPE_CODE[type]);
    return out.bytes(this.#code.finish()).byte(0x0b).finish();
  }
}
