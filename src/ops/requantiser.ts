/** Types of operators that hand on or average their input's values, and the change of quantisation between them. */
import { TidemarkError } from '../errors.ts';
import type { Dialect, ElementType } from '../graph/graph.ts';
import type { OutputType } from './operator.ts';
import { dequantiser, integerRange, quantiser, sameQuantisation } from './stored.ts';

/** The declared type if it is of the input's dtype, else the input's own. */
export function samePooledType(x: ElementType, given?: OutputType): ElementType {
  if (!given) return { dtype: x.dtype, quant: x.quant };
  if (given.dtype !== x.dtype || (given.quant === undefined) !== (x.quant === undefined)) {
    throw new TidemarkError(
      'type-unsupported',
      `the input is ${x.dtype}, so the output cannot be ${given.dtype}`,
    );
  }
  return { dtype: given.dtype, quant: given.quant };
}

/** Stored value to stored value, saturated; undefined where a float stays as it is. */
export function requantiser(
  from: ElementType,
  to: ElementType,
  dialect: Dialect,
): ((q: number) => number) | undefined {
  if (from.dtype === 'f32') return undefined;
  const [least, greatest] = integerRange(to.dtype);
  const clamp = (q: number) => Math.min(greatest, Math.max(least, q));
  if (sameQuantisation(from.quant, to.quant)) return clamp;
  const decode = dequantiser(from);
  const encode = quantiser(to, dialect);
  return (q) => encode(decode(q));
}
