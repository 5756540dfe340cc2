/**
 * Installs the Debian packages that tests of emitted code use, where they are missing and apt can. Tests that need a
 * compiler skip without one, and say so; this never fails.
 */
import { spawnSync } from 'node:child_process';

const wanted = [
  { command: 'gcc', packages: ['gcc', 'libc6-dev', 'binutils'] },
  { command: 'clang', packages: ['clang', 'libc6-dev'] },
  { command: 'valgrind', packages: ['valgrind'] },
  // Emulated boards; scripts/install-board-tools.sh installs these alone.
  {
    command: 'arm-none-eabi-gcc',
    packages: ['gcc-arm-none-eabi', 'libnewlib-arm-none-eabi', 'binutils-arm-none-eabi'],
  },
  { command: 'qemu-system-arm', packages: ['qemu-system-arm'] },
];

const runs = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const missing = wanted.filter(({ command }) => !runs(command, '--version'));

if (missing.length > 0) {
  const names = missing.map(({ command }) => command).join(', ');
  const may = process.platform === 'linux' && process.getuid?.() === 0 && runs('apt-get', '--version');
  const packages = missing.flatMap((m) => m.packages);
  const installed =
    may &&
    runs('apt-get', 'update', '-qq') &&
    runs('apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages);
  const what = installed ? 'installed' : 'not found: tests that need it are skipped';
  process.stderr.write(`tidemark: ${names} ${what}\n`);
}
