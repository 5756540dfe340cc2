import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tidemark } from './tidemark.ts';

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
