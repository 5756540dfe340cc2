/**
 * Decodes the packed number lists of a TensorProto, which schema.ts leaves as bytes. 64-bit integers are
 * narrowed to 32 bits, saturating: see docs/operators.md.
 */
import { TidemarkError } from '../../errors.ts';

const MAX_I32 = 2147483647;
const MIN_I32 = -2147483648;

/** Saturates a number to a signed 32-bit integer. */
export function saturate(x: number): number {
  return Math.min(MAX_I32, Math.max(MIN_I32, x));
}

/** One signed 64-bit integer from its two halves, saturated to 32 bits. */
export function narrow(low: number, high: number): number {
  if (high === low >> 31) return low | 0;
  return high < 0 ? MIN_I32 : MAX_I32;
}

/** Number of varints in the chunks: bytes without a continuation bit. */
export function countVarints(chunks: readonly Uint8Array[]): number {
  let count = 0;
  for (const chunk of chunks) for (const byte of chunk) if (byte < 128) count++;
  return count;
}

/** Signed varints, narrowed to 32 bits. `count` bounds what is read. */
export function decodeVarints(chunks: readonly Uint8Array[], count: number): Int32Array {
  const out = new Int32Array(count);
  let n = 0;
  for (const chunk of chunks) {
    let pos = 0;
    while (pos < chunk.length && n < count) {
      let low = 0;
      let high = 0;
      for (let shift = 0; ; shift += 7) {
        if (pos >= chunk.length || shift > 63) {
          throw new TidemarkError('file-format', 'a packed integer of the file is cut off or too long');
        }
        const byte = chunk[pos++];
        const bits = byte & 127;
        if (shift < 28) low |= bits << shift;
        else if (shift === 28) {
          low |= bits << 28;
          high |= bits >> 4;
        } else high |= bits << (shift - 32);
        if (byte < 128) break;
      }
      out[n++] = narrow(low | 0, high | 0);
    }
  }
  return out;
}

/** The chunks as one run of bytes, without a copy where there is one chunk. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0];
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}
