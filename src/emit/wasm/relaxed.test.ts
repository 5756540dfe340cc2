/** Relaxed SIMD: accepted by the validators, taken where the host has it and only there, and close in value. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { relaxed } from '../../cli/targets/wasm.ts';
import { importModel, planGraph } from '../../compile.ts';
import { elementCount } from '../../graph/graph.ts';
import { hasRelaxedSimd } from './relaxed.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidemark-relaxed-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

/** Newer hosts have relaxed SIMD without asking, and no such option. */
const FLAG = '--experimental-wasm-relaxed-simd';
const asked = spawnSync(process.execPath, [FLAG, '-e', '']).status === 0;

test('the loader takes the fused module where the host has relaxed SIMD, and the exact one elsewhere', () => {
  const graph = importModel({ zoo: 'resnet8', dtype: 'f32' });
  const planned = planGraph(graph, { policy: { input: 'reuse', output: 'whole' }, method: 'layerwise' });
  const source = { zoo: 'resnet8' } as const;
  for (const { name, content } of relaxed.target.write({
    model: 'zoo:resnet8',
    source,
    compiled: { graph, ...planned },
  }).files)
    fs.writeFileSync(path.join(folder, path.basename(name)), content);
  const count = elementCount(graph.inputs[0].shape);
  const script = `import { load } from './model.mjs';
const model = await load();
const input = Float32Array.from({ length: ${count} }, (_, i) => Math.sin(i));
const outputs = model.run({ [model.inputs[0].name]: input });
console.log(JSON.stringify([...outputs[model.outputs[0].name]]));`;
  fs.writeFileSync(path.join(folder, 'main.mjs'), script);
  const run = (...flags: string[]): number[] => {
    const result = spawnSync(process.execPath, [...flags, 'main.mjs'], { cwd: folder, encoding: 'utf8' });
    expect(result.stderr).toBe('');
    return JSON.parse(result.stdout);
  };
  const bare = run();
  const fused = asked ? run(FLAG) : bare;
  const range = Math.max(...bare.map(Math.abs));
  fused.forEach((v, i) => {
    expect(Math.abs(v - bare[i]) / range).toBeLessThan(1e-5);
  });
  // Sums of products rounded once differ somewhere in the last bits.
  if (asked && !hasRelaxedSimd()) expect(fused).not.toEqual(bare);
});
