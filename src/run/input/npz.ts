/** NumPy's .npz: a zip of .npy files, one an array. */
import { unzipSync, zipSync } from 'fflate';
import { TidemarkError } from '../../errors.ts';
import type { FileArray } from './file-array.ts';
import { readNpy, writeNpy } from './npy.ts';

/** Arrays by name, in the file's order. */
export function readNpz(bytes: Uint8Array, name: string): ReadonlyMap<string, FileArray> {
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes, { filter: (file) => file.name.endsWith('.npy') });
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown reason';
    throw new TidemarkError('input-invalid', `${name}: it cannot be unpacked as .npz (${why})`, {
      cause: error,
    });
  }
  const arrays = new Map<string, FileArray>();
  for (const [entry, content] of Object.entries(entries)) {
    arrays.set(entry.slice(0, -4), readNpy(content, `${name}: ${entry}`));
  }
  if (arrays.size === 0) throw new TidemarkError('input-invalid', `${name}: there is no .npy file in it`);
  return arrays;
}

/** The bytes of a file with these arrays, packed without a time so that equal arrays give equal files. */
export function writeNpz(arrays: ReadonlyMap<string, FileArray>): Uint8Array {
  const entries = [...arrays].map(([name, array]) => [`${name}.npy`, writeNpy(array)] as const);
  return zipSync(Object.fromEntries(entries), { mtime: new Date('1980-01-01T12:00:00') });
}
