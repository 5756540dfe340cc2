/** (a - b)^2. TFLite: the difference at twice the larger scale, squared, brought to the output's scale. */
import {
  highProduct,
  multiplyByQuantizedMultiplier,
  quantizeMultiplier,
  roundingShiftRight,
} from '../arithmetic/tflite.ts';
import { binaryOperator } from './binary.ts';
import { saturate, wholeQuantisation } from './stored.ts';

export const squaredDifference = binaryOperator({
  kind: 'SquaredDifference',
  real: () => (a, b) => {
    const d = Math.fround(a - b);
    return d * d;
  },
  integer: () => (a, b) => Math.imul(a - b, a - b),
  stored({ a, b, to, dialect }) {
    const [qa, qb, qy] = [a, b, to].map(wholeQuantisation);
    if (dialect !== 'tflite' || !qa || !qb || !qy) return undefined;
    const leftShift = to.dtype === 'i16' ? 0 : 7;
    const twiceLarger = 2 * Math.max(qa.scale, qb.scale);
    const ma = quantizeMultiplier(qa.scale / twiceLarger);
    const mb = quantizeMultiplier(qb.scale / twiceLarger);
    const out = quantizeMultiplier(
      (twiceLarger * twiceLarger) / Math.fround(2 ** (2 * leftShift) * qy.scale),
    );
    const scaled = (distance: number, m: typeof ma) =>
      roundingShiftRight(highProduct(distance << leftShift, m.multiplier), -m.shift);
    return (x, y) => {
      const d = scaled(x - qa.zero, ma) - scaled(y - qb.zero, mb);
      const q = multiplyByQuantizedMultiplier(Math.imul(d, d), out.multiplier, out.shift);
      return saturate(q + qy.zero, to.dtype);
    };
  },
});
