/**
 * How long searches are ended from outside: they run in parts, and whoever asked decides whether a part is run to its end.
 * A search so ended hands out the best of what its earlier parts found.
 */
import { TidemarkError } from './errors.ts';

/** Runs a part of a search; undefined where it was broken off, and for every part after that. */
export type Part = <T>(run: () => T) => T | undefined;

/** Nothing is broken off. */
export const toTheEnd: Part = (run) => run();

/** What the work gives; undefined where it was stopped before it had anything to give. */
export function unlessStopped<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof TidemarkError && error.code === 'stopped') return undefined;
    throw error;
  }
}
