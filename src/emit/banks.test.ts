/** Plans with several memory banks as C and WebAssembly: right, within each bank, and short of room at compile time. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { difference, type Subject, subjectOf } from '../../test/random/random-plans.ts';
import { fitGraph } from '../fit/fit.ts';
import { lowerPlan } from '../kernels/lower.ts';
import { PLAIN, VECTOR16 } from '../kernels/machine.ts';
import { guardedRun } from '../kernels/testing/guarded-run.ts';
import type { Plan } from '../plan/plan.ts';
import { compileC, findCompiler } from '../run/c-backend.ts';
import { wasmBackend } from '../run/wasm-backend.ts';
import { emitC } from './c/model.ts';

const STRICT = ['-std=c99', '-Wall', '-Wextra', '-Werror', '-pedantic'];
const compiler = findCompiler();
const note = compiler ? '' : ' (skipped: no C compiler; install gcc or clang)';

/** A plan of which the second bank has a part, with a name that is no identifier. */
function spreadPlan(seed: number): Subject & { readonly plan: Plan } {
  const subject = subjectOf(seed);
  const { graph, policy } = subject;
  const least = fitGraph(graph, { policy }).plan.arenaBytes;
  const banks = [
    { name: 'sram', capacityBytes: Math.max(16, Math.floor(least * 0.6)) },
    { name: 'ps-ram', capacityBytes: 1 << 24 },
  ];
  const { plan } = fitGraph(graph, { policy, banks });
  expect(plan.banks![1].bytes).toBeGreaterThan(0);
  return { ...subject, plan };
}

test('interpreted with every access watched, and as WebAssembly', () => {
  for (const seed of [0, 2, 4, 7, 9, 10, 16, 20, 24, 31, 38]) {
    const { graph, inputs, expected, plan } = spreadPlan(seed);
    expect(difference(guardedRun(graph, plan, VECTOR16, inputs), expected), `seed ${seed}`).toBeUndefined();
    const wasm = wasmBackend.prepare(graph, plan).run(inputs, { paint: 0x5a });
    expect(difference(wasm.outputs, expected), `seed ${seed}, wasm`).toBeUndefined();
  }
});

test.skipIf(!compiler)(`as C with everything dead forbidden in both banks${note}`, () => {
  for (const seed of [1, 24]) {
    const { graph, inputs, expected, plan } = spreadPlan(seed);
    const model = compileC(graph, plan, { watch: 'bytes', machine: PLAIN, flags: STRICT });
    expect(difference(model.run(inputs, { paint: 0x5a }).outputs, expected), `seed ${seed}`).toBeUndefined();
    model.dispose();
  }
});

test.skipIf(!compiler)(`each bank has its size checked, and an attribute${note}`, () => {
  const { graph, plan } = spreadPlan(1);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidemark-banks-'));
  const { files } = emitC(lowerPlan(graph, plan, PLAIN));
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), content);
  const compile = (...flags: string[]) => {
    const args = [...STRICT, '-c', 'model.c', '-o', 'model.o', ...flags];
    return spawnSync(compiler!, args, { cwd: folder, encoding: 'utf8' }).stderr;
  };
  const { bytes } = plan.banks![1];
  const given = (size: number) => ['-DMODEL_BANK_PS_RAM=mine', `-DMODEL_BANK_PS_RAM_BYTES=${size}`];
  expect(compile(...given(bytes - 1))).toContain(`memory bank ps-ram needs ${bytes} bytes`);
  expect(compile(...given(bytes))).toBe('');
  expect(compile('-DMODEL_BANK_PS_RAM_ATTRIBUTE=__attribute__((section(".psram")))')).toBe('');
  const sections = spawnSync('objdump', ['-h', 'model.o'], { cwd: folder, encoding: 'utf8' });
  if (sections.status === 0) expect(sections.stdout).toContain('.psram');
  fs.rmSync(folder, { recursive: true });
});
