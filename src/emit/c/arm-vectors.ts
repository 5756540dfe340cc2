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
