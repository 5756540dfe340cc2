import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeOnnx } from '../../src/emit/onnx/write.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { temporaryFolder, tidemark } from './tidemark.ts';

function sweep(config: unknown) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidemark-sweep-'));
  const file = path.join(folder, 'sweep.json');
  fs.writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  return tidemark(['sweep', file]);
}

describe('tidemark sweep', () => {
  it('prints a line for each model, method and budget; a model that cannot be read does not end the others', () => {
    const { status, stdout } = sweep({
      models: ['missing.onnx', 'zoo:ds-cnn'],
      methods: ['layerwise', 'fit'],
      budgets: ['4K', 'min'],
      dtype: 'int8',
    });
    const lines = stdout
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l));
    expect(status).toBe(1);
    expect(lines[0]).toMatchObject({ model: 'missing.onnx', error: 'file-missing' });
    expect(lines.slice(1).map((l) => [l.method, l.ramBudgetBytes, l.fits])).toEqual([
      ['layerwise', 4096, false],
      ['layerwise', null, true],
      ['fit', 4096, true],
      ['fit', null, true],
    ]);
    expect(lines[1]).toMatchObject({ model: 'zoo:ds-cnn', arenaBytes: 16_000, checked: true });
  });

  it('says so where a network is too large for a method, and goes on with the others', () => {
    const b = new GraphBuilder('tall', 'onnx');
    const x = b.input({ name: 'x', shape: [1, 2_200_000, 1, 1], dtype: 'f32' }, { dtype: 'f32' });
    const window = { kernel: [2, 1], stride: [2, 1], dilation: [1, 1], pads: [0, 0, 0, 0], ceil: false };
    const y = b.op('MaxPool', [x], window);
    b.output(y, { name: 'y', shape: y.shape, dtype: 'f32' });
    const file = path.join(temporaryFolder(), 'tall.onnx');
    fs.writeFileSync(file, writeOnnx(b.build()));
    const { status, stdout, stderr } = sweep({ models: [file], methods: ['csdf', 'naive'] });
    expect([status, stderr]).toEqual([1, '']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l));
    expect(lines[0]).toEqual({
      model: file,
      method: 'csdf',
      error: 'shape-too-large',
      message: `${file}: its maps have too many pixels for csdf to follow; give smaller shapes`,
    });
    expect(lines[1]).toMatchObject({ method: 'naive', fits: true });
  });

  it('says in one line what is wrong with the file', () => {
    for (const [config, expected] of [
      ['{', /expected JSON/],
      [{ models: [] }, /models/],
      [{ models: ['zoo:ds-cnn'], method: ['fit'] }, /sweep --help/],
    ] as const) {
      const { status, stdout, stderr } = sweep(config);
      expect(status).toBe(2);
      expect(stdout).toBe('');
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(stderr).toMatch(expected);
    }
  });
});
