/** Each command on a small network, with its whole document or text. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/run/input/npy.ts';
import { randomArray } from '../../src/run/input/random.ts';
import { root, temporaryFolder, tidemark, tidemarkJson } from './tidemark.ts';

const folder = temporaryFolder();
const at = (name: string) => path.join(folder, name);

function picture(name: string, width: number, height: number): string {
  const image = new PNG({ width, height });
  for (let i = 0; i < image.data.length; i++) image.data[i] = i % 4 === 3 ? 255 : (i * 31) % 251;
  fs.writeFileSync(at(name), PNG.sync.write(image));
  return at(name);
}

describe('profile', () => {
  it('is readable', async () => {
    const { status, stdout, stderr } = tidemark(['profile', 'zoo:ds-cnn', '--dtype', 'int8']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    await expect(stdout).toMatchFileSnapshot('snapshots/profile-ds-cnn.txt');
  });

  it('gives its figures as JSON', () => {
    const d = tidemarkJson(['profile', 'zoo:resnet8', '--dtype', 'int8']);
    expect(Object.keys(d)).toEqual(
      expect.arrayContaining([
        'model',
        'operators',
        'macs',
        'weightBytes',
        'inputBytes',
        'outputBytes',
        'naiveBytes',
        'pingpongBytes',
        'livenessPeakBytes',
        'peakAt',
        'steps',
      ]),
    );
    expect(d).toMatchObject({
      model: 'zoo:resnet8',
      inputBytes: 3072,
      outputBytes: 10,
      livenessPeakBytes: 49152,
    });
    expect(d.steps).toHaveLength(d.operators);
    expect(Math.max(...d.steps.map((s: { liveBytes: number }) => s.liveBytes))).toBe(d.livenessPeakBytes);
  });

  it('leaves the ports out on request', () => {
    const all = tidemarkJson(['profile', 'zoo:mobilenetv1-0.25-96', '--dtype', 'int8']);
    const ops = tidemarkJson([
      'profile',
      'zoo:mobilenetv1-0.25-96',
      '--dtype',
      'int8',
      '--accounting',
      'ops-only',
    ]);
    expect(ops.accounting).toBe('ops-only');
    expect(all.naiveBytes - ops.naiveBytes).toBe(all.inputBytes + all.outputBytes);
  });
});

describe('fit and check', () => {
  const args = ['zoo:mobilenetv1-0.25-96', '--dtype', 'int8'];

  it('writes the plan and a report that needs nothing else', () => {
    const d = tidemarkJson(['fit', ...args, '--ram', '48K', '-o', at('out')]);
    expect(d).toMatchObject({
      model: args[0],
      ramBudgetBytes: 49152,
      fits: true,
      checked: true,
      macOverhead: 0,
      accounting: 'all',
    });
    expect(d.arenaBytes).toBeLessThanOrEqual(49152);
    expect(d.arenaBytes).toBeGreaterThanOrEqual(d.lowerBoundBytes);
    for (const span of d.spans)
      expect(Object.keys(span)).toEqual(expect.arrayContaining(['first', 'last', 'mode', 'arenaBytes']));
    expect(d.files).toEqual([at('out/plan.json'), at('out/report.html')]);
    expect(fs.readdirSync(at('out')).sort()).toEqual(['plan.json', 'report.html']);
    const html = fs.readFileSync(at('out/report.html'), 'utf8');
    expect(html.length).toBeLessThan(2_000_000);
    expect(html).not.toMatch(/(src|href)=|url\(|@import|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    const plan = JSON.parse(fs.readFileSync(at('out/plan.json'), 'utf8'));
    expect(plan).toMatchObject({ format: 'tidemark-plan', version: 1, arenaBytes: d.arenaBytes });
  });

  it('says no with the smallest size, and still answers in JSON', () => {
    const d = tidemarkJson(['fit', ...args, '--ram', '4K'], { status: 1 });
    expect(d.fits).toBe(false);
    expect(d.smallestBytes).toBeGreaterThan(4096);
    const least = tidemarkJson(['fit', ...args, '--ram', 'min']);
    expect(least).toMatchObject({ fits: true, ramBudgetBytes: null });
    expect(d.smallestBytes).toBe(least.arenaBytes);
    // Its convolutions chase their inputs: live bytes of single layers are more than the arena.
    for (const span of least.spans) expect(span.arenaBytes).toBeLessThanOrEqual(least.arenaBytes);
    expect(least.scheduleEntries).toBeLessThan(least.firings / 2);
    expect(least.scheduleBytes).toBeLessThan(3 * least.scheduleEntries);
    const again = tidemarkJson(['check', ...args, '--ram', String(least.arenaBytes)]);
    expect(again.fits).toBe(true);
  });

  it('answers a CI job in one line', () => {
    const yes = tidemark(['check', ...args, '--ram', '64K']);
    expect(yes.status).toBe(0);
    expect(yes.stdout).toMatch(/^fits: zoo:mobilenetv1-0\.25-96 needs [\d.]+ KiB of 64 KiB\n$/);
    const no = tidemark(['check', ...args, '--ram', '2K']);
    expect(no.status).toBe(1);
    expect(no.stdout).toMatch(
      /^does not fit: zoo:mobilenetv1-0\.25-96 needs at least [\d.]+ KiB, 2 KiB are given\n$/,
    );
  });

  it('understands every way to write a size', () => {
    for (const ram of ['65536', '64K', '64k', '64KiB', '0.0625M']) {
      expect(tidemarkJson(['check', ...args, '--ram', ram]).ramBudgetBytes).toBe(65536);
    }
  });

  it('has pictures of memory for people', () => {
    const { stdout } = tidemark(['fit', ...args, '--ram', '48K']);
    expect(stdout).toMatch(/result +fits into 48 KiB/);
    expect(stdout).toMatch(/█/);
    expect(stdout).toMatch(/peak [\d.]+ KiB at /);
  });
});

describe('compare', () => {
  it('plans, proves and times each method', () => {
    const d = tidemarkJson(['compare', 'zoo:ds-cnn', '--dtype', 'int8']);
    const rows = Object.fromEntries(d.rows.map((r: { method: string }) => [r.method, r]));
    expect(Object.keys(rows)).toEqual(expect.arrayContaining(['naive', 'pingpong', 'layerwise', 'fit']));
    expect(rows.layerwise).toMatchObject({ checked: true, arenaBytes: 16000, savingVsLayerwise: 0 });
    expect(rows.naive.checked && rows.fit.checked).toBe(true);
    expect(rows.fit.arenaBytes).toBeLessThan(rows.layerwise.arenaBytes);
    expect(rows.naive.arenaBytes).toBeGreaterThan(rows.layerwise.arenaBytes);
    for (const r of d.rows) expect(r.arenaBytes).toBeGreaterThanOrEqual(r.lowerBoundBytes);
  });
});

describe('run', () => {
  const model = at('resnet8.onnx');
  tidemark(['zoo', 'resnet8', '-o', model]);

  it('runs made-up numbers, the same every time', () => {
    const first = tidemarkJson(['run', model]);
    expect(first.outputs[0]).toMatchObject({ shape: [1, 10], dtype: 'f32' });
    expect(first.outputs[0].top5).toHaveLength(5);
    expect(tidemarkJson(['run', model]).outputs).toEqual(first.outputs);
    expect(tidemarkJson(['run', model, '--seed', '2']).outputs).not.toEqual(first.outputs);
  });

  it('gives the same result from a file with the same numbers, by any plan', () => {
    const expected = tidemarkJson(['run', model, '-o', at('a.npy')]);
    fs.writeFileSync(at('x.npy'), writeNpy(randomArray('f32', [1, 3, 32, 32], 1)));
    tidemark(['fit', model, '--ram', 'min', '--input', 'keep', '-o', at('kept')]);
    const got = tidemarkJson([
      'run',
      model,
      '--plan',
      at('kept/plan.json'),
      '--input',
      at('x.npy'),
      '-o',
      at('b.npy'),
    ]);
    expect(got.outputs[0].top5).toEqual(expected.outputs[0].top5);
    expect(fs.readFileSync(at('b.npy')).equals(fs.readFileSync(at('a.npy')))).toBe(true);
    expect(readNpy(fs.readFileSync(at('a.npy')), 'a.npy').shape).toEqual([1, 10]);
  });

  it('takes pictures and says on stderr what it made of them', () => {
    const file = picture('p.png', 50, 40);
    const { status, stdout, stderr } = tidemark([
      'run',
      model,
      '--input',
      file,
      '--preprocess',
      'imagenet',
      '--json',
    ]);
    expect(status).toBe(0);
    expect(stderr).toBe(`input input0: ${file}, 50 x 40 to 32 x 32 (crop), rgb, imagenet\n`);
    expect(JSON.parse(stdout).outputs[0].top5).toHaveLength(5);
  });

  it('says no where the model does not fit', () => {
    const d = tidemarkJson(['run', model, '--ram', '1K'], { status: 1 });
    expect(d).toMatchObject({ fits: false, ramBudgetBytes: 1024 });
    expect(d.smallestBytes).toBeGreaterThan(1024);
  });

  it('refuses a plan of another model', () => {
    tidemark(['fit', 'zoo:ds-cnn', '-o', at('other')]);
    const { status, stderr } = tidemark(['run', model, '--plan', at('other/plan.json')]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/the plan was made for another model \(ds-cnn\)/);
  });
});

describe('verify', () => {
  it('compares an int8 network with the layer-by-layer run, bit for bit', () => {
    const d = tidemarkJson(['verify', 'zoo:resnet8', '--dtype', 'int8']);
    expect(d).toMatchObject({
      checked: true,
      exact: true,
      maxAbsError: 0,
      maxRelError: 0,
      backend: 'reference',
    });
    expect(d.touchedBytes).toBeLessThanOrEqual(d.arenaBytes);
    expect(d.touchedBytes).toBeGreaterThan(d.arenaBytes * 0.9);
  });

  it('compares an ONNX file with ONNX Runtime', () => {
    tidemark(['zoo', 'ds-cnn', '-o', at('ds-cnn.onnx')]);
    const d = tidemarkJson(['verify', at('ds-cnn.onnx')]);
    expect(d).toMatchObject({ checked: true, verified: true, against: 'ONNX Runtime' });
    expect(d.maxRelError).toBeLessThan(1e-4);
  });

  it('says no to a plan with two buffers on one place', () => {
    tidemark(['fit', 'zoo:ds-cnn', '--dtype', 'int8', '-o', at('wrong')]);
    const file = at('wrong/plan.json');
    const plan = JSON.parse(fs.readFileSync(file, 'utf8'));
    for (const buffer of plan.buffers) buffer.offset = 0;
    fs.writeFileSync(file, JSON.stringify(plan));
    const d = tidemarkJson(['verify', 'zoo:ds-cnn', '--dtype', 'int8', '--plan', file], { status: 1 });
    expect(d).toMatchObject({
      checked: false,
      verified: false,
      exact: false,
      reason: 'the checker refuses the plan',
    });
  });

  it('says no where the arena is above the budget', () => {
    expect(
      tidemarkJson(['verify', 'zoo:ds-cnn', '--dtype', 'int8', '--ram', '1K'], { status: 1 }).verified,
    ).toBe(false);
  });
});

describe('zoo', () => {
  it('lists all networks', async () => {
    await expect(tidemark(['zoo']).stdout).toMatchFileSnapshot('snapshots/zoo.txt');
    const { models } = tidemarkJson(['zoo']);
    for (const m of models) expect(Object.keys(m)).toEqual(['name', 'input', 'macs', 'weightBytes']);
  });
});

describe('pipes', () => {
  it('ends quietly when the reader goes', () => {
    const main = path.join(root, 'dist', 'cli', 'main.js');
    const shell = `"${process.execPath}" "${main}" profile zoo:densenet121 --json | head -c 1`;
    const { stdout, stderr, status } = spawnSync('sh', ['-c', shell], { encoding: 'utf8' });
    expect({ stdout, stderr, status }).toEqual({ stdout: '{', stderr: '', status: 0 });
  });

  it('gives a long document whole', () => {
    const { stdout } = tidemark(['profile', 'zoo:densenet121', '--json']);
    expect(JSON.parse(stdout).steps.length).toBeGreaterThan(100);
  });
});
