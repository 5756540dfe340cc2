/** Vectors as GCC and Clang have them: types, and inline functions for what their operators do not say. */
import { isVector, laneOf, lanesOf, type Type, type Vector } from '../../kernels/ir.ts';
import type { Helpers } from './prelude.ts';

const LANE: Readonly<Record<string, string>> = {
  f32: 'float',
  f64: 'double',
  i8: 'int8_t',
  u8: 'uint8_t',
  i16: 'int16_t',
  i32: 'int32_t',
  u32: 'uint32_t',
  i64: 'int64_t',
};

const BYTES: Readonly<Record<string, number>> = {
  f32: 4,
  f64: 8,
  i8: 1,
  u8: 1,
  i16: 2,
  i32: 4,
  u32: 4,
  i64: 8,
};

/** A vector's C type, defined once; with `_u` the form that lies anywhere in memory. */
export function vectorType(helpers: Helpers, type: string): string {
  const [lane, lanes] = type.split('x');
  const size = BYTES[lane] * Number(lanes);
  return helpers.define(`v_${type}`, () => {
    const plain = `typedef ${LANE[lane]} v_${type} __attribute__((vector_size(${size})));`;
    const loose = `typedef ${LANE[lane]} v_${type}_u __attribute__((vector_size(${size}), aligned(${BYTES[lane]}), may_alias));`;
    return `${plain}\n${loose}`;
  });
}

/** The unsigned type in which i32 lanes wrap. */
function wrapped(helpers: Helpers, type: Vector): string {
  return laneOf(type) === 'i32' ? vectorType(helpers, `u32x${lanesOf(type)}`) : vectorType(helpers, type);
}

/** An operator on two vectors of one type, as an expression. */
export function vectorOperator(helpers: Helpers, type: Vector, op: string, a: string, b: string): string {
  const c = vectorType(helpers, type);
  if (laneOf(type) !== 'i32' || !['+', '-', '*'].includes(op)) return `(${a} ${op} ${b})`;
  const u = wrapped(helpers, type);
  return `(${c})((${u})${a} ${op} (${u})${b})`;
}

/** Inline functions of vectors, by operation; each is defined when first asked for. */
export function vectorFunction(helpers: Helpers, type: Vector, op: string): string {
  const c = vectorType(helpers, type);
  const lanes = lanesOf(type);
  const mask = vectorType(helpers, `i32x${lanes}`);
  const real = laneOf(type) === 'f32';
  const name = `${op}_${type}`;
  const define = (params: string, body: string) =>
    helpers.define(name, () => `static inline ${c} ${name}(${params}) { ${body} }`);
  const ab = `${c} a, ${c} b`;
  const chosen = (m: string, x: string, y: string) =>
    real ? `(${c})(((${mask})${x} & ${m}) | ((${mask})${y} & ~${m}))` : `(${x} & ${m}) | (${y} & ~${m})`;
  switch (op) {
    case 'min':
      return helpers.define(name, () =>
        extreme(name, type, c, 'min', `const ${mask} m = b < a; return ${chosen('m', 'b', 'a')};`),
      );
    case 'max':
      return helpers.define(name, () =>
        extreme(name, type, c, 'max', `const ${mask} m = a < b; return ${chosen('m', 'b', 'a')};`),
      );
    case 'select':
      return define(`${mask} m, ${ab}`, `return ${chosen('m', 'a', 'b')};`);
    case 'splat': {
      const scalar = LANE[laneOf(type)];
      return define(`${scalar} a`, `return (${c}){${new Array(lanes).fill('a').join(', ')}};`);
    }
    case 'abs':
      return real
        ? define(`${c} a`, `return (${c})((${mask})a & 0x7fffffff);`)
        : define(`${c} a`, `const ${mask} m = a >> 31; return (a ^ m) - m;`);
    case 'shrU': {
      const u = wrapped(helpers, type);
      return define(ab, `return (${c})((${u})a >> (${u})b);`);
    }
    case 'shl': {
      const u = wrapped(helpers, type);
      return define(ab, `return (${c})((${u})a << (${u})b);`);
    }
    case 'nearest':
      // Adding and taking away 2^23 rounds to even; from there on all floats are whole.
      return define(
        `${c} a`,
        `const ${c} size = (${c})((${mask})a & 0x7fffffff); const ${mask} small = size < 8388608.0f; ` +
          `const ${c} whole = (size + 8388608.0f) - 8388608.0f; ` +
          `const ${mask} r = ((${mask})whole & small) | ((${mask})size & ~small); ` +
          `return (${c})(r | ((${mask})a & ~0x7fffffff));`,
      );
    case 'highProduct':
      return helpers.define(name, () => highProduct(helpers, name, c, lanes));
    default: {
      // Lane by lane.
      const scalar = helpers.use(`${op}_${laneOf(type)}`);
      const each = Array.from({ length: lanes }, (_, i) => `${scalar}(a[${i}])`);
      return define(`${c} a`, `return (${c}){${each.join(', ')}};`);
    }
  }
}

