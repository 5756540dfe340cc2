/**
 * The C behind the loop-nest language's operations that C has no operator for: small inline functions, of which a
 * file gets those that its kernels call. Plain C99; what is of GCC and Clang alone stands behind `__GNUC__` or is in
 * vectors.ts.
 */

import { heliumForm } from './arm-vectors.ts';

interface Helper {
  readonly needs?: readonly string[];
  readonly code: string;
}

/** A function of two values written as one expression. */
const two = (type: string, name: string, expression: string): Helper => ({
  code: `static inline ${type} ${name}(${type} a, ${type} b) { return ${expression}; }`,
});

const wrapping = (bits: 32 | 64): Record<string, Helper> => {
  const [s, u] = [`int${bits}_t`, `uint${bits}_t`];
  const cast = (operator: string) => `(${s})((${u})a ${operator} (${u})b)`;
  return {
    [`add_i${bits}`]: two(s, `add_i${bits}`, cast('+')),
    [`sub_i${bits}`]: two(s, `sub_i${bits}`, cast('-')),
    [`mul_i${bits}`]: two(s, `mul_i${bits}`, cast('*')),
    [`shl_i${bits}`]: two(s, `shl_i${bits}`, `(${s})((${u})a << b)`),
    [`shr_i${bits}`]: two(s, `shr_i${bits}`, 'a >> b'),
    [`shrU_i${bits}`]: two(s, `shrU_i${bits}`, `(${s})((${u})a >> b)`),
    [`abs_i${bits}`]: {
      code: `static inline ${s} abs_i${bits}(${s} a) { return a < 0 ? (${s})(0 - (${u})a) : a; }`,
    },
    [`clz_i${bits}`]: {
      code: `static inline ${s} clz_i${bits}(${s} a) {
  ${u} rest = (${u})a;
  ${s} zeros = ${bits};
  while (rest != 0) { rest >>= 1; zeros--; }
  return zeros;
}`,
    },
  };
};

const extremes = (c: string, name: string): Record<string, Helper> => ({
  [`min_${name}`]: two(c, `min_${name}`, 'b < a ? b : a'),
  [`max_${name}`]: two(c, `max_${name}`, 'a < b ? b : a'),
});

const bits = (to: string, from: string, name: string): Record<string, Helper> => ({
  [name]: {
    code: `static inline ${to} ${name}(${from} a) { ${to} r; memcpy(&r, &a, sizeof r); return r; }`,
  },
});

/** Whole parts of floats without a mathematical library: from 2^23 (2^52) on there is no fraction. */
const rounding = (c: 'float' | 'double', name: 'f32' | 'f64'): Record<string, Helper> => {
  const [whole, limit] = name === 'f32' ? ['int32_t', '8388608.0f'] : ['int64_t', '4503599627370496.0'];
  const [zero, one] = name === 'f32' ? ['0.0f', '1.0f'] : ['0.0', '1.0'];
  const sign = `copysign_${name}`;
  return {
    [sign]: {
      needs: name === 'f32' ? ['bits_i32_f32', 'bits_f32_i32'] : ['bits_i64_f64', 'bits_f64_i64'],
      code:
        name === 'f32'
          ? `static inline float copysign_f32(float a, float from) {
  return bits_f32_i32((int32_t)(((uint32_t)bits_i32_f32(a) & 0x7fffffffu) | ((uint32_t)bits_i32_f32(from) & 0x80000000u)));
}`
          : `static inline double copysign_f64(double a, double from) {
  const uint64_t sign = (uint64_t)1 << 63;
  return bits_f64_i64((int64_t)(((uint64_t)bits_i64_f64(a) & ~sign) | ((uint64_t)bits_i64_f64(from) & sign)));
}`,
    },
    [`abs_${name}`]: {
      needs: [sign],
      code: `static inline ${c} abs_${name}(${c} a) { return ${sign}(a, ${one}); }`,
    },
    [`trunc_${name}`]: {
      needs: [sign],
      code: `static inline ${c} trunc_${name}(${c} a) {
  if (!(a > -${limit} && a < ${limit})) return a;
  return ${sign}((${c})(${whole})a, a);
}`,
    },
    [`floor_${name}`]: {
      needs: [`trunc_${name}`, sign],
      code: `static inline ${c} floor_${name}(${c} a) {
  const ${c} t = trunc_${name}(a);
  return t > a ? t - ${one} : t;
}`,
    },
    [`ceil_${name}`]: {
      needs: [`trunc_${name}`, sign],
      code: `static inline ${c} ceil_${name}(${c} a) {
  const ${c} t = trunc_${name}(a);
  return ${sign}(t < a ? t + ${one} : t, a);
}`,
    },
    [`nearest_${name}`]: {
      needs: [sign],
      code: `static inline ${c} nearest_${name}(${c} a) {
  const ${c} size = a < ${zero} ? -a : a;
  if (!(size < ${limit})) return a;
  const ${c} up = size + ${limit};
  return ${sign}(up - ${limit}, a);
}`,
    },
  };
};

