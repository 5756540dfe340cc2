/** Smaller of two; NaN where either is. Where all quantisations agree, and always in TFLite, of the stored values. */
import { binaryOperator } from './binary.ts';
import { sameType } from './stored.ts';

export const min = binaryOperator({
  kind: 'Min',
  real: () => Math.min,
  integer: () => Math.min,
  stored: ({ a, b, to, dialect }) =>
    dialect === 'tflite' || (sameType(a, to) && sameType(b, to)) ? Math.min : undefined,
  run(a, i, sa, b, j, sb, y, o, count) {
    for (let e = 0; e < count; e++) y[o + e] = Math.min(a[i + e * sa], b[j + e * sb]);
  },
});
