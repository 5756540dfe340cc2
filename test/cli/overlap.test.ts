/** `tidemark overlap` as a user meets it: figures, the plan it writes, and that plan run and verified. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, tidemark, tidemarkJson } from './tidemark.ts';

const folder = temporaryFolder();

const args = ['zoo:resnet8', '--dtype', 'int8'];

describe('overlap', () => {
  it('gives the figures of method 1 and of its plan', () => {
    const d = tidemarkJson(['overlap', ...args]);
    expect(d).toMatchObject({
      model: 'zoo:resnet8',
      granularity: 'pixel',
      pingpongBytes: 49152,
      pingpongFixedBytes: null,
      overlapBytes: 33296,
      arenaBytes: 33312,
      scratchBytes: 16,
      optimal: true,
      floorBytes: 33312,
      checked: true,
      accounting: 'all',
      files: [],
    });
    expect(d.saving).toBeCloseTo(1 - 33296 / 49152);
    expect(d.savingWithWeights).toBeCloseTo(1 - (33296 + d.weightBytes) / (49152 + d.weightBytes));
    const conv3 = d.layers.find((l: { name: string }) => l.name === 'conv3');
    // A row and a pixel of 16 channels; the residual's 16 KiB stay beside it.
    expect(conv3).toEqual({
      name: 'conv3',
      inBytes: 16384,
      outBytes: 16384,
      distanceBytes: 33 * 16,
      memoryBytes: 16384 + 33 * 16,
      aliveBytes: 16384,
      runs: expect.stringMatching(/forward|backward/),
    });
  });

  it('by rows takes less apart and more scratch', () => {
    const d = tidemarkJson(['overlap', ...args, '--granularity', 'row']);
    expect(d).toMatchObject({ granularity: 'row', overlapBytes: 33280, arenaBytes: 33280 + 512 });
  });

  it('writes a plan that verifies', () => {
    const model = path.join(folder, 'resnet8.onnx');
    const plan = path.join(folder, 'plan.json');
    tidemark(['zoo', 'resnet8', '-o', model]);
    const d = tidemarkJson(['overlap', model, '-o', folder]);
    expect(d.files).toEqual([plan]);
    const v = tidemarkJson(['verify', model, '--plan', plan, '--backend', 'reference']);
    expect(v).toMatchObject({ checked: true, arenaBytes: d.arenaBytes });
  });

  it('says what is largest, for people', () => {
    const { stdout } = tidemark(['overlap', ...args]);
    expect(stdout).toMatch(/overlapped +32\.5 KiB, 32 % less/);
    expect(stdout).toMatch(/conv3 .*(forward|backward) +← largest/);
  });

  it('stands in compare beside layer by layer', () => {
    const { rows } = tidemarkJson(['compare', ...args]);
    const methods = rows.map((r: { method: string }) => r.method);
    expect(methods.indexOf('overlap')).toBe(methods.indexOf('layerwise') + 1);
    expect(rows[methods.indexOf('overlap')]).toMatchObject({
      arenaBytes: 33312,
      optimal: true,
      checked: true,
    });
  });

  it('refuses a granularity that there is not', () => {
    const { status, stderr } = tidemark(['overlap', ...args, '--granularity', 'byte']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/--granularity/);
  });
});
