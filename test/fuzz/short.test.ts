/**
 * A short, seeded run of what `npm run fuzz` does for hours: damaged files of our own making and damaged plans, and a few
 * networks through every technique and backend. Whatever is found fails with the recipe of the case.
 */
import * as runtime from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { caseOf, type Group } from './cases.ts';
import { NetworkBatch } from './networks.ts';

const FIRST_SEED = 500_000;

/** Seeds by group, so that each takes some seconds. */
const SEEDS: readonly (readonly [Group, number])[] = [
  ['own ONNX', 150],
  ['own TFLite', 400],
  ['plan JSON', 500],
];

for (const [group, seeds] of SEEDS) {
  test(`${seeds} damaged: ${group}`, async () => {
    const outcomes: Record<string, number> = {};
    const findings: string[] = [];
    for (let seed = FIRST_SEED; seed < FIRST_SEED + seeds; seed++) {
      const made = caseOf(group, seed);
      if (!made) continue;
      let phase = '';
      const mark = (now: string) => {
        phase = now;
      };
      try {
        const { outcome } = await made.judge({ runtime, mark });
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      } catch (error) {
        findings.push(`${group}, seed ${seed} (${made.kind}), ${phase}: ${error}`);
      }
    }
    expect(findings).toEqual([]);
    // Damage that leaves nothing to run, or harms nothing, finds nothing.
    expect(outcomes.ran).toBeGreaterThan(seeds / 10);
    expect(outcomes.refused).toBeGreaterThan(seeds / 10);
  });
}

test('networks through every technique and backend', async () => {
  const batch = new NetworkBatch(runtime);
  for (let seed = FIRST_SEED; seed < FIRST_SEED + 16; seed++) await batch.add(seed, () => {});
  expect(batch.finish()).toEqual([]);
  const backends = new Set(Object.keys(batch.counts).map((key) => key.split(' | ')[1]));
  for (const backend of ['executor', 'wasm', 'interpreter', 'c', 'equal'])
    expect(backends).toContain(backend);
});
