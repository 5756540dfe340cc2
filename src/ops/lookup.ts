/**
 * The rule of TFLite's 256-entry tables: input decoded, function applied and result encoded in float32, the
 * encoding by a product with the scale's reciprocal rather than a division.
 */
import type { Dialect, ElementType } from '../graph/graph.ts';
import { roundHalfAway, saturate, wholeQuantisation } from './stored.ts';

/** The entry for a stored value; undefined where the tables do not apply. */
export function lookupEntry(
  real: (x: number) => number,
  from: ElementType,
  to: ElementType,
  dialect: Dialect,
): ((q: number) => number) | undefined {
  const [a, b] = [wholeQuantisation(from), wholeQuantisation(to)];
  if (dialect !== 'tflite' || !a || !b || from.dtype === 'i16') return undefined;
  const inverse = Math.fround(1 / b.scale);
  return (q) => {
    const y = Math.fround(real(Math.fround(a.scale * (q - a.zero))));
    return saturate(Math.trunc(roundHalfAway(Math.fround(y * inverse)) + b.zero), to.dtype);
  };
}
