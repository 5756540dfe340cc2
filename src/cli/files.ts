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
