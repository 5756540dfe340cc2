/** What kernels are written for: how wide vectors are and how many of them fit in registers. */
export interface Machine {
  readonly name: string;
  /** Lanes of f32 and i32 vectors; 1 for none. */
  readonly lanes: number;
  /** Vectors (or scalars, where lanes is 1) that sums may take up at once. */
  readonly sums: number;
  /** True where i16 lanes can be multiplied and added in pairs. */
  readonly pairs: boolean;
  /** True where four bytes of each lane can be multiplied and added at once. */
  readonly quads?: boolean;
  /** True where each lane can be shifted by a number of its own at an instruction's cost. */
  readonly laneShifts?: boolean;
  /** True where lanes of two vectors can be interleaved at no more than an instruction's cost. */
  readonly interleaves?: boolean;
  /**
   * True where the order of float32 sums is free: where few are computed at once, each is made of several that do not
   * wait for one another. The last bits then differ.
   */
  readonly reorders?: boolean;
  /** Bytes that sums of products take at once beside all lanes: 4 in a word, 16 in a vector. */
  readonly dots?: 4 | 16;
  /** Weights of layers with so many and fewer lie in 16 bits, which saves taking words apart. */
  readonly wideWeights?: number;
  /** True where the upper word of a rounded product is one instruction. */
  readonly highWord?: boolean;
}

/** Any C99 compiler, any processor. */
export const PLAIN: Machine = { name: 'plain', lanes: 1, sums: 8, pairs: false };
/** SSE2 or NEON: 16 bytes. */
export const VECTOR16: Machine = { name: 'vector16', lanes: 4, sums: 12, pairs: true };
/** AVX2: 32 bytes. */
export const VECTOR32: Machine = { name: 'vector32', lanes: 8, sums: 12, pairs: true, laneShifts: true };
/** AVX-512: 64 bytes. */
export const VECTOR64: Machine = { name: 'vector64', lanes: 16, sums: 24, pairs: true, laneShifts: true };
/** The same with sums of four products of bytes (VNNI). */
export const VECTOR64_VNNI: Machine = { ...VECTOR64, name: 'vector64-vnni', quads: true };
/** WebAssembly's fixed-width SIMD. Engines keep a register or two of sixteen to themselves. */
export const WASM_SIMD: Machine = { name: 'wasm', lanes: 4, sums: 8, pairs: true, interleaves: true };

/** Arm's DSP extension: Cortex-M4, M7, M33. Words of four bytes, taken apart into pairs. */
export const ARM_DSP: Machine = {
  name: 'arm-dsp',
  lanes: 1,
  sums: 8,
  pairs: false,
  dots: 4,
  wideWeights: 1024,
  highWord: true,
};
/** The same with all weights in 16 bits: fewer instructions, twice the flash. */
export const ARM_DSP_WIDE: Machine = { ...ARM_DSP, name: 'arm-dsp-wide', wideWeights: Infinity };
/** Helium, as Cortex-M55 and M85 have it: vectors of 16 bytes, and sums of 16 products of bytes. */
export const HELIUM: Machine = { name: 'helium', lanes: 4, sums: 4, pairs: false, dots: 16 };
