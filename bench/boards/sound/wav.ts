/** The first channel of a WAV file: PCM of 8 bits (unsigned) or 16, as numbers from -1 up to 1. */

export interface Sound {
  readonly rateHz: number;
  readonly samples: Float64Array;
}

const PCM = 1;

export function readWav(bytes: Uint8Array): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || word(0) !== 'RIFF' || word(8) !== 'WAVE') throw new Error('not a WAV file');
  let format: number | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const sizeBytes = view.getUint32(at + 4, true);
    if (word(at) === 'fmt ') format = at + 8;
    if (word(at) === 'data') {
      if (format === undefined) throw new Error('WAV: samples before their format');
      const [kind, channels] = [view.getUint16(format, true), view.getUint16(format + 2, true)];
      const bits = view.getUint16(format + 14, true);
      if (kind !== PCM || (bits !== 8 && bits !== 16)) throw new Error(`WAV: format ${kind} of ${bits} bits`);
      const stride = (channels * bits) / 8;
      const count = Math.floor(Math.min(sizeBytes, bytes.length - at - 8) / stride);
      const sample = (offset: number) =>
        bits === 8 ? (bytes[offset] - 128) / 128 : view.getInt16(offset, true) / 32768;
      return {
        rateHz: view.getUint32(format + 4, true),
        samples: Float64Array.from({ length: count }, (_, i) => sample(at + 8 + i * stride)),
      };
    }
    // Chunks begin at even places.
    at += 8 + sizeBytes + (sizeBytes % 2);
  }
  throw new Error('WAV: no samples');
}
