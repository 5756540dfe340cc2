/** `tidemark partition`: the published figures through the command line, the files it writes, and what it refuses. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder, tidemark, tidemarkJson } from './tidemark.ts';

const folder = temporaryFolder();
const vgg = ['partition', 'zoo:vgg16', '--dtype', 'int8', '--no-dense'];

test('VGG16 at 3 MiB, in elements', () => {
  const document = tidemarkJson([...vgg, '--chip', '3M']);
  expect(document).toMatchObject({
    model: 'zoo:vgg16',
    trafficBytes: 2_784_768,
    greedyTrafficBytes: 2_784_768,
    baseTrafficBytes: 44_995_904,
    baseActivationBytes: 30_281_216,
  });
  expect(document.spans).toHaveLength(7);
  expect(document.spans[0]).toMatchObject({ first: 'conv1', fits: true });
  for (const s of document.spans) expect(s.closureBytes + s.filterBytes).toBeLessThanOrEqual(3 * 1024 * 1024);
  expect(document.layerFusionTrafficBytes).toBeGreaterThan(document.trafficBytes);
});

test('ResNet-50: the file order gives the published figure, a better order less', () => {
  const args = ['partition', 'zoo:resnet50', '--dtype', 'int8', '--no-dense', '--chip', '3MiB'];
  const file = tidemarkJson([...args, '--order', 'file']);
  expect(file).toMatchObject({
    trafficBytes: 3_313_664,
    greedyTrafficBytes: 3_815_424,
    baseTrafficBytes: 62_921_856,
  });
  expect(file.spans).toHaveLength(12);
  const best = tidemarkJson(args);
  expect(best.order).toBe('better');
  expect(best.fileOrderTrafficBytes).toBe(3_313_664);
  expect(best.trafficBytes).toBeLessThan(3_313_664);
});

test('without filters in the capacity, and with the dense tail', () => {
  const closure = tidemarkJson([...vgg, '--chip', '512K', '--no-weights']);
  expect(closure.spans).toHaveLength(1);
  expect(closure.spans[0].closureBytes).toBe(518_112);
  const dense = tidemarkJson(['partition', 'zoo:vgg16', '--dtype', 'int8', '--chip', '3M']);
  expect(dense.spans.at(-1)).toMatchObject({ first: 'fc21', fits: false });
  expect(dense.spans.some((s: { fits: boolean }) => !s.fits)).toBe(true);
});

describe('for people and files', () => {
  test('a table that names what it is compared with', () => {
    const { status, stdout } = tidemark([...vgg, '--chip', '4M']);
    expect(status).toBe(0);
    for (const word of ['closure', 'layer by layer', 'layer fusion', 'longest spans first', '1981952'])
      expect(stdout).toContain(word);
  });

  test('a sweep as JSON and as a picture', () => {
    const out = path.join(folder, 'sweep');
    const { sweep, files } = tidemarkJson([
      'partition',
      'zoo:ds-cnn',
      '--dtype',
      'int8',
      '--chip',
      '16K',
      '--sweep',
      '-o',
      out,
    ]);
    expect(files.map((f: string) => path.basename(f))).toEqual(['partition.json', 'sweep.svg']);
    expect(sweep.length).toBe(17);
    for (let i = 1; i < sweep.length; i++)
      expect(sweep[i].trafficBytes).toBeLessThanOrEqual(sweep[i - 1].trafficBytes);
    expect(fs.readFileSync(path.join(out, 'sweep.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>$/s);
    expect(
      JSON.parse(fs.readFileSync(path.join(out, 'partition.json'), 'utf8')).spans.length,
    ).toBeGreaterThan(0);
  });

  test.each([
    [['partition', 'zoo:ds-cnn'], /--chip/],
    [['partition', 'zoo:ds-cnn', '--chip', 'big'], /--chip expects a size/],
    [['partition', 'zoo:ds-cnn', '--chip', '1M', '--order', 'random'], /--order expects one of/],
  ])('%s ends in one line', (args, message) => {
    const { status, stderr } = tidemark(args);
    expect(status).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(message);
  });
});