/**
 * The lesser or greater of lanes. With the second first, x86's instructions choose as the language says, of NaN and of
 * zeros with different signs too.
 */
function extreme(name: string, type: Vector, c: string, op: 'min' | 'max', generic: string): string {
  const families: Record<number, readonly [prefix: string, bits: string, f32: string, i32: string]> = {
    4: ['_mm', '__m128', '__SSE__', '__SSE4_1__'],
    8: ['_mm256', '__m256', '__AVX__', '__AVX2__'],
    16: ['_mm512', '__m512', '__AVX512F__', '__AVX512F__'],
  };
  const head = `static inline ${c} ${name}(${c} a, ${c} b) {`;
  const native = families[lanesOf(type)];
  const lane = laneOf(type);
  if (!native || (lane !== 'f32' && lane !== 'i32')) return `${head} ${generic} }`;
  const [prefix, bits, real, whole] = native;
  const [guard, register, kind] = lane === 'f32' ? [real, bits, 'ps'] : [whole, `${bits}i`, 'epi32'];
  return `${head}
#if defined(${guard})
  return (${c})${prefix}_${op}_${kind}((${register})b, (${register})a);
#else
  ${generic}
#endif
}`;
}

/**
 * floor((a * b + 2^30) / 2^31) in each lane, from products of even and of odd lanes: bits 31 to 62 of a product are
 * the low half of the shifted even ones and the upper half of the doubled odd ones.
 */
function highProduct(helpers: Helpers, name: string, c: string, lanes: number): string {
  const families: Record<number, readonly [guard: string, type: string, prefix: string, blend: string]> = {
    4: ['__SSE4_1__', '__m128i', '_mm', '_mm_blend_epi16(e, o, 0xcc)'],
    8: ['__AVX2__', '__m256i', '_mm256', '_mm256_blend_epi32(e, o, 0xaa)'],
    16: ['__AVX512F__', '__m512i', '_mm512', '_mm512_mask_blend_epi32(0xaaaa, e, o)'],
  };
  const scalar = helpers.use('high_product');
  const each = Array.from({ length: lanes }, (_, i) => `${scalar}(a[${i}], b[${i}])`).join(', ');
  const generic = `  return (${c}){${each}};`;
  const head = `static inline ${c} ${name}(${c} a, ${c} b) {`;
  const native = families[lanes];
  if (!native) return `${head}\n${generic}\n}`;
  const [guard, type, f, blend] = native;
  return `${head}
#if defined(${guard})
  const ${type} half = ${f}_set1_epi64${lanes === 16 ? '' : 'x'}(1073741824), x = (${type})a, y = (${type})b;
  const ${type} even = ${f}_add_epi64(${f}_mul_epi32(x, y), half);
  const ${type} odd = ${f}_add_epi64(${f}_mul_epi32(${f}_srli_epi64(x, 32), ${f}_srli_epi64(y, 32)), half);
  const ${type} e = ${f}_srli_epi64(even, 31), o = ${f}_add_epi64(odd, odd);
  return (${c})${blend};
#else
${generic}
#endif
}`;
}

