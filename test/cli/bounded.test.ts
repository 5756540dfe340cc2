/** Limits and Ctrl-C in the commands that search for long: what was found by then is the answer. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root, temporaryFolder, tidemark, tidemarkJson } from './tidemark.ts';

/** Layer by layer it is planned in well under a second, all else takes many. */
const LONG = ['zoo:mobilenetv2-1.0-224', '--dtype', 'int8'];
const METHODS = ['naive', 'pingpong', 'layerwise', 'overlap', 'csdf', 'csdf-reuse', 'restructure', 'fit'];

/** A sweep whose first result is there at once and whose second takes long. */
function sweepFile(): string {
  const file = path.join(temporaryFolder(), 'sweep.json');
  const models = ['zoo:resnet8', 'zoo:mobilenetv2-1.0-224', 'zoo:unet'];
  fs.writeFileSync(file, JSON.stringify({ models, methods: ['layerwise', 'fit'], dtype: 'int8' }));
  return file;
}

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '');

test('a time limit ends compare with the rows that are there, and names the others', () => {
  const d = tidemarkJson(['compare', ...LONG, '--time-limit', '1.5']);
  expect(d.stoppedBy).toBe('time');
  const methods = d.rows.map((r: { method: string }) => r.method);
  expect(methods.slice(0, 3)).toEqual(METHODS.slice(0, 3));
  expect([...methods, ...d.leftOut].sort()).toEqual([...METHODS].sort());
  for (const r of d.rows) expect(r.checked).toBe(r.method !== 'pingpong');
});

test('it ends frontier with the points that are there, and the text says that they are not all', () => {
  const { status, stdout, stderr } = tidemark(['frontier', ...LONG, '--time-limit', '1.5']);
  expect(status).toBe(0);
  expect(stderr).toBe('tidemark: the time limit is reached; the points found so far are kept\n');
  expect(stdout).toMatch(/KiB|MiB/);
  expect(stdout).toMatch(/Not all: the time limit is reached\.\n$/);
});

test('it ends restructure with the best tiles by then', () => {
  const d = tidemarkJson(['restructure', ...LONG, '--time-limit', '1']);
  expect(d).toMatchObject({ stoppedBy: 'time', checked: true, fits: true });
  expect(d.peakAfterBytes).toBeLessThanOrEqual(d.peakBeforeBytes);
});

test('it ends a sweep with the results that are there', () => {
  const { status, stdout, stderr } = tidemark(['sweep', sweepFile(), '--time-limit', '2']);
  expect(status).toBe(0);
  const lines = linesOf(stdout).map((line) => JSON.parse(line));
  expect(lines[0]).toMatchObject({ model: 'zoo:resnet8', method: 'layerwise', checked: true });
  expect(lines.length).toBeLessThan(6);
  expect(stderr).toMatch(/^tidemark: the time limit is reached; \d of 6 results were there by then\n$/);
});

test('where not even the first plan was found, that is the one line, with exit code 2', () => {
  for (const command of ['compare', 'restructure']) {
    const { status, stdout, stderr } = tidemark([command, ...LONG, '--time-limit', '0.0001', '--json']);
    expect(status, command).toBe(2);
    expect(stdout).toBe('');
    expect(linesOf(stderr).at(-1)).toMatch(/stopped before .*give it more time or memory/);
  }
});

test('a memory limit does so too', () => {
  for (const command of ['compare', 'frontier']) {
    const { status, stdout, stderr } = tidemark([command, ...LONG, '--memory-limit', '1M', '--json']);
    if (status === 0) expect(JSON.parse(stdout)).toMatchObject({ stoppedBy: 'memory' });
    else expect([status, stderr]).toEqual([2, expect.stringMatching(/stopped before /)]);
  }
});

/** Starts a run, sends Ctrl-C when `when` says so of what was printed, and gives what it printed. */
function interrupted(args: readonly string[], when: (stdout: string) => boolean) {
  return new Promise<{ code: number | null; by: NodeJS.Signals | null; stdout: string; stderr: string }>(
    (resolve) => {
      const main = path.join(root, 'dist', 'cli', 'main.js');
      const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
      const printed = { stdout: '', stderr: '' };
      let sent = false;
      child.stdout.on('data', (data) => {
        printed.stdout += data;
        if (sent || !when(printed.stdout)) return;
        sent = true;
        // The next search has begun by then.
        setTimeout(() => child.kill('SIGINT'), 300);
      });
      child.stderr.on('data', (data) => {
        printed.stderr += data;
      });
      child.on('close', (code, by) => resolve({ code, by, ...printed }));
    },
  );
}

test('Ctrl-C ends a sweep with the results that are there', async () => {
  const { code, stdout, stderr } = await interrupted(['sweep', sweepFile()], (out) =>
    /mobilenetv2.*layerwise/.test(out),
  );
  expect(code).toBe(0);
  const lines = linesOf(stdout).map((line) => JSON.parse(line));
  expect(lines.length).toBeGreaterThanOrEqual(3);
  expect(lines.length).toBeLessThan(6);
  expect(stderr).toMatch(
    /^tidemark: interrupted; \d of 6 results were there by then \(again to leave at once\)\n$/,
  );
});
