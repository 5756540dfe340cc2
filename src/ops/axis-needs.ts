/** Needs along one direction from the inputs of each output, for operators that are not sliding windows. */
import type { AxisNeeds } from './window.ts';

/** `touched(o)` gives the inputs of output o, in any order; it may be empty. */
export function needsOf(input: number, output: number, touched: (o: number) => readonly number[]): AxisNeeds {
  const least = new Float64Array(output + 1).fill(Number.POSITIVE_INFINITY);
  const greatest = new Int32Array(output + 1).fill(-1);
  for (let o = output - 1; o >= 0; o--) least[o] = Math.min(least[o + 1], ...touched(o));
  for (let o = 0; o < output; o++) greatest[o + 1] = Math.max(greatest[o], ...touched(o));
  return { input, output, leastFrom: (o) => least[o], greatestUpTo: (o) => greatest[o + 1] };
}
