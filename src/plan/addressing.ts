/**
 * Where the elements of a buffer lie: all in a row, round a ring, or in pieces that have an address each. One
 * meaning for all three: element e is in stretch floor(e / stretch), and a stretch is never taken apart.
 */
import type { PlanBuffer } from './plan.ts';
import { expandSchedule } from './schedule.ts';

export interface Addressing {
  /** Elements that lie side by side. */
  readonly stretch: number;
  /** Bytes from the buffer's offset to each stretch; left out where all lie at the offset itself. */
  readonly starts?: Int32Array;
}

/** Most pieces that a buffer may have. */
const MOST_PIECES = 1 << 24;

/** The addressing of a buffer that holds so many elements. Throws a RangeError where pieces are out of all bounds. */
export function addressingOf(buffer: PlanBuffer, elements: number): Addressing {
  if (buffer.pieces)
    return {
      stretch: buffer.pieces.elements,
      starts: expandSchedule(buffer.pieces.offsets, MOST_PIECES),
    };
  return { stretch: buffer.ring ?? Math.max(1, elements) };
}
