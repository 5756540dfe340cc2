/** What the printing of one function carries along: its body, its locals by name, and where regions lie. */
import { isVector, type Region, type Type } from '../../../kernels/ir.ts';
import type { Body, Func, Local, ValueType } from '../encode/body.ts';

/** What is the same for all functions of a program. */
export interface Surroundings {
  /** Address in memory where a region begins. */
  base(region: Region): number;
  /** Functions printed so far, by name. */
  readonly functions: ReadonlyMap<string, Func>;
  /** Called by streamed transfers: port, first byte of the port, address, bytes. */
  readonly input?: Func;
  readonly output?: Func;
  /** Ports whose values only transfers move; transfers of others do nothing. */
  isStreamed(direction: 'in' | 'out', port: number): boolean;
  /** Multiply-adds may round once. */
  readonly fuse: boolean;
}

export interface Context extends Surroundings {
  readonly body: Body;
  readonly locals: Map<string, Local>;
  /** Names that may hold numbers less than 0 (signs.ts). */
  readonly negative: ReadonlySet<string>;
}

/** The WebAssembly type that holds values of a type. */
export function valueType(type: Type): ValueType {
  if (!isVector(type)) return type === 'index' ? 'i32' : type;
  return 'v128';
}
