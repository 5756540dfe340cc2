/**
 * Vectors of four bytes (i8x4, u8x4, i16x2) as machine words. Arm processors with the DSP extension take them apart,
 * multiply and add them in one instruction each; everywhere else the same is written in plain C.
 */
import { type Expr, isVector, type Lane, laneOf, lanesOf, type Type } from '../../kernels/ir.ts';
import type { Helpers } from './prelude.ts';

const LANE_BYTES: Readonly<Record<Lane, number>> = { i8: 1, u8: 1, i16: 2, i32: 4, f32: 4 };

/** True for vectors that stand in one word. */
export function isWord(type: Type): boolean {
  return isVector(type) && lanesOf(type) > 1 && LANE_BYTES[laneOf(type) as Lane] * lanesOf(type) === 4;
}

/** The lanes of a constant, all alike. */
export function wordConstant(type: Type, value: number): string {
  const [mask, factor] = laneOf(type) === 'i16' ? [0xffff, 0x10001] : [0xff, 0x1010101];
  return `0x${(((value & mask) * factor) >>> 0).toString(16)}u`;
}

interface Form {
  readonly params: string;
  readonly result: 'uint32_t' | 'int32_t';
  /** Instruction and operands, %0 the result. */
  readonly asm: string;
  readonly plain: string;
  /** What the compiler says where it has the instruction; left out: __ARM_FEATURE_DSP. */
  readonly feature?: string;
}

const low = (x: string) => `(int16_t)${x}`;
const high = (x: string) => `((int32_t)${x} >> 16)`;
const pair = (a: string, b: string) => `((uint32_t)(${a}) & 0xffffu) | ((uint32_t)(${b}) << 16)`;
const byte = (x: string, n: number, signed: boolean) => {
  const shifted = n === 0 ? x : `(${x} >> ${8 * n})`;
  return signed ? `(int8_t)${shifted}` : `(uint8_t)${shifted}`;
};

const widening = (signed: boolean, odd: 0 | 1): readonly [Form, Form] => {
  const letter = signed ? 's' : 'u';
  const rotate = odd ? ', ror #8' : '';
  const [a, b] = [byte('x', odd, signed), byte('x', odd + 2, signed)];
  return [
    {
      params: 'uint32_t x',
      result: 'uint32_t',
      asm: `${letter}xtb16 %0, %1${rotate}`,
      plain: pair(a, b),
    },
    {
      params: 'uint32_t y, uint32_t x',
      result: 'uint32_t',
      asm: `${letter}xtab16 %0, %1, %2${rotate}`,
      plain: pair(`${low('y')} + ${a}`, `${high('y')} + ${b}`),
    },
  ];
};

const [evenSigned, evenSignedAdd] = widening(true, 0);
const [oddSigned, oddSignedAdd] = widening(true, 1);
const [evenUnsigned, evenUnsignedAdd] = widening(false, 0);
const [oddUnsigned, oddUnsignedAdd] = widening(false, 1);

const product = (i: 0 | 1, j: 0 | 1): Form => ({
  params: 'int32_t c, uint32_t a, uint32_t b',
  result: 'int32_t',
  asm: `smla${i ? 't' : 'b'}${j ? 't' : 'b'} %0, %2, %3, %1`,
  plain: `(int32_t)((uint32_t)c + (uint32_t)(${i ? high('a') : low('a')} * ${j ? high('b') : low('b')}))`,
});

const forms: Readonly<Record<string, Form>> = {
  even_i8x4: evenSigned,
  odd_i8x4: oddSigned,
  even_u8x4: evenUnsigned,
  odd_u8x4: oddUnsigned,
  even_i8x4_add: evenSignedAdd,
  odd_i8x4_add: oddSignedAdd,
  even_u8x4_add: evenUnsignedAdd,
  odd_u8x4_add: oddUnsignedAdd,
  dot_i16x2_add: {
    params: 'int32_t c, uint32_t a, uint32_t b',
    result: 'int32_t',
    asm: 'smlad %0, %2, %3, %1',
    plain: `(int32_t)((uint32_t)c + (uint32_t)(${low('a')} * ${low('b')}) + (uint32_t)(${high('a')} * ${high('b')}))`,
  },
  pair_i16x2: {
    params: 'int32_t a, int32_t b',
    result: 'uint32_t',
    asm: 'pkhbt %0, %1, %2, lsl #16',
    plain: pair('a', 'b'),
  },
  low_i16x2: {
    params: 'uint32_t a, uint32_t b',
    result: 'uint32_t',
    asm: 'pkhbt %0, %1, %2, lsl #16',
    plain: pair('a', 'b'),
  },
  high_i16x2: {
    params: 'uint32_t a, uint32_t b',
    result: 'uint32_t',
    asm: 'pkhtb %0, %2, %1, asr #16',
    plain: '(a >> 16) | (b & 0xffff0000u)',
  },
  high_word: {
    params: 'int32_t a, int32_t b',
    result: 'int32_t',
    asm: 'smmulr %0, %1, %2',
    plain: '(int32_t)(((int64_t)a * b + INT64_C(2147483648)) >> 32)',
  },
  saturate_i8: {
    params: 'int32_t a',
    result: 'int32_t',
    asm: 'ssat %0, #8, %1',
    plain: 'a < -128 ? -128 : a > 127 ? 127 : a',
    feature: '__ARM_FEATURE_SAT',
  },
  saturate_u8: {
    params: 'int32_t a',
    result: 'int32_t',
    asm: 'usat %0, #8, %1',
    plain: 'a < 0 ? 0 : a > 255 ? 255 : a',
    feature: '__ARM_FEATURE_SAT',
  },
  kept: { params: 'uint32_t a', result: 'uint32_t', asm: 'mov %0, %1', plain: 'a' },
  product_00: product(0, 0),
  product_01: product(0, 1),
  product_10: product(1, 0),
  product_11: product(1, 1),
};

