/** Reads model files and the external data beside them. */
import fs from 'node:fs';
import path from 'node:path';
import { TidemarkError } from '../errors.ts';
import { type LimitName, withinLimit } from '../limits.ts';

/** The whole file. Size and kind are checked before anything is read. */
export function readModelFile(file: string): Uint8Array {
  const bytes = readChecked(file, file);
  if (bytes.length === 0) throw new TidemarkError('file-format', `${file}: the file is empty`);
  return bytes;
}

/** Reads files that an ONNX model keeps its weights in; their places are relative to the model. */
export function externalReader(model: string): (location: string) => Uint8Array {
  const folder = path.dirname(model);
  return (location) => {
    const parts = location.split(/[\\/]/);
    const absolute = path.isAbsolute(location) || path.win32.isAbsolute(location);
    if (absolute || parts.includes('..') || location.includes('\0')) {
      throw new TidemarkError(
        'external-data',
        `external data '${location}' lies outside the model's folder, which is not allowed`,
      );
    }
    return readChecked(path.join(folder, ...parts), `external data '${location}'`);
  };
}

/** Reads a file; `name` is what messages call it. */
export function readChecked(file: string, name: string, limit: LimitName = 'fileBytes'): Uint8Array {
  let status: fs.Stats;
  try {
    status = fs.statSync(file);
  } catch (error) {
    throw unreadable(name, error);
  }
  if (status.isDirectory())
    throw new TidemarkError('file-unreadable', `${name}: this is a folder, a file is needed`);
  withinLimit(limit, status.size, 'file-too-large', `${name}: ${status.size} bytes`);
  try {
    const buffer = fs.readFileSync(file);
    // A plain array: a Buffer's slice is no copy, and code that runs in browsers counts on one.
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } catch (error) {
    throw unreadable(name, error);
  }
}

function unreadable(name: string, error: unknown): TidemarkError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new TidemarkError('file-missing', `${name}: no such file`);
  const why = code === 'EACCES' ? 'no permission to read it' : (code ?? 'it cannot be read');
  return new TidemarkError('file-unreadable', `${name}: ${why}`, { cause: error });
}
