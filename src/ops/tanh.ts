/** Hyperbolic tangent. TFLite: fixed point for i8, a table for i16, 256 entries made in float32 for u8. */

import { tanh as tanhOf } from '../arithmetic/fixed-point-functions.ts';
import { fixedPointInput } from '../arithmetic/fixed-point-input.ts';
import { tableInput, tanhInt16 } from '../arithmetic/sigmoid-table.ts';
import { roundingShiftRight } from '../arithmetic/tflite.ts';
import { lookupEntry } from './lookup.ts';
import { wholeQuantisation } from './stored.ts';
import { unaryOperator } from './unary.ts';

export const tanh = unaryOperator({
  kind: 'Tanh',
  real: () => Math.tanh,
  stored(_attrs, from, to, dialect) {
    const [a, b] = [wholeQuantisation(from), wholeQuantisation(to)];
    if (dialect !== 'tflite' || !a || !b || from.dtype !== to.dtype) return undefined;
    if (from.dtype === 'i16') {
      const input = tableInput(a.scale, [0, 1]);
      return (q) => tanhInt16(q, input);
    }
    if (from.dtype === 'u8') return lookupEntry(Math.tanh, from, to, dialect);
    const { radius, toRaw } = fixedPointInput(a.scale);
    return (q) => {
      const x = q - a.zero;
      if (x <= -radius) return -128;
      if (x >= radius) return 127;
      return Math.min(127, roundingShiftRight(tanhOf(toRaw(x), 4), 24));
    };
  },
});
