/** Reads model files and the external data beside them. */
import fs from 'node:fs';
import path from 'node:path';
import { TidemarkError } from '../errors.ts';

/** Beyond this neither protobuf nor FlatBuffers can address a file, nor one ArrayBuffer hold it everywhere. */
const MAX_BYTES = 2 ** 31;

/** The whole file. Size and kind are checked before anything is read. */
export function readModelFile(file: string): Uint8Array {
  const bytes = readChecked(file, file);
  if (bytes.length === 0) throw new TidemarkError('file-format', `${file}: the file is empty`);
  return bytes;
}

/** Reads part of a file that an ONNX model keeps its weights in; the place is relative to the model. */
export function externalReader(
  model: string,
): (location: string, offset: number, length?: number) => Uint8Array {
  const folder = path.dirname(model);
  const loaded = new Map<string, Uint8Array>();
  return (location, offset, length) => {
    const parts = location.split(/[\\/]/);
    if (
      path.isAbsolute(location) ||
      path.win32.isAbsolute(location) ||
      parts.includes('..') ||
      location.includes('\0')
    ) {
      throw new TidemarkError(
        'external-data',
        `${model}: external data '${location}' lies outside the model's folder, which is not allowed`,
      );
    }
    let bytes = loaded.get(location);
    if (!bytes) {
      bytes = readChecked(path.join(folder, ...parts), `${model}: external data '${location}'`);
      loaded.set(location, bytes);
    }
    const end = length === undefined ? bytes.length : offset + length;
    if (!(offset >= 0 && end >= offset && end <= bytes.length)) {
      throw new TidemarkError(
        'external-data',
        `${model}: external data '${location}' has ${bytes.length} bytes, the model wants bytes ${offset} to ${end}`,
      );
    }
    return bytes.subarray(offset, end);
  };
}

/** Reads a file; `name` is what messages call it. */
export function readChecked(file: string, name: string): Uint8Array {
  let status: fs.Stats;
  try {
    status = fs.statSync(file);
  } catch (error) {
    throw unreadable(name, error);
  }
  if (status.isDirectory())
    throw new TidemarkError('file-unreadable', `${name}: this is a folder, a file is needed`);
  if (status.size > MAX_BYTES) {
    throw new TidemarkError(
      'file-too-large',
      `${name}: ${status.size} bytes, the limit is ${MAX_BYTES} (2 GiB)`,
    );
  }
  try {
    return fs.readFileSync(file);
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
