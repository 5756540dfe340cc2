/**
 * The loop-nest language that every kernel is written in once. Printers turn it into C (src/emit/c) and WebAssembly
 * (src/emit/wasm); interpret.ts runs it in tests and is the definition of what each node means.
 *
 * In short: a program is functions without recursion. A function is a tree of loops over named locals; an
 * expression is pure. Memory is a few regions of bytes (the arena, constants, the caller's inputs and outputs), and
 * an access names a region, a byte address in it and how its elements lie there. All names in a function differ.
 *
 * - `index` counts things and addresses bytes: it never overflows, and is an i32 in WebAssembly, `ptrdiff_t` in C.
 *   Division and remainder of it only meet numbers that are not negative.
 * - `i32`, `i64` and their lanes wrap. Shift counts are less than the width. Integer division truncates.
 * - `f32` and `f64` round after each operation. Only `mulAdd` may be fused, where exactness is not asked for.
 * - Vectors have any power of two of lanes that the `Machine` (machine.ts) named; kernels for WebAssembly are written
 *   with 16 bytes: f32x4, i32x4, i16x8.
 * - Values stored to a narrower cell are within its range, so that a printer may wrap or saturate.
 */

export type Scalar = 'index' | 'i32' | 'i64' | 'f32' | 'f64';
export type Lane = 'i8' | 'u8' | 'i16' | 'i32' | 'f32';
export type Vector = `${Lane}x${number}`;
export type Type = Scalar | Vector;

/** How an element lies in memory; little endian. */
export type Cell = 'i8' | 'u8' | 'i16' | 'i32' | 'f32';

/** A stretch of memory. `data` is constant; only the arena and its sister banks are written. */
export type Region =
  /** The arena, or where `bank` is given another of the plan's memory banks, of which the arena is number 0. */
  | { readonly kind: 'arena'; readonly bank?: number }
  | { readonly kind: 'data'; readonly index: number }
  /** Of graph input `index`, where it lies outside the arena. */
  | { readonly kind: 'input'; readonly index: number };

/** Byte `address + offset` of a region, aligned to the cell. */
export interface Place {
  readonly region: Region;
  /** An `index`. */
  readonly address: Expr;
  /** A constant, not negative. */
  readonly offset: number;
}

export type UnaryOp =
  | 'neg'
  | 'abs'
  | 'sqrt'
  | 'floor'
  | 'ceil'
  | 'trunc'
  /** Nearest whole number, ties to even. */
  | 'nearest'
  /** Leading zeros of an i32 or i64; 32 or 64 for 0. */
  | 'clz';

/**
 * `min` is b < a ? b : a and `max` is a < b ? b : a, of floats too (pmin and pmax of WebAssembly). `shr` keeps the
 * sign, `shrU` does not; a vector is shifted by a scalar or by another vector lane for lane. `highProduct` of i32s is
 * floor((a * b + 2^30) / 2^31), saturated: the rounding doubling high product of fixed-point arithmetic. `highWord` of
 * i32s is floor((a * b + 2^31) / 2^32), the upper word of a rounded product.
 */
export type BinaryOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'rem'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shr'
  | 'shrU'
  | 'min'
  | 'max'
  | 'highProduct'
  | 'highWord';

export type CompareOp = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';

/**
 * `value`: between numeric types; integers wrap or extend by sign, floats round to nearest even, floats to integers
 * truncate and saturate with NaN as 0. `bits`: f32 and i32, f64 and i64, vectors of equal size.
 */
export type ConvertOp = 'value' | 'bits';

export type Expr =
  /** All lanes of a vector. An i64 may be a bigint. */
  | { readonly kind: 'const'; readonly type: Type; readonly value: number | bigint }
  | { readonly kind: 'local'; readonly type: Type; readonly name: string }
  /**
   * A scalar: the cell extended to i32, i64 or f32. A vector: that many neighbouring cells; lanes may be wider than
   * cells (i16 or i32 lanes of i8, u8 or i16 cells) and are extended then. With `lanes`, only so many cells are read, and
   * the lanes after them are 0.
   */
  | {
      readonly kind: 'load';
      readonly type: Type;
      readonly cell: Cell;
      readonly at: Place;
      readonly lanes?: number;
    }
  | { readonly kind: 'unary'; readonly type: Type; readonly op: UnaryOp; readonly x: Expr }
  | {
      readonly kind: 'binary';
      readonly type: Type;
      readonly op: BinaryOp;
      readonly a: Expr;
      readonly b: Expr;
    }
  /** Scalars: i32 1 or 0. Vectors: lanes of all ones or zeros, in integers as wide as the operands' lanes. */
  | {
      readonly kind: 'compare';
      readonly type: Type;
      readonly op: CompareOp;
      readonly a: Expr;
      readonly b: Expr;
    }
  /** cond is an i32, or a mask with a's lanes. Both sides may be evaluated. */
  | { readonly kind: 'select'; readonly type: Type; readonly cond: Expr; readonly a: Expr; readonly b: Expr }
  /** a * b + c of f32, f32 lanes, or f64: rounded twice, or once where the printer may fuse. */
  | { readonly kind: 'mulAdd'; readonly type: Type; readonly a: Expr; readonly b: Expr; readonly c: Expr }
  /** i32xN of two i16x2N: lane l is a[2l] * b[2l] + a[2l + 1] * b[2l + 1]. An i32 of two i16x2. */
  | { readonly kind: 'dotPairs'; readonly type: Type; readonly a: Expr; readonly b: Expr }
  /**
   * i32xN c, u8x4N a and i8x4N b: lane l is c[l] + a[4l] * b[4l] + ... + a[4l + 3] * b[4l + 3]; as x86's VNNI has it.
   */
  | {
      readonly kind: 'dotQuads';
      readonly type: Vector;
      readonly a: Expr;
      readonly b: Expr;
      readonly c: Expr;
    }
  /** Four neighbouring bytes, the first lowest, wherever they lie. */
  | { readonly kind: 'word'; readonly type: 'i32'; readonly at: Place }
  /** The sum of all lanes' products: an i32 of two i8x16 or two i16x8. */
  | { readonly kind: 'dot'; readonly type: 'i32'; readonly a: Expr; readonly b: Expr }
  /** Lanes 0, 2, ... or 1, 3, ... in lanes twice as wide. */
  | { readonly kind: 'widen'; readonly type: Vector; readonly which: 'even' | 'odd'; readonly x: Expr }
  /** Lanes of the lower or upper halves in turn: a0 b0 a1 b1 ... */
  | {
      readonly kind: 'interleave';
      readonly type: Vector;
      readonly half: 'low' | 'high';
      readonly a: Expr;
      readonly b: Expr;
    }
  | { readonly kind: 'splat'; readonly type: Vector; readonly x: Expr }
  | { readonly kind: 'lane'; readonly type: Scalar; readonly x: Expr; readonly index: number }
  /** A vector of scalars. */
  | { readonly kind: 'vector'; readonly type: Vector; readonly items: readonly Expr[] }
  | { readonly kind: 'convert'; readonly type: Type; readonly op: ConvertOp; readonly x: Expr }
  /** A function of the program that comes before this one and has a result. */
  | { readonly kind: 'call'; readonly type: Type; readonly name: string; readonly args: readonly Expr[] };

