/**
 * x * min(6, max(0, x + 3)) / 6. TFLite's 8-bit form works in 16-bit fixed point: the input shifted left by 7,
 * once towards the output's scale and once towards the factor in [0, 1] by which that is multiplied.
 */
import { quantizeMultiplier, roundingShiftRight } from '../arithmetic/tflite.ts';
import { saturate, wholeQuantisation } from './stored.ts';
import { unaryOperator } from './unary.ts';

const wrap16 = (x: number) => (x << 16) >> 16;

/** The 32-bit multiplier in 16 bits; it never reaches 2^15. */
function shortMultiplier(multiplier: number): number {
  return multiplier >= 2147483647 - 32768 ? 32767 : (multiplier + 32768) >> 16;
}

/** round(a * b / 2^15) of 16-bit numbers, ties towards plus infinity. */
function roundedHighProduct(a: number, b: number): number {
  return Math.min(32767, (a * b + 16384) >> 15);
}

export const hardSwish = unaryOperator({
  kind: 'HardSwish',
  real: () => (x) => (x * Math.min(6, Math.max(0, Math.fround(x + 3)))) / 6,
  stored(_attrs, from, to, dialect) {
    const [a, b] = [wholeQuantisation(from), wholeQuantisation(to)];
    if (dialect !== 'tflite' || !a || !b || from.dtype === 'i16') return undefined;
    const fine = Math.fround(a.scale / 128);
    const out = quantizeMultiplier(Math.fround(fine / b.scale));
    const gate = quantizeMultiplier(Math.fround(fine / Math.fround(3 / 32768)));
    const outFactor = shortMultiplier(out.multiplier);
    const gateFactor = shortMultiplier(gate.multiplier);
    return (q) => {
      const x = wrap16((q - a.zero) * 128);
      let g = x;
      if (gate.shift > 0) g = saturate(g * 2 ** (gate.shift - 1), 'i16');
      g = roundedHighProduct(g, gateFactor);
      if (gate.shift > 0) g = saturate(g * 2, 'i16');
      if (gate.shift < 0) g = roundingShiftRight(g, -gate.shift);
      g = (g + 32768) >> 1;
      const product = Math.trunc((g * roundedHighProduct(x, outFactor)) / 32768);
      return saturate(wrap16(roundingShiftRight(product, Math.max(0, -out.shift)) + b.zero), to.dtype);
    };
  },
});
