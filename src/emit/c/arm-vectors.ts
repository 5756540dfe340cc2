/** Vectors of 16 bytes as Helium has them: sums of all products, loads of some lanes. Elsewhere lane by lane. */
import { type Cell, laneOf, lanesOf, type Type, type Vector } from '../../kernels/ir.ts';
import type { Helpers } from './prelude.ts';
import { vectorType } from './vectors.ts';

const SUFFIX: Readonly<Record<string, string>> = { i8: 's8', u8: 'u8', i16: 's16', i32: 's32', f32: 'f32' };

/** Adds all lanes' products to a number. */
export function vectorDot(helpers: Helpers, type: Type): string {
  const c = vectorType(helpers, type);
  const name = `dot_${type}_add`;
  const suffix = SUFFIX[laneOf(type)];
  return helpers.define(
    name,
    () => `static inline int32_t ${name}(int32_t c, ${c} a, ${c} b) {
#if defined(__ARM_FEATURE_MVE)
  return vmladavaq_${suffix}(c, a, b);
#else
  for (int i = 0; i < ${lanesOf(type)}; i++) c = (int32_t)((uint32_t)c + (uint32_t)(a[i] * b[i]));
  return c;
#endif
}`,
  );
}

/** Loads the first `some` cells; the lanes after them are 0. */
export function partialLoad(helpers: Helpers, type: Vector, cell: Cell, some: number): string {
  const c = vectorType(helpers, type);
  const lanes = lanesOf(type);
  const bits = 128 / lanes;
  const name = `load_${type}_${cell}_${some}`;
  const pointer = cell === 'i8' ? 'int8_t' : cell === 'u8' ? 'uint8_t' : 'int16_t';
  const unsigned = cell === 'u8' && laneOf(type) !== 'u8';
  const native = `vldr${cell === 'i16' ? 'h' : 'b'}q_z_${unsigned ? `u${bits}` : SUFFIX[laneOf(type)]}((const ${pointer} *)(const void *)p, vctp${bits}q(${some}))`;
  return helpers.define(
    name,
    () => `static inline ${c} ${name}(const uint8_t *p) {
#if defined(__ARM_FEATURE_MVE)
  return (${c})${native};
#else
  ${c} r = {0};
  for (int i = 0; i < ${some}; i++) r[i] = ((const ${pointer} *)(const void *)p)[i];
  return r;
#endif
}`,
  );
}

/** What stands for an inline function of vectors, by its name, where there is Helium; a, b, p and m are its parameters. */
const HELIUM: Readonly<Record<string, string>> = {
  load_i32x4_i8: 'return (v_i32x4)vldrbq_s32((const int8_t *)p);',
  load_i32x4_u8: 'return (v_i32x4)vldrbq_u32(p);',
  load_i32x4_i16: 'return (v_i32x4)vldrhq_s32((const int16_t *)(const void *)p);',
  load_i16x8_i8: 'return (v_i16x8)vldrbq_s16((const int8_t *)p);',
  load_i16x8_u8: 'return (v_i16x8)vldrbq_u16(p);',
  store_i32x4_i8: 'vstrbq_s32((int8_t *)p, (int32x4_t)a);',
  store_i32x4_u8: 'vstrbq_u32(p, (uint32x4_t)a);',
  store_i32x4_i16: 'vstrhq_s32((int16_t *)(void *)p, (int32x4_t)a);',
  min_i32x4: 'return (v_i32x4)vminq_s32((int32x4_t)a, (int32x4_t)b);',
  max_i32x4: 'return (v_i32x4)vmaxq_s32((int32x4_t)a, (int32x4_t)b);',
  highProduct_i32x4: 'return (v_i32x4)vqrdmulhq_s32((int32x4_t)a, (int32x4_t)b);',
  shl_i32x4: 'return (v_i32x4)vshlq_s32((int32x4_t)a, (int32x4_t)b);',
};

/** An inline function with its Helium form before the other. */
export function heliumForm(name: string, code: string): string {
  const native = HELIUM[name];
  const body = code.indexOf('{');
  if (native === undefined || body < 0) return code;
  const rest = code.slice(body + 1, code.lastIndexOf('}')).replace(/^\n|\n$/g, '');
  return `${code.slice(0, body)}{\n#if defined(__ARM_FEATURE_MVE)\n  ${native}\n#else\n${rest}\n#endif\n}`;
}
