/** A command's search that Ctrl-C, `--time-limit` or `--memory-limit` may end: what was found by then is the answer. */
import { TidemarkError } from '../errors.ts';
import { type Interruptible, interruptible, type StoppedBy } from './interrupt.ts';
import type { PlanningBounds } from './options/limits.ts';
import { note } from './output.ts';
import type { Progress } from './terminal/progress.ts';

/** What ended it, for people. */
export const STOPPED: Readonly<Record<StoppedBy, string>> = {
  interrupt: 'interrupted',
  time: 'the time limit is reached',
  memory: 'the memory limit is reached',
};

/** `kept` says what is kept: "writing down the best plan found so far". */
export function boundedSearch(
  { timeLimit, memoryLimit }: PlanningBounds,
  progress: Progress,
  kept: () => string,
  interrupts = true,
): Interruptible {
  const stopped = (by: StoppedBy) => {
    progress.done();
    const again = by === 'interrupt' ? ' (again to leave at once)' : '';
    note(`tidemark: ${STOPPED[by]}; ${kept()}${again}`);
  };
  return interruptible(stopped, {
    timeLimitSeconds: timeLimit,
    memoryLimitBytes: memoryLimit,
    interrupts,
  });
}

/** A search that hands on what it finds as it goes: Ctrl-C in the midst of proving a plan keeps the ones before it. */
export function searched(work: Interruptible, search: () => void): void {
  searchedFor(work, () => work.around(search));
}

/** A search whose answer comes at its end. Ctrl-C before anything was found ends the process as it would without us. */
export function searchedFor<T>(work: Interruptible, search: () => T): T {
  try {
    return search();
  } catch (error) {
    if (work.stoppedBy === 'interrupt' && error instanceof TidemarkError && error.code === 'stopped') leave();
    throw error;
  } finally {
    work.done();
  }
}

/** As Ctrl-C ends a process. */
export function leave(): never {
  process.exit(130);
}

/** The key of a document that says what ended the search; none where nothing did. */
export function stopDocument({ stoppedBy }: Interruptible): { stoppedBy?: StoppedBy } {
  return stoppedBy ? { stoppedBy } : {};
}
