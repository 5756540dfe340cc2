/** `--limit NAME=VALUE`, and how long planning may take and in how much memory. */
import type { Command } from 'commander';
import { TidemarkError } from '../../errors.ts';
import { LIMIT_NAMES, type LimitName, type Limits, setLimits } from '../../limits.ts';
import { parseSize } from './size.ts';

export interface LimitOptions {
  readonly limit?: Partial<Limits>;
}

export interface PlanningBounds {
  readonly timeLimit?: number;
  readonly memoryLimit?: number;
}

export function withLimits(command: Command): Command {
  return command.option(
    '--limit <name=value>',
    'what is accepted, e.g. operatorBytes=4G (repeatable); names and values: docs/limits.md',
    collectLimit,
  );
}

/** `then` says what becomes of it. */
export function withPlanningBounds(
  command: Command,
  then = 'end the search $, with the best plan found by then',
): Command {
  return command
    .option('--time-limit <seconds>', then.replace('$', 'after so long'), parseSeconds)
    .option('--memory-limit <size>', then.replace('$', 'where the program takes more'), (text) =>
      parseSize(text, '--memory-limit'),
    );
}

/** For commands whose search has nothing to show before its end. */
export function withSearchBounds(command: Command): Command {
  return withPlanningBounds(command, 'give up $: there is no result before the end');
}

/** Collects `--limit rank=10`. They hold for the process, from here on. */
function collectLimit(text: string, before: Partial<Limits> = {}): Partial<Limits> {
  const split = text.indexOf('=');
  const name = LIMIT_NAMES.find((n) => n === text.slice(0, split));
  if (!name)
    throw new TidemarkError(
      'usage',
      `--limit expects one of ${LIMIT_NAMES.join(', ')} = VALUE, got '${text}'`,
    );
  const change: Partial<Record<LimitName, number>> = {
    ...before,
    [name]: parseSize(text.slice(split + 1), `--limit ${name}`),
  };
  setLimits(change);
  return change;
}

function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?s?$/.test(text.trim()) ? Number.parseFloat(text) : Number.NaN;
  if (!(seconds > 0 && seconds <= 2_000_000))
    throw new TidemarkError('usage', `--time-limit expects seconds such as 30 or 0.5, got '${text}'`);
  return seconds;
}
