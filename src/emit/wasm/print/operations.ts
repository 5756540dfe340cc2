/** Which instructions an operation of the loop-nest language is, by the type of its operands. */
import type { BinaryOp, CompareOp, Lane, Scalar, UnaryOp } from '../../../kernels/ir.ts';
import type { PlainName } from '../encode/opcodes.ts';

/** The prefix of instructions on a scalar or on lanes, and whether the numbers are signed integers. */
export interface Family {
  readonly prefix: 'i32' | 'i64' | 'f32' | 'f64' | 'i8x16' | 'i16x8' | 'i32x4' | 'f32x4';
  readonly kind: 'signed' | 'unsigned' | 'float';
}

/** The family of a scalar type, or of a vector with the given lanes. */
export function familyOf(lane: Lane | Scalar, lanes: number): Family {
  if (lanes === 1) {
    const prefix = lane === 'index' ? 'i32' : (lane as 'i32' | 'i64' | 'f32' | 'f64');
    return { prefix, kind: lane === 'f32' || lane === 'f64' ? 'float' : 'signed' };
  }
  const found = FAMILIES[`${lane}x${lanes}`];
  if (!found) throw new Error(`no vectors ${lane}x${lanes} in WebAssembly`);
  return found;
}

const FAMILIES: Readonly<Record<string, Family>> = {
  i8x16: { prefix: 'i8x16', kind: 'signed' },
  u8x16: { prefix: 'i8x16', kind: 'unsigned' },
  i16x8: { prefix: 'i16x8', kind: 'signed' },
  i32x4: { prefix: 'i32x4', kind: 'signed' },
  f32x4: { prefix: 'f32x4', kind: 'float' },
};

/** An instruction that does a unary operation; undefined where it takes several. */
export function unaryInstruction(op: UnaryOp, { prefix, kind }: Family): PlainName | undefined {
  if (kind === 'float' || op === 'clz') return `${prefix}.${op}` as PlainName;
  // Scalars have no neg and abs of integers.
  return prefix.includes('x') && (op === 'neg' || op === 'abs')
    ? (`${prefix}.${op}` as PlainName)
    : undefined;
}

/** An instruction that does a binary operation; undefined where it takes several. */
export function binaryInstruction(op: BinaryOp, { prefix, kind }: Family): PlainName | undefined {
  const vector = prefix.includes('x');
  const sign = kind === 'unsigned' ? '_u' : '_s';
  switch (op) {
    case 'add':
    case 'sub':
      return `${prefix}.${op}` as PlainName;
    case 'mul':
      return prefix === 'i8x16' ? undefined : (`${prefix}.mul` as PlainName);
    case 'div':
      if (kind === 'float') return `${prefix}.div` as PlainName;
      return vector ? undefined : (`${prefix}.div_s` as PlainName);
    case 'rem':
      return vector || kind === 'float' ? undefined : (`${prefix}.rem_s` as PlainName);
    case 'and':
    case 'or':
    case 'xor':
      return (vector ? `v128.${op}` : `${prefix}.${op}`) as PlainName;
    case 'shl':
      return `${prefix}.shl` as PlainName;
    case 'shr':
      return `${prefix}.shr${sign}` as PlainName;
    case 'shrU':
      return `${prefix}.shr_u` as PlainName;
    case 'min':
    case 'max':
      if (!vector) return undefined;
      return (kind === 'float' ? `${prefix}.p${op}` : `${prefix}.${op}${sign}`) as PlainName;
    default:
      return undefined;
  }
}

export function compareInstruction(op: CompareOp, { prefix, kind }: Family): PlainName {
  if (kind === 'float' || op === 'eq' || op === 'ne') return `${prefix}.${op}` as PlainName;
  return `${prefix}.${op}${kind === 'unsigned' ? '_u' : '_s'}` as PlainName;
}
