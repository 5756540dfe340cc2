/** `tidemark alloc`: the allocator alone, on MiniMalloc's file format. */
import path from 'node:path';
import type { Command } from 'commander';
import { TidemarkError } from '../../errors.ts';
import {
  faultOf,
  type PackingAnswer,
  type PackingLimits,
  type PackingResult,
} from '../../passes/4-allocate/solver/problem.ts';
import { solvePacking } from '../../passes/4-allocate/solver/solve.ts';
import { formatPercent, formatSize } from '../../report/format.ts';
import { type BufferFile, parseBuffers, withOffsets } from '../alloc/buffers.ts';
import { refuseUnwritable, writeWhole } from '../files.ts';
import { interruptible } from '../interrupt.ts';
import { readChecked } from '../model-files.ts';
import { parseSize } from '../options/size.ts';
import { answer, answerNo, note } from '../output.ts';

interface Options {
  readonly capacity?: number;
  readonly timeout: number;
  readonly out?: string;
  readonly json?: boolean;
}

const DEFAULT_SECONDS = 60;

export function define(command: Command): void {
  command
    .argument(
      '<file>',
      'a .csv with the columns id, lower, upper (exclusive), size; alignment and offset if wanted',
    )
    .option('--capacity <size>', 'find offsets that fit; without it, the lowest height', (text: string) =>
      parseSize(text, '--capacity'),
    )
    .option('--timeout <seconds>', 'keep the best after so long', parseSeconds, DEFAULT_SECONDS)
    .option('-o, --out <file>', 'write the file with its offset column')
    .option('--json', 'print one JSON document on stdout and nothing else')
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark alloc buffers.csv --capacity 1M -o placed.csv\n  tidemark alloc buffers.csv --timeout 10 --json\n\nCtrl-C keeps the best so far. Exit code 1: with --capacity, no answer that fits.\n',
    )
    .action(run);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds > 0) || !Number.isFinite(seconds)) {
    throw new TidemarkError('usage', `--timeout expects seconds above 0, got '${text}'`);
  }
  return seconds;
}

/** What was known when the search ended, however it ended. */
interface Outcome {
  readonly answer?: PackingAnswer;
  readonly lowerBound: number;
  readonly infeasible: boolean;
}

function run(file: string, options: Options): void {
  if (options.out !== undefined) refuseUnwritable(path.dirname(options.out));
  const buffers = parseBuffers(new TextDecoder().decode(readChecked(file, file)), file);
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const outcome = search(buffers, options, seconds);
  const took = seconds();
  const { answer: best, lowerBound } = outcome;
  if (best) {
    const fault = faultOf(buffers.problem, best);
    if (fault)
      throw new TidemarkError('internal', `${file}: the answer is wrong (${fault}); please report this file`);
  }
  const fits = best !== undefined && (options.capacity === undefined || best.height <= options.capacity);
  if (!fits) answerNo();
  if (best && options.out !== undefined) writeWhole(options.out, withOffsets(buffers, best.offsets));
  const optimal = best !== undefined && lowerBound >= best.height;
  answer(
    options.json,
    {
      height: best?.height ?? null,
      lowerBound,
      optimal,
      seconds: Number(took.toFixed(3)),
      ...(options.capacity === undefined
        ? {}
        : { capacity: options.capacity, fits, impossible: !fits && isImpossible(outcome, options) }),
      offsets: Object.fromEntries(best ? buffers.ids.map((id, i) => [id, best.offsets[i]]) : []),
    },
    () => text(buffers, options, outcome, took),
  );
}

function search({ problem }: BufferFile, options: Options, seconds: () => number): Outcome {
  let best: PackingAnswer | undefined;
  let lowerBound = 0;
  const say = (line: string) => note(`${seconds().toFixed(2).padStart(7)} s  ${line}`);
  const limits: PackingLimits = {
    nodes: Number.MAX_SAFE_INTEGER,
    tries: 100_000,
    ...(options.capacity === undefined ? {} : { target: options.capacity }),
    shouldStop: () => seconds() >= options.timeout,
    onBetter: (found) => {
      best = { ...found, offsets: found.offsets.slice() };
      say(`height ${found.height}`);
    },
    onBound: (bound) => {
      if (bound <= lowerBound) return;
      lowerBound = bound;
      say(`no lower than ${bound}`);
    },
  };
  const work = interruptible(() => note('stopped; this is the best so far'));
  const result: PackingResult | undefined = work.run(() => solvePacking(problem, limits));
  return result ?? { answer: best, lowerBound, infeasible: false };
}

function isImpossible({ lowerBound, infeasible }: Outcome, { capacity }: Options): boolean {
  return infeasible || (capacity !== undefined && lowerBound > capacity);
}

function text({ ids }: BufferFile, options: Options, outcome: Outcome, took: number): string {
  const { answer: best, lowerBound } = outcome;
  const lines = [`${ids.length} buffers, ${took.toFixed(2)} s`];
  if (!best) lines.push(outcome.infeasible ? 'no answer: fixed offsets overlap' : 'no answer found');
  else {
    const gap = best.height - lowerBound;
    const proof =
      gap <= 0 ? 'proven lowest' : `no lower than ${lowerBound}, gap ${formatPercent(gap / best.height)}`;
    lines.push(`height ${best.height} (${formatSize(best.height)}), ${proof}`);
  }
  if (options.capacity !== undefined) {
    const fits = best !== undefined && best.height <= options.capacity;
    const why = isImpossible(outcome, options)
      ? 'proven impossible'
      : 'not found in time, not proven impossible';
    lines.push(fits ? `fits ${options.capacity}` : `does not fit ${options.capacity}: ${why}`);
  }
  if (best && options.out !== undefined) lines.push(`written to ${options.out}`);
  return lines.join('\n');
}
