/**
 * OpenTTD's sound sets, one file of many WAV files: a table of (offset, size), 32 bits each, up to where the first
 * entry begins; an entry is a title with its length in a byte before it, then the WAV file. An offset's top bit is a flag.
 */

export interface Recording {
  readonly title: string;
  readonly wav: Uint8Array;
}

export function recordingOf(cat: Uint8Array, index: number): Recording {
  const view = new DataView(cat.buffer, cat.byteOffset, cat.byteLength);
  const offsetOf = (i: number) => view.getUint32(8 * i, true) & 0x7fffffff;
  const count = cat.length < 8 ? 0 : Math.floor(offsetOf(0) / 8);
  if (index >= count || 8 * count > cat.length) {
    throw new Error(`sound set: no recording ${index} among ${count}`);
  }
  const at = offsetOf(index);
  const titleBytes = cat[at];
  const wav = at + 1 + titleBytes;
  const title = new TextDecoder().decode(cat.subarray(at + 1, wav)).replace(/\0.*$/s, '');
  return { title, wav: cat.subarray(wav, wav + view.getUint32(8 * index + 4, true)) };
}
