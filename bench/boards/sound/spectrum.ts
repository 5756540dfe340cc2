/** The power of each frequency in a frame, by the fast Fourier transform. */

/** |X[k]|^2 for k = 0 .. n/2 of n real samples; n is a power of two. */
export function powerSpectrum(frame: Float64Array): Float64Array {
  const { real, imag } = transform(frame);
  return Float64Array.from({ length: frame.length / 2 + 1 }, (_, k) => real[k] ** 2 + imag[k] ** 2);
}

/** Halves the even and odd samples, then joins them; the halves' outputs repeat after half of the length. */
function transform(frame: Float64Array): { real: Float64Array; imag: Float64Array } {
  const n = frame.length;
  if (n === 1) return { real: frame, imag: new Float64Array(1) };
  const every = (first: number) => frame.filter((_, i) => i % 2 === first);
  const [even, odd] = [transform(every(0)), transform(every(1))];
  const [real, imag] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n / 2; k++) {
    const [cos, sin] = [Math.cos((2 * Math.PI * k) / n), Math.sin((2 * Math.PI * k) / n)];
    const re = cos * odd.real[k] + sin * odd.imag[k];
    const im = cos * odd.imag[k] - sin * odd.real[k];
    real[k] = even.real[k] + re;
    imag[k] = even.imag[k] + im;
    real[k + n / 2] = even.real[k] - re;
    imag[k + n / 2] = even.imag[k] - im;
  }
  return { real, imag };
}

/** Hann's window, periodic: the first sample is 0, and so would be the one after the last. */
export function hann(length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length));
}
