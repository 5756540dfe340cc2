/** What every result file under bench/results says of its making, and how it is written. */
import { execFileSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

/** Of the code that is running: others may commit meanwhile. */
const COMMIT = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();

/** The first sentence of a result file: the command that makes it anew, when, of which code and where. */
export function writtenBy(script: string): string {
  const processors = cpus();
  const machine = `${processors.length} cores (${processors[0]?.model.trim() ?? 'unknown processor'})`;
  const day = new Date().toISOString().slice(0, 10);
  return `Written by \`npm run ${script}\` on ${day} at commit ${COMMIT}, on ${machine}, Node ${process.version}.`;
}

/** Writes bench/results/`name`, never half of it. */
export function writeResult(name: string, text: string | readonly string[]): void {
  const file = join(import.meta.dirname, 'results', name);
  const whole = typeof text === 'string' ? text : text.join('\n');
  writeFileSync(`${file}.tmp`, `${whole.trimEnd()}\n`);
  renameSync(`${file}.tmp`, file);
}
