/** Outputs that may be written over an input element by element: whole tensors, and rows placed one by one. */
import type { Network } from '../3-schedule/steps.ts';
import type { FiringTable } from '../3-schedule/tables.ts';
import type { InPlacePair, Lifetime } from './lifetimes.ts';

/** Where the lifetimes of each root stand: by itself, or its first piece. */
export interface LifetimeIndex {
  readonly whole: ReadonlyMap<number, number>;
  readonly pieces: ReadonlyMap<number, number>;
  readonly rings: ReadonlyMap<number, number>;
}

export function inPlacePairs(
  network: Network,
  tables: readonly FiringTable[],
  lifetimes: readonly Lifetime[],
  index: LifetimeIndex,
): InPlacePair[] {
  const pairs: InPlacePair[] = [];
  for (const { writes, reads } of tables) {
    const out = writes[0]?.root;
    if (out === undefined || network.roots[out].writers.length > 1) continue;
    for (const { inPlace, root } of reads) {
      if (!inPlace || root === out || network.roots[root].external) continue;
      const outputs = lifetimesOf(lifetimes, index, out);
      const inputs = lifetimesOf(lifetimes, index, root);
      for (const output of outputs) {
        for (const input of inputs) {
          if (mayShare(lifetimes[output], lifetimes[input])) pairs.push({ output, input });
        }
      }
    }
  }
  return pairs;
}

/** Rows of both: only the same row, of the same size, is written while it is read. */
function mayShare(output: Lifetime, input: Lifetime): boolean {
  if (output.piece === undefined || input.piece === undefined) return true;
  return output.piece === input.piece && output.bytes === input.bytes;
}

/** The one lifetime of a root, or those of its pieces; a ring has none that could be shared. */
function lifetimesOf(
  lifetimes: readonly Lifetime[],
  { whole, pieces, rings }: LifetimeIndex,
  root: number,
): number[] {
  if (rings.has(root)) return [];
  const one = whole.get(root);
  if (one !== undefined) return [one];
  const first = pieces.get(root);
  if (first === undefined) return [];
  const found: number[] = [];
  for (let i = first; lifetimes[i]?.root === root; i++) found.push(i);
  return found;
}
