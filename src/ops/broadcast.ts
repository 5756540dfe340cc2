/** numpy broadcasting seen pixel by pixel: which pixel of an input each pixel of the output needs. */
import { TidemarkError } from '../errors.ts';
import { channelsOf } from '../graph/graph.ts';
import type { PixelRange } from './operator.ts';

/** The shape that shapes broadcast to. Throws `shape-mismatch`. */
export function broadcastShape(kind: string, shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  const out: number[] = new Array(rank).fill(1);
  for (const shape of shapes) {
    for (let i = 0; i < shape.length; i++) {
      const at = rank - shape.length + i;
      if (shape[i] === out[at] || shape[i] === 1) continue;
      if (out[at] !== 1) {
        const list = shapes.map((s) => `[${s}]`).join(' and ');
        throw new TidemarkError(
          'shape-mismatch',
          `${kind} of ${list}: sides must be equal or 1; reshape one of them`,
        );
      }
      out[at] = shape[i];
    }
  }
  return out;
}

/** Adjacent pixel dimensions of the output along which an input either advances or stays. */
interface Group {
  readonly size: number;
  readonly advances: boolean;
}

export interface PixelMap {
  /** 'same': pixel p; 'one': pixel 0; 'spread': everything else. */
  readonly form: 'same' | 'one' | 'spread';
  /** Elements between the input's channels: 1, or 0 where one channel serves all. */
  readonly channelStep: 0 | 1;
  at(pixel: number): number;
  /**
   * Pixels needed for output pixels [lo, hi), as a range that only moves forward: from the least that any pixel
   * from lo on needs to the greatest that any pixel before hi needs.
   */
  reads(lo: number, hi: number): PixelRange;
}

/** How an input of one shape lies under an output it broadcasts to. */
export function pixelMap(input: readonly number[], output: readonly number[]): PixelMap {
  const channelStep = channelsOf(input) === channelsOf(output) ? 1 : 0;
  const groups = groupsOf(input, output);
  if (!groups.some((g) => !g.advances)) {
    return { form: 'same', channelStep, at: (p) => p, reads: (lo, hi) => ({ lo, hi }) };
  }
  if (!groups.some((g) => g.advances)) {
    return { form: 'one', channelStep, at: () => 0, reads: (lo, hi) => ({ lo: 0, hi: hi > lo ? 1 : 0 }) };
  }
  return { form: 'spread', channelStep, at: pixelUnder(groups), reads: readsUnder(groups) };
}

/** The output's pixel dimensions, outermost first, with neighbours of one kind joined. */
function groupsOf(input: readonly number[], output: readonly number[]): Group[] {
  const groups: Group[] = [];
  for (let i = 0; i < output.length - 1; i++) {
    const size = output[i];
    if (size === 1) continue;
    const at = i - (output.length - input.length);
    const advances = at >= 0 && input[at] === size;
    const last = groups[groups.length - 1];
    if (last?.advances === advances) groups[groups.length - 1] = { size: last.size * size, advances };
    else groups.push({ size, advances });
  }
  return groups;
}

function pixelUnder(groups: readonly Group[]): (pixel: number) => number {
  if (groups.length === 2) {
    const inner = groups[1].size;
    return groups[0].advances ? (p) => Math.floor(p / inner) : (p) => p % inner;
  }
  return (pixel) => {
    let rest = pixel;
    let index = 0;
    let step = 1;
    for (let g = groups.length - 1; g >= 0; g--) {
      const { size, advances } = groups[g];
      if (advances) {
        index += (rest % size) * step;
        step *= size;
      }
      rest = Math.floor(rest / size);
    }
    return index;
  };
}

/**
 * A group that stays makes what lies inside it repeat. While the outermost such group has a turn before a pixel
 * (after it), everything inside has been (will be) needed once in full.
 */
function readsUnder(groups: readonly Group[]): PixelMap['reads'] {
  const extreme = (pixel: number, later: boolean): number => {
    let index = 0;
    let whole = false;
    let rest = pixel;
    let inner = groups.reduce((n, g) => n * g.size, 1);
    for (const { size, advances } of groups) {
      inner /= size;
      const digit = Math.floor(rest / inner);
      rest -= digit * inner;
      if (advances) index = index * size + (whole ? (later ? 0 : size - 1) : digit);
      else if (later ? digit < size - 1 : digit > 0) whole = true;
    }
    return index;
  };
  return (lo, hi) =>
    hi <= lo ? { lo: 0, hi: 0 } : { lo: extreme(lo, true), hi: extreme(hi - 1, false) + 1 };
}
