/** The version, from the package this file was installed with. */
import { readFileSync } from 'node:fs';

export function programVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}
