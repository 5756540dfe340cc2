/** Limits on planning, and runs that are ended from outside: what they leave is whole. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root, temporaryFolder, tidemark, tidemarkJson } from './tidemark.ts';

const main = path.join(root, 'dist', 'cli', 'main.js');
/** Its search takes many seconds; layer by layer it is planned in well under one. */
const LONG = ['fit', 'zoo:mobilenetv2-1.0-224', '--dtype', 'int8', '--input', 'streamed'];

test('a time limit ends the search with the best plan found so far', () => {
  const started = performance.now();
  const document = tidemarkJson([...LONG, '--time-limit', '2']);
  expect(document).toMatchObject({ stoppedBy: 'time', checked: true, fits: true });
  expect((performance.now() - started) / 1000).toBeLessThan(60);
  const least = tidemarkJson([...LONG.slice(0, 4), '--ram', '4G']).arenaBytes;
  expect(document.arenaBytes).toBeLessThanOrEqual(least);
});

test('a memory limit does so too', () => {
  // Node alone takes more: where not even the first plan comes in time, that is said in a line.
  const { status, stdout, stderr } = tidemark([...LONG, '--memory-limit', '1M', '--json']);
  if (status === 0) expect(JSON.parse(stdout)).toMatchObject({ stoppedBy: 'memory', checked: true });
  else {
    expect(status).toBe(2);
    expect(stderr).toMatch(/stopped before even the layer-by-layer plan was found/);
  }
});

test('limits are raised and lowered by name', () => {
  const lowered = tidemark([...LONG.slice(0, 4), '--limit', 'operatorBytes=100K']);
  expect(lowered.status).toBe(2);
  expect(lowered.stderr).toMatch(/the limit is 102400 \(--limit operatorBytes=N raises it\)\n$/);
  const unknown = tidemark([...LONG, '--limit', 'height=3']);
  expect(unknown.status).toBe(2);
  expect(unknown.stderr).toMatch(/--limit expects one of fileBytes, /);
});

/** Files of a folder by name; hidden ones, which a killed run may leave, are apart. */
function contents(folder: string): Map<string, Buffer> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter(
    (n) => !path.basename(n).startsWith('.') && fs.statSync(path.join(folder, n)).isFile(),
  );
  return new Map(files.map((name) => [name, fs.readFileSync(path.join(folder, name))]));
}

/** Starts a run and kills it after so long; resolves when it is gone, with what it ended by. */
function killedAfter(args: readonly string[], ms: number, signal: NodeJS.Signals): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args], { stdio: 'ignore' });
    const timer = setTimeout(() => child.kill(signal), ms);
    child.on('exit', (code, by) => {
      clearTimeout(timer);
      resolve(by ?? String(code));
    });
  });
}

const FIT = ['fit', 'zoo:ds-cnn', '--dtype', 'int8', '--target', 'c', '--target', 'wasm'];

test('a fit that is killed leaves each file as it was or as it should be', async () => {
  const folder = temporaryFolder();
  const [before, after] = [path.join(folder, 'before'), path.join(folder, 'after')];
  tidemarkJson([...FIT, '--ram', '64K', '-o', before]);
  const started = performance.now();
  tidemarkJson([...FIT, '--ram', 'min', '-o', after]);
  const takes = performance.now() - started;
  const [old, whole] = [contents(before), contents(after)];
  const seen = { old: 0, new: 0 };
  for (let attempt = 0; attempt < 6; attempt++) {
    const into = path.join(folder, `killed${attempt}`);
    fs.cpSync(before, into, { recursive: true });
    // Most of them near the end, where the files are written.
    const at = takes * (0.6 + 0.08 * attempt);
    await killedAfter([...FIT, '--ram', 'min', '-o', into], at, 'SIGKILL');
    for (const [name, content] of contents(into)) {
      const isOld = old.get(name)?.equals(content) ?? false;
      expect(isOld || whole.get(name)?.equals(content), `${name}, attempt ${attempt}`).toBe(true);
      if (name === 'plan.json') seen[isOld ? 'old' : 'new']++;
    }
  }
  expect(seen.old + seen.new).toBe(6);
});

test('Ctrl-C leaves a whole plan: what was there, or the best found so far', async () => {
  const folder = temporaryFolder();
  for (const ms of [700, 2000]) {
    await killedAfter([...FIT, '--ram', 'min', '-o', folder], ms, 'SIGINT');
    for (const [name, content] of contents(folder)) {
      if (name === 'plan.json') expect(JSON.parse(content.toString())).toHaveProperty('schedule');
      if (name === 'model.wasm') expect(WebAssembly.validate(new Uint8Array(content))).toBe(true);
    }
  }
});

test('files that belong together survive being killed at any moment of their writing', async () => {
  const folder = temporaryFolder();
  const files = path.join(root, 'dist', 'cli', 'files.js');
  // Writes sets of three large files, each set of one letter, until it is killed.
  const program = `
    const { writeTogether } = await import(${JSON.stringify(`file://${files}`)});
    for (let i = 0; ; i++) {
      const content = String.fromCharCode(97 + (i % 26)).repeat(3_000_000);
      writeTogether(['a', 'b', 'c'].map((name) => ({ file: process.argv[1] + '/' + name, content })));
      if (i === 0) console.log('begun');
    }`;
  for (let attempt = 0; attempt < 8; attempt++) {
    await new Promise<void>((resolve) => {
      const args = ['--input-type=module', '-e', program, folder];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
      child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), 5 + 7 * attempt));
      child.on('exit', () => resolve());
    });
    for (const [name, content] of contents(folder)) {
      expect(content.length, name).toBe(3_000_000);
      expect(content[0], name).toBe(content[content.length - 1]);
    }
  }
  // What the killed runs left under temporary names goes with the next writing, but for the last one's.
  const left = fs.readdirSync(folder).filter((name) => name.startsWith('.'));
  expect(left.length).toBeLessThanOrEqual(3);
});

test('a restructured network is written whole or not at all', async () => {
  const folder = temporaryFolder();
  const out = path.join(folder, 'out.onnx');
  const args = ['restructure', 'zoo:ds-cnn', '--regions', 'one', '-o', out];
  const started = performance.now();
  tidemarkJson(args);
  const takes = performance.now() - started;
  const whole = fs.readFileSync(out);
  for (const share of [0.7, 0.9, 1]) {
    fs.writeFileSync(out, 'before');
    await killedAfter(args, takes * share, 'SIGKILL');
    const content = fs.readFileSync(out);
    expect(content.equals(whole) || content.toString() === 'before', `${share}`).toBe(true);
  }
});