export type Stmt =
  /**
   * Named once, never changed; visible to the end of its block. A `natural` one is an index that is never less than 0,
   * although parts of it may be: what printers cannot see, and `interpret.ts` makes sure of.
   */
  | { readonly kind: 'let'; readonly name: string; readonly value: Expr; readonly natural?: true }
  /** Named, and changed by `set`. */
  | { readonly kind: 'var'; readonly name: string; readonly value: Expr }
  | { readonly kind: 'set'; readonly name: string; readonly value: Expr }
  /** A scalar, or the first `lanes` lanes of a vector (left out: all) to neighbouring cells. Region: the arena. */
  | {
      readonly kind: 'store';
      readonly cell: Cell;
      readonly at: Place;
      readonly value: Expr;
      readonly lanes?: number;
    }
  /** name = from, from + step, ... while less than `to`. Bounds are evaluated once. */
  | {
      readonly kind: 'for';
      readonly name: string;
      readonly from: Expr;
      readonly to: Expr;
      readonly step: number;
      readonly body: readonly Stmt[];
    }
  | {
      readonly kind: 'if';
      readonly cond: Expr;
      readonly body: readonly Stmt[];
      readonly otherwise: readonly Stmt[];
    }
  /** `bytes` bytes between the caller's input or output and the arena, from the port's byte `from` on. */
  | {
      readonly kind: 'transfer';
      readonly direction: 'in' | 'out';
      readonly port: number;
      readonly from: Expr;
      readonly at: Place;
      readonly bytes: Expr;
    }
  | { readonly kind: 'comment'; readonly text: string };

export interface Param {
  readonly name: string;
  readonly type: Type;
}

export interface Fn {
  readonly name: string;
  readonly params: readonly Param[];
  readonly body: readonly Stmt[];
  /** Left out: the function only has effects. */
  readonly result?: Expr;
}

/** True for vectors. */
export function isVector(type: Type): type is Vector {
  return type.includes('x') && type !== 'index';
}

/** Number of lanes; 1 for a scalar. */
export function lanesOf(type: Type): number {
  return isVector(type) ? Number(type.slice(type.indexOf('x') + 1)) : 1;
}

/** What a vector has lanes of; a scalar itself. */
export function laneOf(type: Type): Lane | Scalar {
  return isVector(type) ? (type.slice(0, type.indexOf('x')) as Lane) : type;
}

/** A vector type, or the scalar where there is one lane. */
export function typeOf(lane: 'i32' | 'f32', lanes: number): Type {
  return lanes === 1 ? lane : `${lane}x${lanes}`;
}

const CELL_BYTES: Readonly<Record<Cell, number>> = { i8: 1, u8: 1, i16: 2, i32: 4, f32: 4 };

/** Bytes of an element in memory. */
export function cellBytes(cell: Cell): number {
  return CELL_BYTES[cell];
}

/** The scalar that holds one lane: i32 for all narrow integers. */
export function scalarOf(lane: Lane | Scalar): Scalar {
  return lane === 'i8' || lane === 'u8' || lane === 'i16' ? 'i32' : lane;
}

/** The type of comparing two values of a type. */
export function maskOf(type: Type): Type {
  if (!isVector(type)) return 'i32';
  const lane = laneOf(type);
  const integer = lane === 'f32' ? 'i32' : lane === 'u8' ? 'i8' : (lane as Lane);
  return `${integer}x${lanesOf(type)}`;
}

export const ARENA_REGION: Region = { kind: 'arena' };

/** One of a plan's memory banks. */
export function bankRegion(bank: number): Region {
  return bank === 0 ? ARENA_REGION : { kind: 'arena', bank };
}

/** The memory bank that a region is; undefined for constants and inputs. */
export function bankOf(region: Region): number | undefined {
  return region.kind === 'arena' ? (region.bank ?? 0) : undefined;
}
