/** Writes files whole or not at all: under a temporary name first, then renamed. */
import fs from 'node:fs';
import path from 'node:path';
import { TidemarkError } from '../errors.ts';

/** Writes a file, making its folder where needed. */
export function writeWhole(file: string, content: string | Uint8Array): void {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(temporary, content);
    fs.renameSync(temporary, file);
  } catch (error) {
    // Only there where writing failed half way.
    if (fs.existsSync(temporary)) fs.rmSync(temporary);
    const why =
      error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
    throw new TidemarkError('file-unreadable', `${file}: it cannot be written (${why})`, { cause: error });
  }
}

/** Refuses a folder that nothing could be written into, before any work is done for it. Makes nothing. */
export function refuseUnwritable(folder: string): void {
  let existing = path.resolve(folder);
  while (!fs.existsSync(existing) && path.dirname(existing) !== existing) existing = path.dirname(existing);
  const why = fs.statSync(existing).isDirectory() ? reasonAgainst(existing) : `${existing} is a file`;
  if (why) throw new TidemarkError('file-unreadable', `${folder}: nothing can be written there (${why})`);
}

function reasonAgainst(folder: string): string | undefined {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return undefined;
  } catch {
    return `no permission for ${folder}`;
  }
}
