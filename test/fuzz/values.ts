/** Values that readers tend to stumble over, and a way to choose among things. */
import { pick, type Random } from '../../src/ops/testing/operator-case.ts';

export function any<T>(random: Random, list: readonly T[]): T {
  return list[pick(random, 0, list.length - 1)];
}

export function chance(random: Random, share: number): boolean {
  return random() < share;
}

/** Integers at the ends of types, around zero, and just beyond what products of them can be. */
export const INTEGERS: readonly bigint[] = [
  0n, 1n, -1n, 2n, 3n, -2n, 5n, 7n, 16n, 100n, 127n, 128n, -128n, 255n, 256n, 4096n, 32767n, 32768n, 65535n, 65536n,
  46341n, 1n << 20n, 1n << 24n, 1n << 30n, (1n << 31n) - 1n, 1n << 31n, -(1n << 31n), (1n << 32n) - 1n, 1n << 32n,
  1n << 53n, (1n << 62n) + 1n, (1n << 63n) - 1n, -(1n << 63n),
]; // biome-ignore format: a table

/** Small ones, which more often still make a network. */
export const SMALL_INTEGERS: readonly bigint[] = [-3n, -2n, -1n, 0n, 1n, 2n, 3n, 4n, 5n, 6n, 8n, 12n];

export const FLOATS: readonly number[] = [
  0, -0, 1, -1, 0.5, 2, 1e-45, 1.17e-38, 1e-20, 1e20, 3.4e38, -3.4e38, 255, -128, 1e6,
  Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY,
]; // biome-ignore format: a table

export function someInteger(random: Random): bigint {
  return any(random, chance(random, 0.6) ? SMALL_INTEGERS : INTEGERS);
}

/** Damage that knows nothing of the format. */
export const BYTE_KINDS = ['bytes', 'cut', 'grown', 'shuffled'] as const;

export function damagedBytes(
  kind: (typeof BYTE_KINDS)[number],
  bytes: Uint8Array,
  random: Random,
): Uint8Array {
  const at = () => pick(random, 0, Math.max(0, bytes.length - 1));
  if (kind === 'cut') return bytes.slice(0, at());
  if (kind === 'grown') {
    const [from, length] = [at(), pick(random, 1, 64)];
    const out = new Uint8Array(bytes.length + length);
    out.set(bytes.subarray(0, from));
    for (let i = 0; i < length; i++) out[from + i] = pick(random, 0, 255);
    out.set(bytes.subarray(from), from + length);
    return out;
  }
  const out = bytes.slice();
  if (kind === 'shuffled') {
    const [from, to, length] = [at(), at(), pick(random, 1, 32)];
    out.set(bytes.subarray(from, Math.min(bytes.length, from + length, from + bytes.length - to)), to);
    return out;
  }
  for (let n = pick(random, 1, 6); n > 0; n--) {
    out[at()] = chance(random, 0.4) ? any(random, [0, 1, 0x7f, 0x80, 0xff]) : pick(random, 0, 255);
  }
  return out;
}
