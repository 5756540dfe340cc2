/** Runs the real command in temporary folders, as a user would. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

// Nothing happens when dist is newer than its sources.
const built = spawnSync(process.execPath, [path.join(root, 'scripts', 'setup.mjs')], { encoding: 'utf8' });
if (built.status !== 0) throw new Error(`set-up failed: ${built.stderr}`);

export interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** `tidemark ARGS`, without a terminal. */
export function tidemark(args: readonly string[], options: RunOptions = {}): Result {
  const result = spawnSync(process.execPath, [path.join(root, 'dist', 'cli', 'main.js'), ...args], {
    cwd: options.cwd ?? root,
    env: { ...process.env, NO_COLOR: '1', TIDEMARK_DEBUG: '', ...options.env },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

/** Writes on leaving what processor time the process took, in seconds. */
const STOPWATCH = `
import fs from 'node:fs';
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  fs.writeFileSync(process.env.TIDEMARK_TEST_STOPWATCH, String((user + system) / 1e6));
});`;

let stopwatchFolder: string | undefined;

/** Seconds of processor time that a command takes, starting the program included: what else the machine does matters little. */
export function processorSeconds(args: readonly string[], options: RunOptions = {}): number {
  stopwatchFolder ??= temporaryFolder();
  const file = path.join(stopwatchFolder, 'seconds');
  const program = `--import=data:text/javascript,${encodeURIComponent(STOPWATCH)}`;
  tidemark(args, {
    ...options,
    env: { ...options.env, NODE_OPTIONS: program, TIDEMARK_TEST_STOPWATCH: file },
  });
  return Number(fs.readFileSync(file, 'utf8'));
}

/** The document of a command that must succeed. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every command.
export function tidemarkJson(args: readonly string[], options: RunOptions & { status?: number } = {}): any {
  const result = tidemark([...args, '--json'], options);
  if (result.status !== (options.status ?? 0)) {
    throw new Error(`tidemark ${args.join(' ')}: exit code ${result.status}\n${result.stderr}`);
  }
  return JSON.parse(result.stdout);
}

/** A folder that is removed when the process ends. */
export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidemark-test-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}
