/** Expressions of the loop-nest language as WebAssembly: the value of each is left on the stack. */
import {
  type BinaryOp,
  type ConvertOp,
  type Expr,
  isVector,
  laneOf,
  lanesOf,
  type Type,
} from '../../../kernels/ir.ts';
import type { Body } from '../encode/body.ts';
import type { LaneName, PlainName } from '../encode/opcodes.ts';
import { type Context, valueType } from './context.ts';
import { printLoad, printLoadSplat } from './memory.ts';
import { binaryInstruction, compareInstruction, familyOf, unaryInstruction } from './operations.ts';

const family = (type: Type) => familyOf(laneOf(type), lanesOf(type));

export function printExpr(ctx: Context, e: Expr): void {
  const { body } = ctx;
  switch (e.kind) {
    case 'const':
      printConst(body, e.type, e.value);
      return;
    case 'local': {
      const local = ctx.locals.get(e.name);
      if (!local) throw new Error(`no local ${e.name}`);
      body.get(local);
      return;
    }
    case 'load':
      printLoad(ctx, e.type, e.cell, e.at, printExpr);
      return;
    case 'unary':
      printUnary(ctx, e);
      return;
    case 'binary':
      printBinary(ctx, e.op, e.type, e.a, e.b);
      return;
    case 'compare':
      printExpr(ctx, e.a);
      printExpr(ctx, e.b);
      body.op(compareInstruction(e.op, family(e.a.type)));
      return;
    case 'select':
      printExpr(ctx, e.a);
      printExpr(ctx, e.b);
      printExpr(ctx, e.cond);
      body.op(isVector(e.cond.type) ? 'v128.bitselect' : 'select');
      return;
    case 'mulAdd':
      printMulAdd(ctx, e.type, e.a, e.b, e.c);
      return;
    case 'dotPairs':
      printExpr(ctx, e.a);
      printExpr(ctx, e.b);
      body.op('i32x4.dot_i16x8_s');
      return;
    case 'dot':
    case 'widen':
    case 'dotQuads':
    case 'word':
      throw new Error(`no ${e.kind} in WebAssembly: it is of other machines`);
    case 'interleave':
      printInterleave(ctx, e);
      return;
    case 'splat':
      if (printLoadSplat(ctx, e.type, e.x, printExpr) || printLaneSplat(ctx, e.x, lanesOf(e.type))) return;
      printExpr(ctx, e.x);
      body.op(`${family(e.type).prefix}.splat` as PlainName);
      return;
    case 'lane': {
      const { prefix, kind } = family(e.x.type);
      const sign = prefix === 'i8x16' || prefix === 'i16x8' ? (kind === 'unsigned' ? '_u' : '_s') : '';
      printExpr(ctx, e.x);
      body.lane(`${prefix}.extract_lane${sign}` as LaneName, e.index);
      return;
    }
    case 'vector': {
      const { prefix } = family(e.type);
      printExpr(ctx, e.items[0]);
      body.op(`${prefix}.splat` as PlainName);
      e.items.slice(1).forEach((item, i) => {
        if (item === e.items[0]) return;
        printExpr(ctx, item);
        body.lane(`${prefix}.replace_lane` as LaneName, i + 1);
      });
      return;
    }
    case 'convert':
      printExpr(ctx, e.x);
      body.op(...conversion(e.op, e.x.type, e.type));
      return;
    case 'call': {
      for (const arg of e.args) printExpr(ctx, arg);
      const func = ctx.functions.get(e.name);
      if (!func) throw new Error(`no function ${e.name} before this one`);
      body.call(func);
    }
  }
}

function printInterleave(ctx: Context, e: Expr & { kind: 'interleave' }): void {
  const bytes = 16 / lanesOf(e.type);
  const first = e.half === 'low' ? 0 : 8;
  printExpr(ctx, e.a);
  printExpr(ctx, e.b);
  ctx.body.shuffle(
    Array.from({ length: 16 }, (_, i) => {
      const lane = Math.floor(i / (2 * bytes));
      return first + lane * bytes + (i % bytes) + (i % (2 * bytes) < bytes ? 0 : 16);
    }),
  );
}

