/** numpy broadcasting seen pixel by pixel: which pixel of an input each pixel of the output needs. */
import { TidemarkError } from '../errors.ts';
import { channelsOf, pixelsOf } from '../graph/graph.ts';
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
  /** 'same': pixel p; 'one': pixel 0; 'monotone': never steps back; 'any': repeats blocks. */
  readonly form: 'same' | 'one' | 'monotone' | 'any';
  /** Elements between the input's channels: 1, or 0 where one channel serves all. */
  readonly channelStep: 0 | 1;
  at(pixel: number): number;
  /** Hull of the pixels needed for output pixels [lo, hi). */
  reads(lo: number, hi: number): PixelRange;
}

/** How an input of one shape lies under an output it broadcasts to. */
export function pixelMap(input: readonly number[], output: readonly number[]): PixelMap {
  const channelStep = channelsOf(input) === channelsOf(output) ? 1 : 0;
  const groups: Group[] = [];
  for (let i = 0; i < output.length - 1; i++) {
    const size = output[i];
    if (size === 1) continue;
    const at = i - (output.length - input.length);
    const advances = at >= 0 && input[at] === size;
    const last = groups[groups.length - 1];
    if (last && last.advances === advances) groups[groups.length - 1] = { size: last.size * size, advances };
    else groups.push({ size, advances });
  }
  const pixels = pixelsOf(input);
  const all = { lo: 0, hi: pixels };
  if (!groups.some((g) => !g.advances)) {
    return { form: 'same', channelStep, at: (p) => p, reads: (lo, hi) => ({ lo, hi }) };
  }
  if (!groups.some((g) => g.advances)) {
    return { form: 'one', channelStep, at: () => 0, reads: () => all };
  }
  if (groups.length === 2 && groups[0].advances) {
    const run = groups[1].size;
    const at = (p: number) => Math.floor(p / run);
    const reads = (lo: number, hi: number) =>
      hi <= lo ? { lo: at(lo), hi: at(lo) } : { lo: at(lo), hi: at(hi - 1) + 1 };
    return { form: 'monotone', channelStep, at, reads };
  }
  const at = (pixel: number) => {
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
  return { form: 'any', channelStep, at, reads: () => all };
}