/** Truncated and saturated; NaN is 0. */
const truncation = (to: 32 | 64, c: 'float' | 'double', name: string): Record<string, Helper> => {
  const type = `int${to}_t`;
  const limit = to === 32 ? '2147483648.0' : '9223372036854775808.0';
  const real = c === 'float' ? `${limit}f` : limit;
  return {
    [`i${to}_${name}`]: {
      code: `static inline ${type} i${to}_${name}(${c} a) {
  if (a != a) return 0;
  if (a >= ${real}) return INT${to}_MAX;
  return a < -${real} ? INT${to}_MIN : (${type})a;
}`,
    },
  };
};

const memory = (c: string, cell: string): Record<string, Helper> => ({
  [`ld_${cell}`]: {
    code: `static inline ${c} ld_${cell}(const uint8_t *p) { ${c} r; memcpy(&r, TM_ALIGNED(p, ${c}), sizeof r); return r; }`,
  },
  [`st_${cell}`]: {
    code: `static inline void st_${cell}(uint8_t *p, ${c} a) { memcpy(TM_ALIGNED(p, ${c}), &a, sizeof a); }`,
  },
});

/** By name. */
const helpers: Readonly<Record<string, Helper>> = {
  ...wrapping(32),
  ...wrapping(64),
  ...extremes('ptrdiff_t', 'index'),
  ...extremes('int32_t', 'i32'),
  ...extremes('int64_t', 'i64'),
  ...extremes('float', 'f32'),
  ...extremes('double', 'f64'),
  ...bits('int32_t', 'float', 'bits_i32_f32'),
  ...bits('float', 'int32_t', 'bits_f32_i32'),
  ...bits('int64_t', 'double', 'bits_i64_f64'),
  ...bits('double', 'int64_t', 'bits_f64_i64'),
  ...rounding('float', 'f32'),
  ...rounding('double', 'f64'),
  ...truncation(32, 'float', 'f32'),
  ...truncation(32, 'double', 'f64'),
  ...truncation(64, 'float', 'f32'),
  ...truncation(64, 'double', 'f64'),
  ...memory('int16_t', 'i16'),
  ...memory('int32_t', 'i32'),
  ...memory('float', 'f32'),
  ld_i32_any: {
    code: 'static inline int32_t ld_i32_any(const uint8_t *p) { int32_t r; memcpy(&r, p, sizeof r); return r; }',
  },
  high_product: {
    code: `static inline int32_t high_product(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  return (int32_t)(((int64_t)a * b + 1073741824) >> 31);
}`,
  },
  sqrt_f32: {
    needs: ['bits_i32_f32', 'bits_f32_i32'],
    code: `static inline float sqrt_f32(float a) {
  int32_t exponent;
  uint32_t fraction = (uint32_t)bits_i32_f32(a);
  uint64_t rest, root = 0, bit;
  if (!(a > 0.0f) || fraction == 0x7f800000u) return a >= 0.0f || a != a ? a : bits_f32_i32(0x7fc00000);
  exponent = (int32_t)(fraction >> 23);
  fraction &= 0x7fffffu;
  if (exponent == 0) { exponent = 1; while (!(fraction & 0x800000u)) { fraction <<= 1; exponent--; } }
  fraction |= 0x800000u;
  exponent -= 150;
  rest = (uint64_t)fraction << ((exponent & 1) ? 27 : 26);
  exponent = (exponent - (exponent & 1) - 26) / 2;
  for (bit = (uint64_t)1 << 52; bit != 0; bit >>= 2) {
    if (rest >= root + bit) { rest -= root + bit; root = (root >> 1) + bit; } else root >>= 1;
  }
  /* root has 25 or 26 bits; a half is rounded by whether anything is left */
  while (root >= (uint64_t)1 << 25) { rest |= root & 1; root >>= 1; exponent++; }
  if ((root & 1) && (rest != 0 || (root & 2))) root += 1;
  root >>= 1;
  exponent += 1;
  if (root >> 24) { root >>= 1; exponent++; }
  return bits_f32_i32((int32_t)(((uint32_t)(exponent + 150) << 23) | ((uint32_t)root & 0x7fffffu)));
}`,
  },
};

/** Collects the helpers that printed code calls. */
export class Helpers {
  readonly #used = new Set<string>();
  readonly #own = new Map<string, string>();

  /** The name, noted. */
  use(name: string): string {
    if (!helpers[name]) throw new Error(`no C helper ${name}`);
    for (const other of helpers[name].needs ?? []) this.use(other);
    this.#used.add(name);
    return name;
  }

  /** A helper made for the occasion; `make` may use others. */
  define(name: string, make: () => string): string {
    if (!this.#own.has(name)) {
      const code = make();
      this.#own.set(name, heliumForm(name, code));
    }
    return name;
  }

  /** Their code, each after what it needs. */
  code(): string {
    const used = Object.keys(helpers).filter((name) => this.#used.has(name));
    const code = [...used.map((name) => helpers[name].code), ...this.#own.values()].join('\n');
    // What takes vectors is inlined, so that how they would be passed does not matter.
    const inlined = code.replace(
      /^static inline (.*\bv_[iuf]\d+x\d+.*)$/gm,
      'static inline __attribute__((always_inline, unused)) $1',
    );
    // Some are for one processor only, and idle on others.
    return inlined.replace(/^static inline (?!__attribute__)/gm, 'TM_INLINE ');
  }
}