/** One lane of a vector in all lanes of another: a shuffle, which engines know as one instruction. */
function printLaneSplat(ctx: Context, x: Expr, lanes: number): boolean {
  if (x.kind !== 'lane' || lanesOf(x.x.type) !== lanes) return false;
  const { body } = ctx;
  const bytes = 16 / lanes;
  const v = body.local('v128');
  printExpr(ctx, x.x);
  body.tee(v).get(v);
  body.shuffle(Array.from({ length: 16 }, (_, i) => x.index * bytes + (i % bytes)));
  body.release(v);
  return true;
}

function printConst(body: Body, type: Type, value: number | bigint): void {
  if (!isVector(type)) {
    if (type === 'i64') body.i64(BigInt(value));
    else if (type === 'f32') body.f32(Number(value));
    else if (type === 'f64') body.f64(Number(value));
    else body.i32(Number(value));
    return;
  }
  // A scalar and a splat are shorter than the sixteen bytes of v128.const.
  const lane = laneOf(type);
  if (lane === 'f32') body.f32(Number(value));
  else body.i32(Number(value));
  body.op(`${family(type).prefix}.splat` as PlainName);
}

function printUnary(ctx: Context, e: Expr & { kind: 'unary' }): void {
  const { body } = ctx;
  const instruction = unaryInstruction(e.op, family(e.type));
  if (instruction) {
    printExpr(ctx, e.x);
    body.op(instruction);
    return;
  }
  const wide = e.type === 'i64';
  const zero = () => (wide ? body.i64(0n) : body.i32(0));
  if (e.op === 'neg') {
    zero();
    printExpr(ctx, e.x);
    body.op(wide ? 'i64.sub' : 'i32.sub');
    return;
  }
  // abs: x or 0 - x.
  const x = body.local(valueType(e.type));
  printExpr(ctx, e.x);
  body.tee(x);
  zero();
  body
    .get(x)
    .op(wide ? 'i64.sub' : 'i32.sub')
    .get(x);
  zero();
  body.op(wide ? 'i64.ge_s' : 'i32.ge_s', 'select');
  body.release(x);
}

function printBinary(ctx: Context, op: BinaryOp, type: Type, a: Expr, b: Expr): void {
  const { body } = ctx;
  if (op === 'highProduct') {
    if (isVector(type)) highProducts(ctx, a, b);
    else highProduct(ctx, a, b);
    return;
  }
  if (isVector(b.type) && (op === 'shl' || op === 'shr' || op === 'shrU')) {
    shiftLanes(ctx, op, type, a, b);
    return;
  }
  if (!isVector(type) && (op === 'min' || op === 'max')) {
    choose(ctx, op, type, a, b);
    return;
  }
  const instruction = binaryInstruction(op, family(type));
  if (!instruction) throw new Error(`no ${op} of ${type} in WebAssembly`);
  printExpr(ctx, a);
  printExpr(ctx, b);
  // i64 is shifted by an i64.
  if (type === 'i64' && b.type !== 'i64') body.op('i64.extend_i32_s');
  body.op(instruction);
}

/** min: b < a ? b : a, max: a < b ? b : a. The machine's own min and max treat NaN and -0 in another way. */
function choose(ctx: Context, op: 'min' | 'max', type: Type, a: Expr, b: Expr): void {
  const { body } = ctx;
  const x = body.local(valueType(type));
  const y = body.local(valueType(type));
  const simple = (e: Expr) => e.kind === 'const' || e.kind === 'local';
  printExpr(ctx, b);
  if (!simple(b)) body.tee(y);
  printExpr(ctx, a);
  if (!simple(a)) body.tee(x);
  const again = (e: Expr, held: typeof x) => (simple(e) ? printExpr(ctx, e) : body.get(held));
  if (op === 'min') {
    again(b, y);
    again(a, x);
  } else {
    again(a, x);
    again(b, y);
  }
  body.op(compareInstruction('lt', family(type)), 'select');
  body.release(x, y);
}

/** (a * b + 2^30) >> 31, of which only -2^31 squared does not fit an i32. */
function highProduct(ctx: Context, a: Expr, b: Expr): void {
  const { body } = ctx;
  const r = body.local('i32');
  printExpr(ctx, a);
  body.op('i64.extend_i32_s');
  printExpr(ctx, b);
  body
    .op('i64.extend_i32_s', 'i64.mul')
    .i64(1n << 30n)
    .op('i64.add')
    .i64(31n)
    .op('i64.shr_s', 'i32.wrap_i64');
  // The sum that does not fit is the only one that wraps to -2^31; one less is 2^31 - 1.
  body.tee(r).get(r).i32(-0x80000000).op('i32.eq', 'i32.sub');
  body.release(r);
}

