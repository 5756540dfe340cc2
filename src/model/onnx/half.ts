/** Widening of 16-bit floats (IEEE 754 binary16 and bfloat16) to float32, exactly. */

const asFloat = new Float32Array(1);
const asBits = new Uint32Array(asFloat.buffer);

/** One binary16 as a number. */
export function widenHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** One bfloat16 as a number: the upper half of a float32. */
export function widenBfloat(bits: number): number {
  asBits[0] = bits << 16;
  return asFloat[0];
}
