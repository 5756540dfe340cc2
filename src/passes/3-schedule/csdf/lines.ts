/**
 * The rates of the authors' own model, which knows layers by their lines and ignores padding (Minakova and Stefanov,
 * DSD 2020, section IV, and the tool of its sequel, doi 10.1145/3527457). A layer makes one line a phase. Its first
 * phase takes k lines, every later one s (k where windows do not overlap), as far as there are lines; the last takes
 * what is left. So padding's last phases take nothing, and where a window is narrower than its stride the lines that
 * it skips pile up to the end. Lines leave the buffer when they are taken: that k lines had to be there once makes room
 * for those that a window keeps.
 */
import type { CsdfEdge } from './model.ts';

/** How a layer walks over the lines of an input. */
export interface Walk {
  /** Lines of the window and between windows; 1 and 1 where there is none. */
  readonly kernel: number;
  readonly stride: number;
  readonly lines: number;
  readonly phases: number;
}

export type Rates = Pick<CsdfEdge, 'needs' | 'frees' | 'keeps'>;

/** What a layer with one input takes of it. */
export function windowRates(tokens: number, { kernel, stride, lines, phases }: Walk): Rates {
  const later = stride < kernel ? stride : kernel;
  const line = tokens / lines;
  const needs = Int32Array.from(
    { length: phases },
    (_, i) => line * (i === phases - 1 ? lines : Math.min(lines, kernel + i * later)),
  );
  const kept = line * Math.max(0, kernel - stride);
  return { needs, frees: needs, keeps: needs.map((_, i) => (i === phases - 1 ? 0 : kept)) };
}

/** A layer with several inputs takes equal parts of each; at once where one has fewer lines than it has phases. */
export function joinRates(tokens: number, { lines, phases }: Walk): Rates {
  const each = Math.floor(lines / phases);
  const needs = Int32Array.from(
    { length: phases },
    (_, i) => (tokens / lines) * (each === 0 || i === phases - 1 ? lines : each * (i + 1)),
  );
  return { needs, frees: needs, keeps: new Int32Array(phases) };
}

/** Equal parts, one a phase. */
export function evenly(tokens: number, phases: number): Int32Array {
  return Int32Array.from({ length: phases }, (_, i) => Math.floor((tokens * (i + 1)) / phases));
}
