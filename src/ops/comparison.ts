/** What the comparisons share: a bool result, and TFLite's way of bringing 8-bit operands to one scale. */
import { highProduct, quantizeMultiplier, roundingShiftRight } from '../arithmetic/tflite.ts';
import type { Attributes } from '../graph/graph.ts';
import { binaryOperator, type Pair, type PairTypes } from './binary.ts';
import type { OperatorDef } from './operator.ts';
import { wholeQuantisation } from './stored.ts';

/** Bits by which the reference shifts distances left before it scales them. */
const LEFT_SHIFT = 8;

export function comparison(kind: string, holds: (a: number, b: number) => boolean): OperatorDef<Attributes> {
  const compare: Pair = (a, b) => (holds(a, b) ? 1 : 0);
  return binaryOperator({
    kind,
    type: { dtype: 'bool' },
    real: () => compare,
    integer: () => compare,
    stored: (types) => scaledComparison(types, compare),
  });
}

function scaledComparison({ a, b, dialect }: PairTypes, compare: Pair): Pair | undefined {
  const [qa, qb] = [wholeQuantisation(a), wholeQuantisation(b)];
  if (dialect !== 'tflite' || !qa || !qb) return undefined;
  const scaler = ({ scale, zero }: typeof qa) => {
    const { multiplier, shift } = quantizeMultiplier(scale);
    if (shift > 0) return (q: number) => (q - zero) * scale;
    return (q: number) => roundingShiftRight(highProduct((q - zero) << LEFT_SHIFT, multiplier), -shift);
  };
  const [left, right] = [scaler(qa), scaler(qb)];
  return (x, y) => compare(left(x), right(y));
}