/** A function on words, defined where it is first asked for. */
export function wordFunction(helpers: Helpers, name: string): string {
  const form = forms[name];
  if (!form) throw new Error(`no C for ${name} of words`);
  const names = form.params.split(', ').map((p) => p.slice(p.lastIndexOf(' ') + 1));
  const inputs = names.map((n) => `"r"(${n})`).join(', ');
  return helpers.define(
    name,
    () => `static inline ${form.result} ${name}(${form.params}) {
#if defined(${form.feature ?? '__ARM_FEATURE_DSP'}) && defined(__GNUC__)
  ${form.result} r;
  __asm__("${form.asm}" : "=r"(r) : ${inputs});
  return r;
#else
  return ${form.plain};
#endif
}`,
  );
}

/** A word from anywhere in memory. */
export function wordLoad(helpers: Helpers): string {
  return helpers.define(
    'ld_word',
    () =>
      'static inline uint32_t ld_word(const uint8_t *p) { uint32_t r; memcpy(&r, p, sizeof r); return r; }',
  );
}

/** A word from an address that four divides. */
export function alignedWordLoad(helpers: Helpers): string {
  return helpers.define(
    'ld_whole_word',
    () =>
      'static inline uint32_t ld_whole_word(const uint8_t *p) { uint32_t r; memcpy(&r, TM_ALIGNED(p, uint32_t), sizeof r); return r; }',
  );
}

/** An expression that makes a word, in C. */
export function wordExpression(helpers: Helpers, e: Expr, print: (x: Expr) => string): string {
  const call = (name: string, ...args: Expr[]) =>
    `${wordFunction(helpers, name)}(${args.map(print).join(', ')})`;
  switch (e.kind) {
    case 'const':
      return wordConstant(e.type, Number(e.value));
    case 'widen':
      return call(`${e.which}_${e.x.type}`, e.x);
    case 'interleave':
      return call(`${e.half}_${e.type}`, e.a, e.b);
    case 'vector':
      return call(`pair_${e.type}`, ...e.items);
    case 'binary': {
      const [widened, other] = e.a.kind === 'widen' ? [e.a, e.b] : [e.b, e.a];
      if (e.op === 'add' && widened.kind === 'widen')
        return call(`${widened.which}_${widened.x.type}_add`, other, widened.x);
      break;
    }
    case 'convert':
      if (e.op === 'bits') return `(uint32_t)${print(e.x)}`;
      break;
    default:
      break;
  }
  throw new Error(`no C for ${e.kind} of ${e.type}`);
}

/** A sum that one instruction makes of words and a number; undefined where it is another. */
export function wordSum(helpers: Helpers, a: Expr, b: Expr, print: (x: Expr) => string): string | undefined {
  if (b.kind === 'dotPairs' && b.type === 'i32')
    return `${wordFunction(helpers, 'dot_i16x2_add')}(${print(a)}, ${print(b.a)}, ${print(b.b)})`;
  if (b.kind === 'binary' && b.op === 'mul') {
    const [x, y] = [b.a, b.b];
    if (x.kind === 'lane' && y.kind === 'lane' && isWord(x.x.type) && isWord(y.x.type))
      return `${wordFunction(helpers, `product_${x.index}${y.index}`)}(${print(a)}, ${print(x.x)}, ${print(y.x)})`;
  }
  return undefined;
}

/** Both bounds of a byte, on processors that have that in one instruction and compilers that do not see it. */
export function byteBounds(helpers: Helpers, e: Expr, print: (x: Expr) => string): string | undefined {
  if (e.kind !== 'binary' || e.op !== 'min' || e.type !== 'i32') return undefined;
  const { a, b } = e;
  if (a.kind !== 'binary' || a.op !== 'max' || a.b.kind !== 'const' || b.kind !== 'const') return undefined;
  const bounds = `${a.b.value} ${b.value}`;
  const name = bounds === '-128 127' ? 'saturate_i8' : bounds === '0 255' ? 'saturate_u8' : undefined;
  return name && `${wordFunction(helpers, name)}(${print(a.a)})`;
}

/** One lane of an i16x2. */
export function wordLane(x: string, index: number): string {
  return index === 0 ? `(int32_t)${low(x)}` : high(x);
}
