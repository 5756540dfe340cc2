/** Outputs that may be written over an input element by element: whole tensors, and rows placed one by one. */
import type { Network } from '../3-schedule/steps.ts';
import type { FiringTable } from '../3-schedule/tables.ts';
import type { InPlacePair, Lifetime } from './lifetimes.ts';

/** Where the lifetimes of each root stand: by itself, or its first piece. */
export interface LifetimeIndex {
  readonly whole: ReadonlyMap<number, number>;
  readonly pieces: ReadonlyMap<number, number>;
  readonly rings: ReadonlyMap<number, number>;
  /** Root index -> elements of a piece. */
  readonly pieceElements: ReadonlyMap<number, number>;
  /** See `startsOf`. */
  readonly starts: ReadonlyMap<number, ReadonlyMap<number, number>>;
}

/** A map to be filled for each step that writes over an input into what others write into too. */
export function startsOf(network: Network, tables: readonly FiringTable[]): Map<number, Map<number, number>> {
  const starts = new Map<number, Map<number, number>>();
  tables.forEach(({ writes, reads }, step) => {
    const shared = writes.length === 1 && network.roots[writes[0].root].writers.length > 1;
    if (shared && reads.some((r) => r.inPlace)) starts.set(step, new Map());
  });
  return starts;
}

export function inPlacePairs(
  network: Network,
  tables: readonly FiringTable[],
  lifetimes: readonly Lifetime[],
  index: LifetimeIndex,
): InPlacePair[] {
  const pairs: InPlacePair[] = [];
  for (const [step, { writes, reads }] of tables.entries()) {
    const out = writes[0]?.root;
    if (out === undefined) continue;
    const starts = index.starts.get(step);
    if (!starts && network.roots[out].writers.length > 1) continue;
    for (const { inPlace, root, lo } of reads) {
      if (!inPlace || root === out || network.roots[root].external) continue;
      // Rows of the output that come before the one that is written over the input's first.
      const rows = writes[0].lo[0] / (index.pieceElements.get(out) ?? 1);
      const rowsEnd = writes[0].hi[writes[0].hi.length - 1] / (index.pieceElements.get(out) ?? 1);
      const ahead = rows - lo[0] / (index.pieceElements.get(root) ?? 1);
      // Parts of one row by several steps: not told apart.
      if (starts && index.pieces.has(out) && !Number.isInteger(rows)) continue;
      if (
        starts &&
        index.pieces.has(out) &&
        writes[0].hi[0] - writes[0].lo[0] < index.pieceElements.get(out)!
      )
        continue;
      const outputs = lifetimesOf(lifetimes, index, out);
      const inputs = lifetimesOf(lifetimes, index, root);
      for (const output of outputs) {
        for (const input of inputs) {
          if (!mayShare(lifetimes[output], lifetimes[input], ahead)) continue;
          // Rows that another step writes are none of this one's.
          const row = lifetimes[output].piece;
          if (starts && row !== undefined && !(row >= rows && row < rowsEnd)) continue;
          // A row is written once, by this step.
          pairs.push(
            lifetimes[output].piece === undefined && starts ? { output, input, starts } : { output, input },
          );
        }
      }
    }
  }
  return pairs;
}

/** Rows of both: only the row that is read is written over, and only by one of its size. */
function mayShare(output: Lifetime, input: Lifetime, ahead: number): boolean {
  if (output.piece === undefined || input.piece === undefined) return true;
  return output.piece - input.piece === ahead && output.bytes === input.bytes;
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
