/**
 * Runs cases one after another in a process that may be killed at any moment. What it is at is written to a pipe at once,
 * so that whoever watches knows which case it was.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { caseOf } from '../../test/fuzz/cases.ts';
import { NetworkBatch } from '../../test/fuzz/networks.ts';
import type { Job, Report } from './protocol.ts';

const PIPE = 3;

function tell(report: Report): void {
  writeSync(PIPE, `${JSON.stringify(report)}\n`);
}

/** The package has to be there: what it says is half of what this is for. */
const runtime = await import('onnxruntime-node');

async function runFiles({ group, seeds }: Extract<Job, { seeds: unknown }>): Promise<void> {
  for (const seed of seeds) {
    tell({ start: seed });
    const started = process.cpuUsage();
    const mark = (phase: string) => tell({ phase });
    let kind = '';
    try {
      const made = caseOf(group, seed);
      if (!made) {
        tell({ done: { seed, kind: 'nothing to damage', outcome: 'none', seconds: 0 } });
        continue;
      }
      kind = made.kind;
      tell({ phase: 'reading', kind });
      const { outcome, runtime: compared } = await made.judge({ runtime, mark });
      tell({ done: { seed, kind, outcome, compared, seconds: since(started) } });
    } catch (error) {
      tell({ done: { seed, kind, outcome: 'finding', finding: described(error), seconds: since(started) } });
    }
  }
}

async function runNetworks({ from, to }: Extract<Job, { from: unknown }>): Promise<void> {
  const batch = new NetworkBatch(runtime);
  for (let seed = from; seed < to; seed++) {
    tell({ start: seed });
    const started = process.cpuUsage();
    try {
      await batch.add(seed, (phase) => tell({ phase }));
      tell({ done: { seed, kind: 'network', outcome: 'ran', seconds: since(started) } });
    } catch (error) {
      tell({
        done: {
          seed,
          kind: 'network',
          outcome: 'finding',
          finding: described(error),
          seconds: since(started),
        },
      });
    }
  }
  tell({ start: from, phase: 'in C' });
  for (const { seed, problem } of batch.finish())
    tell({ done: { seed, kind: 'network', outcome: 'finding', finding: problem, seconds: 0, again: true } });
  tell({ ran: batch.counts });
}

function since(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
}

function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Of a defect where it was thrown says most; a finding of the judge's says all in its message.
  return error.constructor.name === 'Finding' ? error.message : `${error.stack ?? error.message}`;
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line) as Job;
  if ('seeds' in job) await runFiles(job);
  else await runNetworks(job);
  tell({ idle: true });
}