/** The same in four lanes. Bits 31 to 62 are wanted, so that the shift may bring in zeros. */
function highProducts(ctx: Context, a: Expr, b: Expr): void {
  const { body } = ctx;
  const [x, y] = [body.local('v128'), body.local('v128')];
  printExpr(ctx, a);
  body.set(x);
  printExpr(ctx, b);
  body.set(y);
  const half = body.local('v128');
  body
    .i64(1n << 30n)
    .op('i64x2.splat')
    .set(half);
  for (const part of ['low', 'high'] as const) {
    body.get(x, y).op(`i64x2.extmul_${part}_i32x4_s`).get(half).op('i64x2.add').i32(31).op('i64x2.shr_u');
  }
  body.shuffle([0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]);
  body.tee(x).get(x).i32(-0x80000000).op('i32x4.splat', 'i32x4.eq', 'i32x4.add');
  body.release(x, y, half);
}

/** There is no shift with a count for each lane: lane after lane. */
function shiftLanes(ctx: Context, op: 'shl' | 'shr' | 'shrU', type: Type, a: Expr, b: Expr): void {
  if (family(type).prefix !== 'i32x4') throw new Error(`no shift of ${type} lane by lane`);
  const { body } = ctx;
  const [x, y] = [body.local('v128'), body.local('v128')];
  printExpr(ctx, a);
  body.set(x);
  printExpr(ctx, b);
  body.set(y);
  const shift = ({ shl: 'i32.shl', shr: 'i32.shr_s', shrU: 'i32.shr_u' } as const)[op];
  for (let i = 0; i < 4; i++) {
    body.get(x).lane('i32x4.extract_lane', i).get(y).lane('i32x4.extract_lane', i).op(shift);
    if (i === 0) body.op('i32x4.splat');
    else body.lane('i32x4.replace_lane', i);
  }
  body.release(x, y);
}

function printMulAdd(ctx: Context, type: Type, a: Expr, b: Expr, c: Expr): void {
  const { body } = ctx;
  const { prefix } = family(type);
  printExpr(ctx, a);
  printExpr(ctx, b);
  if (ctx.fuse && prefix === 'f32x4') {
    printExpr(ctx, c);
    body.op('f32x4.relaxed_madd');
    return;
  }
  body.op(`${prefix}.mul` as PlainName);
  printExpr(ctx, c);
  body.op(`${prefix}.add` as PlainName);
}

const CONVERSIONS: Readonly<Record<string, readonly PlainName[]>> = {
  'i32 i64': ['i64.extend_i32_s'],
  'i64 i32': ['i32.wrap_i64'],
  'i32 f32': ['f32.convert_i32_s'],
  'i32 f64': ['f64.convert_i32_s'],
  'i64 f32': ['f32.convert_i64_s'],
  'i64 f64': ['f64.convert_i64_s'],
  'f32 i32': ['i32.trunc_sat_f32_s'],
  'f64 i32': ['i32.trunc_sat_f64_s'],
  'f32 i64': ['i64.trunc_sat_f32_s'],
  'f64 i64': ['i64.trunc_sat_f64_s'],
  'f32 f64': ['f64.promote_f32'],
  'f64 f32': ['f32.demote_f64'],
  'i32x4 f32x4': ['f32x4.convert_i32x4_s'],
  'f32x4 i32x4': ['i32x4.trunc_sat_f32x4_s'],
};

const REINTERPRETATIONS: Readonly<Record<string, readonly PlainName[]>> = {
  'f32 i32': ['i32.reinterpret_f32'],
  'i32 f32': ['f32.reinterpret_i32'],
  'f64 i64': ['i64.reinterpret_f64'],
  'i64 f64': ['f64.reinterpret_i64'],
};

function conversion(op: ConvertOp, from: Type, to: Type): readonly PlainName[] {
  const key = `${from === 'index' ? 'i32' : from} ${to === 'index' ? 'i32' : to}`;
  if (key === 'i32 i32') return [];
  if (op === 'bits' && isVector(from) && isVector(to)) return [];
  const found = (op === 'bits' ? REINTERPRETATIONS : CONVERSIONS)[key];
  if (!found) throw new Error(`no conversion of ${from} to ${to} in WebAssembly`);
  return found;
}
