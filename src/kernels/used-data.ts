/** Which constants a program's functions read: what pruning left unread need not be deployed. */
import type { Fn } from './ir.ts';
import { visitFunction } from './visit.ts';

/** Indices of the data objects that some function reads. */
export function usedData(functions: readonly Fn[]): Set<number> {
  const used = new Set<number>();
  for (const fn of functions)
    visitFunction(fn, {
      place: ({ region }) => {
        if (region.kind === 'data') used.add(region.index);
      },
    });
  return used;
}
