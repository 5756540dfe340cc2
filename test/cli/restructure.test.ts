/** `tidemark restructure`: a file in, an equal file out that ONNX Runtime runs; the budget; what it refuses. */
import path from 'node:path';
import ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { temporaryFolder, tidemark, tidemarkJson } from './tidemark.ts';

const folder = temporaryFolder();

async function outputsOf(file: string): Promise<Record<string, ort.Tensor>> {
  const session = await ort.InferenceSession.create(file, { graphOptimizationLevel: 'disabled' });
  expect(session.inputNames).toEqual(['input0']);
  const values = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i));
  return session.run({ input0: new ort.Tensor('float32', values, [1, 3, 32, 32]) }) as Promise<
    Record<string, ort.Tensor>
  >;
}

it('gives an equal network with a lower peak, and ONNX Runtime agrees', async () => {
  const before = path.join(folder, 'before.onnx');
  const after = path.join(folder, 'after.onnx');
  tidemarkJson(['zoo', 'resnet8', '-o', before]);
  const document = tidemarkJson(['restructure', before, '-o', after]);
  expect(document).toMatchObject({ model: before, file: after, checked: true, fits: true });
  expect(document.peakBeforeBytes).toBe(196_608);
  expect(document.peakAfterBytes).toBeLessThanOrEqual(0.6 * document.peakBeforeBytes);
  expect(document.saving).toBeCloseTo(1 - document.peakAfterBytes / document.peakBeforeBytes, 12);
  expect(document.macOverhead).toBeLessThanOrEqual(0.086);
  expect(document.arenaAfterBytes).toBeLessThan(document.arenaBeforeBytes);
  expect(document.tiles[0]).toMatchObject({ first: 'conv1', grid: [expect.any(Number), expect.any(Number)] });
  const [expected, found] = [await outputsOf(before), await outputsOf(after)];
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  for (const [name, { data, dims }] of Object.entries(expected)) {
    expect(found[name].dims).toEqual(dims);
    const values = found[name].data as Float32Array;
    (data as Float32Array).forEach((v, i) => {
      expect(Math.abs(values[i] - v)).toBeLessThan(1e-5);
    });
  }
});

it('says no where a budget cannot be met, and what can', () => {
  const document = tidemarkJson(['restructure', 'zoo:ds-cnn', '--dtype', 'int8', '--ram', '1K'], {
    status: 1,
  });
  expect(document).toMatchObject({ fits: false, ramBudgetBytes: 1024 });
  expect(document.peakAfterBytes).toBeGreaterThan(1024);
});

it.each([
  [['--grid', '4'], '--grid expects rows and columns of tiles'],
  [['--regions', 'two'], '--regions expects one of one, many'],
  [['--max-overhead', 'much'], '--max-overhead expects a percentage'],
])('refuses %j in one line', (args, message) => {
  const { status, stderr } = tidemark(['restructure', 'zoo:ds-cnn', ...args]);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

it('cuts bottlenecks by channels where asked to, computing nothing twice', () => {
  const out = path.join(folder, 'groups.onnx');
  const args = [
    'restructure',
    'zoo:mobilenetv2-0.35-144',
    '--max-overhead',
    '0',
    '--channel-groups',
    '-o',
    out,
  ];
  const document = tidemarkJson(args);
  expect(document).toMatchObject({ macOverhead: 0, file: out });
  expect(document.tiles.some((t: { channels?: number[] }) => t.channels)).toBe(true);
});
