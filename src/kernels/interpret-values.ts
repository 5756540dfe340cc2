/** Numbers of the loop-nest language as the interpreter holds them: doubles, and bigints for i64, after each operation. */
import { roundEven } from '../arithmetic/onnx.ts';
import { highProduct } from '../arithmetic/tflite.ts';
import {
  type BinaryOp,
  type Cell,
  cellBytes,
  type Lane,
  type Scalar,
  type Type,
  type UnaryOp,
} from './ir.ts';

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
export function converted(x: number | bigint, from: Lane | Scalar, to: Lane | Scalar): number | bigint {
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

export function unaryOf(op: UnaryOp, type: Lane | Scalar, v: number | bigint): number | bigint {
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

export function binaryOf(
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
    case 'highWord':
      return Number(BigInt.asIntN(32, (BigInt(x) * BigInt(y) + 2147483648n) >> 32n));
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

export function holds(op: string, a: number | bigint, b: number | bigint): boolean {
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

export function sameBits(x: number | bigint, from: Lane | Scalar, to: Type | Lane): number | bigint {
  if (from === 'f32') bitsView.setFloat32(0, Number(x));
  else if (from === 'f64') bitsView.setFloat64(0, Number(x));
  else if (from === 'i64') bitsView.setBigInt64(0, BigInt(x));
  else bitsView.setInt32(0, Number(x));
  if (to === 'f32') return bitsView.getFloat32(0);
  if (to === 'f64') return bitsView.getFloat64(0);
  return to === 'i64' ? bitsView.getBigInt64(0) : bitsView.getInt32(0);
}

/** The bytes of lanes as lanes of another width. */
export function regrouped(x: readonly (number | bigint)[], from: Lane | Scalar, to: Lane | Scalar): number[] {
  const [a, b] = [from as Cell, to as Cell];
  const view = new DataView(new ArrayBuffer(x.length * cellBytes(a)));
  x.forEach((v, i) => {
    writeCell(view, a, i, Number(v));
  });
  return Array.from({ length: view.byteLength / cellBytes(b) }, (_, i) => readCell(view, b, i));
}

export function readCell(view: DataView, cell: Cell, i: number): number {
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

export function writeCell(view: DataView, cell: Cell, i: number, v: number): void {
  if (cell === 'i8') view.setInt8(i, v);
  else if (cell === 'u8') view.setUint8(i, v);
  else if (cell === 'i16') view.setInt16(2 * i, v, true);
  else if (cell === 'i32') view.setInt32(4 * i, v, true);
  else view.setFloat32(4 * i, v, true);
}
