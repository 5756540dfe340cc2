/**
 * 16-bit LOGISTIC and TANH of the TFLite reference kernels: interpolation in a table of sigmoid(i / 24) with 16
 * fraction bits, tanh(x) being 2 * sigmoid(2x) - 1.
 */

/** The function bends down between knots, so each knot is raised by half of what a chord falls short: h^2 f'' / 16. */
const TABLE = Uint16Array.from({ length: 256 }, (_, i) => {
  const y = 1 / (1 + Math.exp(-i / 24));
  const bend = y * (1 - y) * (1 - 2 * y);
  return i === 255 ? 65535 : Math.round(65536 * (y - bend / (24 * 24) / 16));
});

/** How a stored input is brought to the table's scale: (q * multiplier + rounding) >> shift. */
export interface TableInput {
  readonly multiplier: number;
  readonly shift: number;
}

/**
 * For an input scale (a float32 value). Scales that are powers of two need no rounding while 2^12 * scale is 1,
 * or for tanh 1 or 2; otherwise 3 * 4096 * scale is held in 15 bits.
 */
export function tableInput(scale: number, exactShifts: readonly number[]): TableInput {
  const log = Math.fround(Math.fround(Math.log(scale)) * Math.fround(1 / Math.fround(Math.log(2))));
  const whole = Math.round(log);
  const exact = 12 + whole;
  if (Math.abs(log - whole) < 1e-3 && exactShifts.includes(exact))
    return { multiplier: 3 << exact, shift: 0 };
  let multiplier = scale * 4096 * 3;
  let shift = 0;
  while (multiplier <= 32767 / 2 && shift <= 30) {
    shift++;
    multiplier *= 2;
  }
  return { multiplier: Math.trunc(multiplier), shift };
}

function tableIndex(q: number, { multiplier, shift }: TableInput): number {
  return (Math.imul(q, multiplier) + (shift > 0 ? 1 << (shift - 1) : 0)) >> shift;
}

/** 16-bit LOGISTIC: the result has scale 2^-15. */
export function logisticInt16(q: number, input: TableInput): number {
  const x = tableIndex(q, input);
  const magnitude = Math.abs(x);
  const i = magnitude >> 9;
  const rest = magnitude & 511;
  const y = i >= 255 ? 0x7fff << 10 : (TABLE[i] << 9) + rest * (TABLE[i + 1] - TABLE[i]);
  return (x >= 0 ? y + 512 : (1 << 25) - y + 511) >> 10;
}

/** 16-bit TANH: the result has scale 2^-15. */
export function tanhInt16(q: number, input: TableInput): number {
  const x = tableIndex(q, input);
  const magnitude = Math.abs(x);
  const i = magnitude >> 8;
  const rest = magnitude & 255;
  const y = i >= 255 ? 0xffff << 8 : (TABLE[i] << 8) + rest * (TABLE[i + 1] - TABLE[i]);
  return (x >= 0 ? y - (1 << 23) + 128 : -y + (1 << 23) + 127) >> 8;
}