/** Lanes of floats to whole numbers: truncated, saturated, NaN to 0. */
export function truncation(helpers: Helpers, from: Vector, to: Vector): string {
  const [f, i] = [vectorType(helpers, from), vectorType(helpers, to)];
  const name = `${to}_of_${from}`;
  return helpers.define(
    name,
    () =>
      `static inline ${i} ${name}(${f} a) { const ${i} high = a >= 2147483648.0f, fits = (a >= -2147483648.0f) & ~high; ` +
      `const ${i} whole = __builtin_convertvector((${f})((${i})a & fits), ${i}); ` +
      `return (whole & fits) | (high & 0x7fffffff) | (~(fits | high) & (a == a) & (-0x7fffffff - 1)); }`,
  );
}

/** Sums of neighbouring products of i16 lanes. */
export function pairProducts(helpers: Helpers, type: Vector): string {
  const lanes = lanesOf(type);
  const [c, h] = [vectorType(helpers, type), vectorType(helpers, `i16x${2 * lanes}`)];
  const wide = vectorType(helpers, `i32x${2 * lanes}`);
  const name = `dot_${type}`;
  const native: Record<number, readonly [string, string]> = {
    4: ['__SSE2__', '_mm_madd_epi16((__m128i)a, (__m128i)b)'],
    8: ['__AVX2__', '_mm256_madd_epi16((__m256i)a, (__m256i)b)'],
    16: ['__AVX512BW__', '_mm512_madd_epi16((__m512i)a, (__m512i)b)'],
  };
  const every = (first: number) => Array.from({ length: lanes }, (_, i) => 2 * i + first).join(', ');
  const generic = `const ${wide} p = __builtin_convertvector(a, ${wide}) * __builtin_convertvector(b, ${wide}); return __builtin_shufflevector(p, p, ${every(0)}) + __builtin_shufflevector(p, p, ${every(1)});`;
  return helpers.define(name, () => {
    const head = `static inline ${c} ${name}(${h} a, ${h} b) {`;
    const found = native[lanes];
    if (!found) return `${head} ${generic} }`;
    return `${head}\n#if defined(${found[0]})\n  return (${c})${found[1]};\n#else\n  ${generic}\n#endif\n}`;
  });
}

/**
 * Sums of four neighbouring products of bytes, added to `c`. Without the instruction: even and odd bytes as 16 bits, in
 * pairs.
 */
export function quadProducts(helpers: Helpers, type: Vector): string {
  const lanes = lanesOf(type);
  const c = vectorType(helpers, type);
  const [u, s] = [vectorType(helpers, `u8x${4 * lanes}`), vectorType(helpers, `i8x${4 * lanes}`)];
  const h = vectorType(helpers, `i16x${2 * lanes}`);
  const pairs = pairProducts(helpers, type);
  const generic = `  const ${h} x = (${h})a, y = (${h})b;
  return c + ${pairs}(x & 255, (y << 8) >> 8) + ${pairs}((x >> 8) & 255, y >> 8);`;
  const name = `dot_quads_${type}`;
  return helpers.define(name, () => {
    const head = `static inline ${c} ${name}(${u} a, ${s} b, ${c} c) {`;
    if (lanes !== 16) return `${head}\n${generic}\n}`;
    const native = `(${c})_mm512_dpbusd_epi32((__m512i)c, (__m512i)a, (__m512i)b)`;
    return `${head}\n#if defined(__AVX512VNNI__)\n  return ${native};\n#else\n${generic}\n#endif\n}`;
  });
}

/** True where code with a type needs vector extensions. */
export function needsVectors(type: Type): boolean {
  return isVector(type);
}
