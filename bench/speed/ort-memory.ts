/** What a run takes in ONNX Runtime, from outside: the most that a process's resident memory grows by in its first run. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bytes; null where the system does not tell (other than Linux). Weights are in memory before. */
export function ortRunBytes(model: Uint8Array): number | null {
  if (process.platform !== 'linux') return null;
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-ort-'));
  try {
    const file = join(folder, 'model.onnx');
    writeFileSync(file, model);
    const script = join(import.meta.dirname, 'ort-memory.mjs');
    return Number(execFileSync(process.execPath, [script, file], { encoding: 'utf8' }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
