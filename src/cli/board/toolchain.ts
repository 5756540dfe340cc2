/** The programs that `board` needs beside itself, and running them. */
import { spawnSync } from 'node:child_process';
import { TidemarkError } from '../../errors.ts';

export const COMPILER = 'arm-none-eabi-gcc';
export const EMULATOR = 'qemu-system-arm';
/** Compiles the plugin that counts, for this host. */
const HOST_COMPILERS = ['cc', 'gcc', 'clang'];

const starts = (name: string) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0;

/** What is missing, in one line; undefined where all is there. */
export function missingTools(): string | undefined {
  const missing = [COMPILER, EMULATOR].filter((name) => !starts(name));
  if (!hostCompiler()) missing.push('cc');
  if (missing.length === 0) return undefined;
  return `${missing.join(', ')} not found; scripts/install-board-tools.sh installs them from Debian's packages`;
}

export function hostCompiler(): string | undefined {
  return HOST_COMPILERS.find(starts);
}

export function requireTools(): void {
  const missing = missingTools();
  if (missing) throw new TidemarkError('runtime-missing', missing);
}

/** Runs a program that must succeed; gives what it printed. */
export function runTool(name: string, args: readonly string[], folder: string): string {
  const result = spawnSync(name, args, { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 30 });
  if (result.status === 0) return result.stdout;
  const said = result.error?.message ?? result.stderr;
  const first =
    said.split('\n').find((l) => /error|undefined|cannot|overflow|region/i.test(l)) ?? said.split('\n')[0];
  throw new TidemarkError('internal', `${name} failed: ${first} (in ${folder})`);
}
