/**
 * Writes bench/results/limits.md: how much processor time `fit` takes beyond a limit. A part of the search that runs when the
 * limit is reached is broken off at once by the command line (src/cli/interrupt.ts); what is measured here is what follows.
 */
import { expect, test } from 'vitest';
import { type Planned, planGraph } from '../../src/compile.ts';
import { normalise } from '../../src/model/normalise/normalise.ts';
import type { Part } from '../../src/part.ts';
import { zooGraph } from '../../src/zoo/zoo.ts';
import { writeResult, writtenBy } from '../report.ts';

const LIMITS_SECONDS = [2, 5, 10];
/** The search itself may go on for so long. */
const MOST_SECONDS = 1;

const rows: string[][] = [];

test.each(['inceptionv3', 'densenet121'])('%s', (name) => {
  for (const limit of LIMITS_SECONDS) {
    const graph = normalise(zooGraph(name, { dtype: 'int8' }));
    const { planned, searchSeconds, proofSeconds } = stoppedAfter(limit, (part) =>
      planGraph(graph, { policy: { input: 'reuse', output: 'whole' }, part }),
    );
    const [search, proof] = [searchSeconds, proofSeconds].map((s) => s.toFixed(2));
    rows.push([name, String(limit), search, proof, String(planned.arenaBytes)]);
    expect(searchSeconds).toBeLessThan(MOST_SECONDS);
  }
  writeResult('limits.md', table());
});

interface Stopped {
  readonly planned: Planned;
  /** From the limit to the end of the search, and from there to the end. */
  readonly searchSeconds: number;
  readonly proofSeconds: number;
}

const processorSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Begins no part of the search once so much processor time has gone: the time before the next part counts. */
function stoppedAfter(limitSeconds: number, plan: (part: Part) => Planned): Stopped {
  const limit = processorSeconds() + limitSeconds;
  let stopped: number | undefined;
  let ended = limit;
  const part: Part = (run) => {
    const began = processorSeconds();
    // What lies between two parts is not broken off.
    if (began >= limit) stopped ??= Math.max(limit, ended);
    const result = stopped === undefined ? run() : undefined;
    ended = processorSeconds();
    return result;
  };
  const planned = plan(part);
  const end = processorSeconds();
  return { planned, searchSeconds: ended - (stopped ?? ended), proofSeconds: end - ended };
}

function table(): string {
  return [
    '# Beyond a limit',
    '',
    `${writtenBy('bench:limits')} Seconds of processor time that \`fit\` takes once a limit is reached: to the end of the search (one
layout of what it had found, if it had none), and to prove, write down and describe the plan. int8, the input in the arena.`,
    '',
    '| network | limit, s | search | proof | arena by then |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
  ].join('\n');
}
