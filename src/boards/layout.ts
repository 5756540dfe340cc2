/** Where a part's memory lies on the machine that emulates it: at the top of its RAM, all below fenced off. */
import type { EmulatedMachine } from './machines.ts';
import { machines } from './machines.ts';
import type { Part } from './parts.ts';

/** A range without access: Armv7-M regions begin at a multiple of their size, a power of two. */
export interface Hole {
  readonly base: number;
  readonly log2Bytes: number;
}

export interface BoardLayout {
  readonly machine: EmulatedMachine;
  readonly flashOrigin: number;
  readonly flashBytes: number;
  readonly ramOrigin: number;
  readonly ramBytes: number;
  readonly holes: readonly Hole[];
  /** Kept free below the arena: a fence, or painted and watched where there is no unit for one. */
  readonly fenceBytes: number;
}

/** The unit has eight regions; two guard the arena. */
const MOST_HOLES = 6;
const FENCE_LOG2 = 5;

/** The machine that runs programs for a part; undefined where none has its core and room. */
export function layoutOf(part: Part): BoardLayout | undefined {
  const machine = (machines[part.core] ?? []).find(
    (m) => m.flashBytes >= part.flashBytes && m.ramBytes >= part.ramBytes,
  );
  if (!machine) return undefined;
  const ramOrigin = machine.ramOrigin + machine.ramBytes - part.ramBytes;
  return {
    machine,
    flashOrigin: machine.flashOrigin,
    flashBytes: part.flashBytes,
    ramOrigin,
    ramBytes: part.ramBytes,
    holes: machine.fences === 'armv7m' ? holesBelow(ramOrigin, machine.ramOrigin) : [],
    fenceBytes: 1 << FENCE_LOG2,
  };
}

/** Covers [bottom, top) from the top down, as far as regions go; where it is empty, a fence right below. */
export function holesBelow(top: number, bottom: number): Hole[] {
  if (top === bottom) return [{ base: top - (1 << FENCE_LOG2), log2Bytes: FENCE_LOG2 }];
  const holes: Hole[] = [];
  let end = top;
  while (end > bottom && holes.length < MOST_HOLES) {
    let log2Bytes = FENCE_LOG2;
    while (end % 2 ** (log2Bytes + 1) === 0 && end - 2 ** (log2Bytes + 1) >= bottom) log2Bytes++;
    end -= 2 ** log2Bytes;
    holes.push({ base: end, log2Bytes });
  }
  return holes;
}
