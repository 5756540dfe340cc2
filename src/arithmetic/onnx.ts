/** Requantisation as ONNX Runtime does it: one float32 multiplication, ties to even. */
const { fround } = Math;

/** The factor of a sum of products: sx * sw / sy in float32, left to right. */
export function requantisationScale(x: number, w: number, y: number): number {
  return fround(fround(fround(x) * fround(w)) / fround(y));
}

/** Nearest integer, ties to even. */
export function roundEven(x: number): number {
  const r = Math.round(x);
  return r - x === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

/** round(sum * scale) + zero, saturated to [least, greatest]. */
export function requantise(
  sum: number,
  scale: number,
  zero: number,
  least: number,
  greatest: number,
): number {
  const q = roundEven(fround(fround(sum) * scale)) + zero;
  return Math.max(least, Math.min(greatest, q));
}
