/** Values held between two bounds; Relu is min 0, Relu6 is 0 to 6. A null bound is open. NaN stays NaN. */
import { type Dialect, type ElementType, elementBytes } from '../graph/graph.ts';
import { requantiser } from './requantize.ts';
import { integerRange, quantiser, sameType, wholeQuantisation } from './stored.ts';
import { unaryOperator } from './unary.ts';

export type ClipAttributes = { readonly min: number | null; readonly max: number | null };

function bounds({ min, max }: ClipAttributes): readonly [number, number] {
  return [min === null ? -Infinity : Math.fround(min), max === null ? Infinity : Math.fround(max)];
}

/** Bounds in the stored domain: TFLite's CalculateActivationRangeQuantized, ONNX's with ties to even. */
export function storedBounds(
  attrs: ClipAttributes,
  type: ElementType,
  dialect: Dialect,
): readonly [number, number] {
  const [min, max] = bounds(attrs);
  const [least, greatest] = integerRange(type.dtype);
  const encode = quantiser(type, dialect);
  return [min === -Infinity ? least : encode(min, 0), max === Infinity ? greatest : encode(max, 0)];
}

export const clip = unaryOperator<ClipAttributes>({
  kind: 'Clip',
  real(attrs) {
    const [min, max] = bounds(attrs);
    // Where the bounds cross, the upper one holds, as in ONNX. Zero keeps its sign, here as in the loop below.
    return (x) => {
      const v = x < min ? min : x;
      return v > max ? max : v;
    };
  },
  stored(attrs, from, to, dialect) {
    if (!wholeQuantisation(from) || !wholeQuantisation(to)) return undefined;
    const [lo, hi] = storedBounds(attrs, to, dialect);
    const clamp = (q: number) => Math.min(hi, Math.max(lo, q));
    if (sameType(from, to)) return clamp;
    if (dialect === 'onnx') return undefined;
    const rescale = requantiser(from, to);
    return (q) => clamp(rescale(q));
  },
  run(attrs, from, to, dialect) {
    // Bytes are faster by table.
    if (!sameType(from, to) || elementBytes(from) === 1) return undefined;
    if (from.quant && !wholeQuantisation(from)) return undefined;
    const [lo, hi] = from.quant ? storedBounds(attrs, to, dialect) : bounds(attrs);
    return (x, i, y, o, count) => {
      for (let e = 0; e < count; e++) {
        let v = x[i + e];
        if (v < lo) v = lo;
        if (v > hi) v = hi;
        y[o + e] = v;
      }
    };
  },
});
