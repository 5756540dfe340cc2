/** A command's search that Ctrl-C, `--time-limit` or `--memory-limit` may end: what was found by then is the answer. */
import { TidemarkError } from '../errors.ts';
import type { Part } from '../part.ts';
import { formatSize } from '../report/format.ts';
import { type Interruptible, interruptible, leave, type StoppedBy } from './interrupt.ts';
import type { PlanningBounds } from './options/limits.ts';
import { note } from './output.ts';
import type { Progress } from './terminal/progress.ts';

/** What ended it, for people. */
export const STOPPED: Readonly<Record<StoppedBy, string>> = {
  interrupt: 'interrupted',
  time: 'the time limit is reached',
  memory: 'the memory limit is reached',
};

export interface BoundedSearch extends Interruptible {
  /** Says that a limit ended it, once it is clear that something is kept. Ctrl-C is answered at once. */
  report(): void;
  /** The limit that ended it, with its value; undefined where nothing has, or Ctrl-C. */
  reached(): string | undefined;
}

/** `kept` says what is kept: "writing down the best plan found so far". */
export function boundedSearch(
  { timeLimit, memoryLimit }: PlanningBounds,
  progress: Progress,
  kept: () => string,
  interrupts = true,
): BoundedSearch {
  let held: string | undefined;
  const stopped = (by: StoppedBy) => {
    progress.done();
    const line = `tidemark: ${STOPPED[by]}; ${kept()}`;
    if (by === 'interrupt') note(`${line} (again to leave at once)`);
    else held = line;
  };
  const work = interruptible(stopped, {
    timeLimitSeconds: timeLimit,
    memoryLimitBytes: memoryLimit,
    interrupts,
  });
  return Object.assign(work, {
    report() {
      if (held) note(held);
      held = undefined;
    },
    reached() {
      if (work.stoppedBy === 'time') return `the time limit of ${timeLimit} s is reached`;
      if (work.stoppedBy === 'memory') return `the memory limit of ${formatSize(memoryLimit!)} is reached`;
      return undefined;
    },
  });
}

/** A search that hands on what it finds as it goes: Ctrl-C in the midst of proving a plan keeps the ones before it. */
export function searched(work: BoundedSearch, search: () => void): void {
  searchedFor(work, () => work.around(search));
}

/**
 * A search whose answer comes at its end. Where it was broken off before anything was found, Ctrl-C ends the process as it
 * would without us, and a limit is the one line that is said.
 */
export function searchedFor<T>(work: BoundedSearch, search: () => T): T {
  try {
    const found = search();
    work.report();
    return found;
  } catch (error) {
    if (!(error instanceof TidemarkError) || error.code !== 'stopped') throw error;
    if (work.stoppedBy === 'interrupt') leaveEmptyHanded();
    const reached = work.reached();
    throw reached ? new TidemarkError('stopped', `${reached}: ${error.message}`, { cause: error }) : error;
  } finally {
    work.done();
  }
}

/** Ctrl-C before there was anything to keep ends the process as it would without us. */
export function leaveEmptyHanded(): never {
  note('tidemark: nothing was found yet');
  leave();
}

/** A search that has nothing to show before its end; `what` names it where it is broken off. */
export function inOnePiece<T>(part: Part, what: string, search: () => T): T {
  const made = part(() => ({ value: search() }));
  if (made) return made.value;
  throw new TidemarkError(
    'stopped',
    `${what}: the search has no result before its end: give it more time or memory`,
  );
}

/** A command that is such a search. Ctrl-C ends it, as it does without limits. */
export function searchedWhole<T>(
  bounds: PlanningBounds,
  progress: Progress,
  what: string,
  search: () => T,
): T {
  const work = boundedSearch(bounds, progress, () => '', false);
  return searchedFor(work, () => inOnePiece(work.run, what, search));
}

/** How much a model needs that does not fit: a search that was cut short knows only what it had found. */
export function leastText(size: string, stoppedBy: StoppedBy | undefined): string {
  return stoppedBy ? `${size} by the best plan found (${STOPPED[stoppedBy]})` : `at least ${size}`;
}

/** The key of a document that says what ended the search; none where nothing did. */
export interface StopDocument {
  readonly stoppedBy?: StoppedBy;
}

export function stopDocument({ stoppedBy }: Interruptible): StopDocument {
  return stoppedBy ? { stoppedBy } : {};
}
