/**
 * Writes files whole or not at all: under a temporary name first, then renamed. Files that belong together are all
 * written before the first is renamed, so that a run that is killed leaves what was there before.
 */
import fs from 'node:fs';
import path from 'node:path';
import { TidemarkError } from '../errors.ts';

export interface NamedFile {
  readonly file: string;
  readonly content: string | Uint8Array;
}

/** Writes a file, making its folder where needed. */
export function writeWhole(file: string, content: string | Uint8Array): void {
  writeTogether([{ file, content }]);
}

/** Writes files that belong together: all, or none where one cannot be written. */
export function writeTogether(files: readonly NamedFile[]): void {
  const begun: { file: string; temporary: string }[] = [];
  let at = '';
  try {
    for (const { file, content } of files) {
      at = file;
      const temporary = temporaryOf(file, process.pid);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      removeLeftovers(file);
      begun.push({ file, temporary });
      fs.writeFileSync(temporary, content);
    }
    for (const { file, temporary } of begun) {
      at = file;
      fs.renameSync(temporary, file);
    }
  } catch (error) {
    // Only there where writing failed half way.
    for (const { temporary } of begun) fs.rmSync(temporary, { force: true });
    const why =
      error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
    throw new TidemarkError('file-unreadable', `${at}: it cannot be written (${why})`, { cause: error });
  }
}

function temporaryOf(file: string, pid: number | string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.${pid}.tmp`);
}

/** Removes what a run that was killed has left of this file. */
function removeLeftovers(file: string): void {
  const [before, after] = path.basename(temporaryOf(file, '\n')).split('\n');
  for (const name of fs.readdirSync(path.dirname(file))) {
    if (!name.startsWith(before) || !name.endsWith(after)) continue;
    const pid = Number(name.slice(before.length, name.length - after.length));
    if (Number.isInteger(pid) && !lives(pid)) fs.rmSync(path.join(path.dirname(file), name), { force: true });
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
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
