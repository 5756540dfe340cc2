/** The launcher on a copy of the checkout: sets itself up once, whoever comes first. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, temporaryFolder } from './tidemark.ts';

const copy = temporaryFolder();
for (const name of [
  'src',
  'scripts',
  'tidemark',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
]) {
  fs.cpSync(path.join(root, name), path.join(copy, name), { recursive: true, preserveTimestamps: true });
}
fs.symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
const launcher = path.join(copy, 'tidemark');

function launch(): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(launcher, ['--version'], { cwd: '/' });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (d) => (stdout += d));
    child.stderr.on('data', (d) => (stderr += d));
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

const buildsIn = (text: string) => text.split('building').length - 1;
const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

describe.skipIf(process.platform === 'win32')('launcher', () => {
  it('builds once when two start together, and keeps stdout clean', async () => {
    const results = await Promise.all([launch(), launch()]);
    for (const r of results)
      expect({ status: r.status, stdout: r.stdout }).toEqual({ status: 0, stdout: `${version}\n` });
    expect(buildsIn(results[0].stderr + results[1].stderr)).toBe(1);
  });

  it('does nothing when nothing is stale, builds again when a source is newer', async () => {
    expect((await launch()).stderr).toBe('');
    const later = new Date(Date.now() + 2000);
    fs.utimesSync(path.join(copy, 'src', 'errors.ts'), later, later);
    expect(buildsIn((await launch()).stderr)).toBe(1);
  });

  it('goes on after a set-up that was killed', async () => {
    fs.rmSync(path.join(copy, 'dist', '.built'));
    fs.mkdirSync(path.join(copy, '.tidemark-setup'), { recursive: true });
    const gone = spawnSync(process.execPath, ['-e', ''], {});
    fs.writeFileSync(path.join(copy, '.tidemark-setup', 'lock'), String(gone.pid));
    expect(await launch()).toMatchObject({ status: 0, stdout: `${version}\n` });
  });

  it('works through a symbolic link', () => {
    const link = path.join(temporaryFolder(), 'tm');
    fs.symlinkSync(launcher, link);
    expect(spawnSync(link, ['--version'], { encoding: 'utf8' }).stdout).toBe(`${version}\n`);
  });
});
