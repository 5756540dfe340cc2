/**
 * Loads that widen and stores that narrow. Compilers convert vectors lane by lane where the widths differ fourfold,
 * so the instructions are named where they are known.
 */
import { type Cell, laneOf, lanesOf, type Vector } from '../../kernels/ir.ts';
import type { Helpers } from './prelude.ts';
import { vectorType } from './vectors.ts';

/** Register of a vector of so many bytes, and the guard and prefix of its instructions. */
const REGISTERS: Readonly<Record<number, readonly [guard: string, type: string, prefix: string]>> = {
  16: ['__SSE4_1__', '__m128i', '_mm'],
  32: ['__AVX2__', '__m256i', '_mm256'],
  64: ['__AVX512BW__', '__m512i', '_mm512'],
};

const BITS: Readonly<Record<string, number>> = { i8: 8, u8: 8, i16: 16, i32: 32 };

/** The function that loads `lanes` cells into wider lanes. */
export function widening(helpers: Helpers, type: Vector, cell: Cell): string {
  const lane = laneOf(type);
  const lanes = lanesOf(type);
  const c = vectorType(helpers, type);
  const name = `load_${type}_${cell}`;
  return helpers.define(name, () => {
    const head = `static inline ${c} ${name}(const uint8_t *p) {`;
    const generic = `  return ${chain(helpers, `*(const ${vectorType(helpers, `${cell}x${lanes}`)}_u *)p`, cell, type)};`;
    const found = REGISTERS[(lanes * BITS[lane]) / 8];
    const bytes = (lanes * BITS[cell]) / 8;
    if (!found || cell === 'f32' || lane === 'f32') return `${head}\n${generic}\n}`;
    const [guard, , prefix] = found;
    const kind = cell === 'u8' ? 'epu8' : `epi${BITS[cell]}`;
    const source =
      bytes === 32
        ? '_mm256_loadu_si256((const __m256i *)(const void *)p)'
        : bytes === 16
          ? '_mm_loadu_si128((const __m128i *)(const void *)p)'
          : bytes === 8
            ? '_mm_loadl_epi64((const __m128i *)(const void *)p)'
            : `_mm_cvtsi32_si128(${helpers.use('ld_i32_any')}(p))`;
    return `${head}\n#if defined(${guard})\n  return (${c})${prefix}_cvt${kind}_epi${BITS[lane]}(${source});\n#else\n${generic}\n#endif\n}`;
  });
}

/** Conversions that double the width at each step. */
function chain(helpers: Helpers, from: string, cell: string, type: Vector): string {
  const lanes = lanesOf(type);
  if (BITS[cell] === 8 && laneOf(type) === 'i32') {
    const half = vectorType(helpers, `i16x${lanes}`);
    return `__builtin_convertvector(__builtin_convertvector(${from}, ${half}), ${vectorType(helpers, type)})`;
  }
  return `__builtin_convertvector(${from}, ${vectorType(helpers, type)})`;
}

/** The function that stores lanes of i32 to narrower cells; values are in the cells' range. */
export function narrowing(helpers: Helpers, type: Vector, cell: Cell): string {
  const lanes = lanesOf(type);
  const c = vectorType(helpers, type);
  const target = vectorType(helpers, `${cell}x${lanes}`);
  const name = `store_${type}_${cell}`;
  return helpers.define(name, () => {
    const head = `static inline void ${name}(uint8_t *p, ${c} a) {`;
    const generic = `  *(${target}_u *)p = __builtin_convertvector(a, ${target});`;
    if (laneOf(type) === 'i32' && lanes === 16 && (BITS[cell] === 8 || BITS[cell] === 16)) {
      const [kind, to] = BITS[cell] === 8 ? ['epi8', '__m128i'] : ['epi16', '__m256i'];
      const store = BITS[cell] === 8 ? '_mm_storeu_si128' : '_mm256_storeu_si256';
      const native = `  ${store}((${to} *)(void *)p, _mm512_cvtepi32_${kind}((__m512i)a));`;
      return `${head}\n#if defined(__AVX512F__)\n${native}\n#else\n${generic}\n#endif\n}`;
    }
    const packs = cell === 'u8' ? 'packus' : 'packs';
    if (laneOf(type) !== 'i32' || (lanes !== 8 && lanes !== 4)) return `${head}\n${generic}\n}`;
    const words =
      lanes === 8
        ? '_mm_packs_epi32(_mm256_castsi256_si128((__m256i)a), _mm256_extracti128_si256((__m256i)a, 1))'
        : '_mm_packs_epi32((__m128i)a, (__m128i)a)';
    const bytes = cell === 'i16' ? words : `_mm_${packs}_epi16(${words}, _mm_setzero_si128())`;
    const size = (lanes * BITS[cell]) / 8;
    const store =
      size === 16
        ? `_mm_storeu_si128((__m128i *)(void *)p, ${bytes});`
        : size === 8
          ? `_mm_storel_epi64((__m128i *)(void *)p, ${bytes});`
          : `const int32_t low = _mm_cvtsi128_si32(${bytes}); memcpy(p, &low, 4);`;
    const guard = lanes === 8 ? '__AVX2__' : '__SSE2__';
    return `${head}\n#if defined(${guard})\n  ${store}\n#else\n${generic}\n#endif\n}`;
  });
}
