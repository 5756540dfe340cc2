/** `tidemark bench` in small. */
import { expect, test } from 'vitest';
import { tidemark, tidemarkJson } from './tidemark.ts';

test('plans are timed, with their arenas and ratios', () => {
  const args = ['bench', 'zoo:ds-cnn', '--dtype', 'int8', '--plan', 'layerwise,smallest', '--turns', '1'];
  const { rows, means } = tidemarkJson(args);
  expect(rows).toHaveLength(2);
  for (const row of rows) {
    expect(row).toMatchObject({ model: 'zoo:ds-cnn', dtype: 'int8', runtime: 'wasm', ratioVsOrt: null });
    expect(row.minMs).toBeGreaterThan(0);
    expect(row.medianMs).toBeGreaterThanOrEqual(row.minMs);
  }
  expect(rows[1].arenaBytes).toBeLessThan(rows[0].arenaBytes);
  expect(means).toHaveLength(2);
});

test('names that do not exist are named', () => {
  const { status, stderr } = tidemark(['bench', 'zoo:ds-cnn', '--against', 'tensorrt']);
  expect(status).toBe(2);
  expect(stderr).toContain("--against expects some of ort,ort-web, got 'tensorrt'");
});
