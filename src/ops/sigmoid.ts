/** 1 / (1 + e^-x). TFLite: fixed point for i8, a table for i16, 256 entries made in float32 for u8. */

import { logistic } from '../arithmetic/fixed-point-functions.ts';
import { fixedPointInput } from '../arithmetic/fixed-point-input.ts';
import { logisticInt16, tableInput } from '../arithmetic/sigmoid-table.ts';
import { roundingShiftRight } from '../arithmetic/tflite.ts';
import { lookupEntry } from './lookup.ts';
import { wholeQuantisation } from './stored.ts';
import { unaryOperator } from './unary.ts';

const sigmoidOf = (x: number) => 1 / (1 + Math.exp(-x));

export const sigmoid = unaryOperator({
  kind: 'Sigmoid',
  real: () => sigmoidOf,
  stored(_attrs, from, to, dialect) {
    const [a, b] = [wholeQuantisation(from), wholeQuantisation(to)];
    if (dialect !== 'tflite' || !a || !b || from.dtype !== to.dtype) return undefined;
    if (from.dtype === 'i16') {
      const input = tableInput(a.scale, [0]);
      return (q) => logisticInt16(q, input);
    }
    if (from.dtype === 'u8') return lookupEntry(sigmoidOf, from, to, dialect);
    const { radius, toRaw } = fixedPointInput(a.scale);
    return (q) => {
      const x = q - a.zero;
      if (x <= -radius) return -128;
      if (x >= radius) return 127;
      return Math.min(255, roundingShiftRight(logistic(toRaw(x), 4), 23)) - 128;
    };
  },
});
