/** Loads and stores: cells narrower than lanes are extended on the way in and narrowed on the way out. */
import {
  type Cell,
  type Expr,
  isVector,
  laneOf,
  lanesOf,
  type Place,
  type Type,
} from '../../../kernels/ir.ts';
import type { Local } from '../encode/body.ts';
import { accessBytes, type MemoryLaneName, type MemoryName, type PlainName } from '../encode/opcodes.ts';
import type { Context } from './context.ts';
import { mayBeNegative } from './signs.ts';

/** Prints an expression, so that its value is on the stack. */
export type PrintExpr = (ctx: Context, e: Expr) => void;

/** Puts the address on the stack and returns the offset that goes with it. */
function address(ctx: Context, at: Place, print: PrintExpr): number {
  const offset = ctx.base(at.region) + at.offset;
  if (at.address.kind === 'const') {
    ctx.body.i32(0);
    return offset + Number(at.address.value);
  }
  print(ctx, at.address);
  if (!mayBeNegative(at.address, ctx.negative)) return offset;
  // The engine takes the address for a number without a sign and adds the offset to that.
  ctx.body.i32(offset).op('i32.add');
  return 0;
}

const SCALAR_LOADS: Readonly<Record<string, MemoryName>> = {
  'i32 i8': 'i32.load8_s',
  'i32 u8': 'i32.load8_u',
  'i32 i16': 'i32.load16_s',
  'i32 i32': 'i32.load',
  'i64 i8': 'i64.load8_s',
  'i64 u8': 'i64.load8_u',
  'i64 i16': 'i64.load16_s',
  'i64 i32': 'i64.load32_s',
  'f32 f32': 'f32.load',
};

/** A load, and what extends its lanes. */
const VECTOR_LOADS: Readonly<Record<string, readonly [MemoryName, ...PlainName[]]>> = {
  'f32x4 f32': ['v128.load'],
  'i32x4 i32': ['v128.load'],
  'i32x4 i16': ['v128.load16x4_s'],
  'i32x4 i8': ['v128.load32_zero', 'i16x8.extend_low_i8x16_s', 'i32x4.extend_low_i16x8_s'],
  'i32x4 u8': ['v128.load32_zero', 'i16x8.extend_low_i8x16_u', 'i32x4.extend_low_i16x8_u'],
  'i16x8 i16': ['v128.load'],
  'i16x8 i8': ['v128.load8x8_s'],
  'i16x8 u8': ['v128.load8x8_u'],
  'i8x16 i8': ['v128.load'],
  'u8x16 u8': ['v128.load'],
};

export function printLoad(ctx: Context, type: Type, cell: Cell, at: Place, print: PrintExpr): void {
  const offset = address(ctx, at, print);
  const alignment = { i8: 1, u8: 1, i16: 2, i32: 4, f32: 4 }[cell];
  const key = `${type === 'index' ? 'i32' : type} ${cell}`;
  const scalar = SCALAR_LOADS[key];
  if (scalar) {
    ctx.body.memory(scalar, offset, Math.min(alignment, accessBytes(scalar)));
    return;
  }
  const vector = VECTOR_LOADS[key];
  if (!vector) throw new Error(`no load of ${type} from ${cell} cells in WebAssembly`);
  const [load, ...extend] = vector;
  ctx.body.memory(load, offset, alignment);
  ctx.body.op(...extend);
}

const SPLAT_LOADS: Readonly<Record<Cell, MemoryName | undefined>> = {
  i8: 'v128.load8_splat',
  u8: 'v128.load8_splat',
  i16: 'v128.load16_splat',
  i32: 'v128.load32_splat',
  f32: 'v128.load32_splat',
};

/** A load that fills all lanes at once, where cells are as wide as lanes. False where there is none. */
export function printLoadSplat(ctx: Context, type: Type, x: Expr, print: PrintExpr): boolean {
  if (x.kind !== 'load' || laneOf(type) !== x.cell) return false;
  const name = SPLAT_LOADS[x.cell]!;
  const offset = address(ctx, x.at, print);
  ctx.body.memory(name, offset);
  return true;
}

const SCALAR_STORES: Readonly<Record<string, MemoryName>> = {
  'i32 i8': 'i32.store8',
  'i32 u8': 'i32.store8',
  'i32 i16': 'i32.store16',
  'i32 i32': 'i32.store',
  'i64 i32': 'i64.store32',
  'f32 f32': 'f32.store',
};

/** What narrows lanes to cells. Values are in the cell's range, so that saturation changes nothing. */
const NARROW: Readonly<Record<string, readonly PlainName[]>> = {
  'i32 i8': ['i16x8.narrow_i32x4_s', 'i8x16.narrow_i16x8_s'],
  'i32 u8': ['i16x8.narrow_i32x4_s', 'i8x16.narrow_i16x8_u'],
  'i32 i16': ['i16x8.narrow_i32x4_s'],
  'i16 i8': ['i8x16.narrow_i16x8_s'],
  'i16 u8': ['i8x16.narrow_i16x8_u'],
};

export function printStore(
  ctx: Context,
  cell: Cell,
  at: Place,
  value: Expr,
  lanes: number | undefined,
  print: PrintExpr,
): void {
  const { body } = ctx;
  const bytes = { i8: 1, u8: 1, i16: 2, i32: 4, f32: 4 }[cell];
  if (!isVector(value.type)) {
    const name = SCALAR_STORES[`${value.type === 'index' ? 'i32' : value.type} ${cell}`];
    if (!name) throw new Error(`no store of ${value.type} to ${cell} cells in WebAssembly`);
    const offset = address(ctx, at, print);
    print(ctx, value);
    body.memory(name, offset, bytes);
    return;
  }
  const count = lanes ?? lanesOf(value.type);
  const lane = laneOf(value.type);
  const narrow =
    lane === cell || bytes === { i8: 1, u8: 1, i16: 2, i32: 4, f32: 4 }[lane as Cell]
      ? []
      : NARROW[`${lane} ${cell}`];
  if (!narrow) throw new Error(`no store of ${value.type} to ${cell} cells in WebAssembly`);
  const narrowed = () => {
    print(ctx, value);
    if (narrow.length === 0) return;
    const v = body.local('v128');
    for (const name of narrow) body.tee(v).get(v).op(name);
    body.release(v);
  };
  if (count * bytes === 16) {
    const offset = address(ctx, at, print);
    narrowed();
    body.memory('v128.store', offset, bytes);
    return;
  }
  storePieces(ctx, at, count * bytes, bytes, narrowed, print);
}

/** The first `total` bytes of a vector, in as few stores as their number has binary digits. */
function storePieces(
  ctx: Context,
  at: Place,
  total: number,
  alignment: number,
  value: () => void,
  print: PrintExpr,
): void {
  const { body } = ctx;
  const pieces: { readonly size: number; readonly from: number }[] = [];
  for (let from = 0; from < total; ) {
    const size = [8, 4, 2, 1].find((s) => from % s === 0 && from + s <= total)!;
    pieces.push({ size, from });
    from += size;
  }
  const store = ({ size, from }: { size: number; from: number }, offset: number) =>
    body.memoryLane(
      `v128.store${size * 8}_lane` as MemoryLaneName,
      from / size,
      offset + from,
      Math.min(alignment, size),
    );
  const offset = address(ctx, at, print);
  if (pieces.length === 1) {
    value();
    store(pieces[0], offset);
    return;
  }
  const to: Local = body.local('i32');
  const v: Local = body.local('v128');
  body.set(to);
  value();
  body.set(v);
  for (const piece of pieces) {
    body.get(to, v);
    store(piece, offset);
  }
  body.release(to, v);
}
