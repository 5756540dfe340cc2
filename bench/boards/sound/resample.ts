/** Another sampling rate, by a low-pass filter: each new sample is a windowed sinc over the old ones around its time. */

/** Zero crossings of the sinc on each side. */
const CROSSINGS = 64;
/** Kaiser's window: 80 dB down, after Kaiser (1974): beta = 0.1102 (A - 8.7). */
const BETA = 0.1102 * (80 - 8.7);
/** The filter's middle, as a part of the lower rate's half: what is above that half is down by 80 dB. */
const CUTOFF = 0.95;

export function resample(samples: Float64Array, fromHz: number, toHz: number): Float64Array {
  if (fromHz === toHz) return samples;
  const divisor = gcd(fromHz, toHz);
  const [up, down] = [toHz / divisor, fromHz / divisor];
  // Cycles a sample of the old rate, doubled: the sinc's zeros are 1 / width apart.
  const width = CUTOFF * Math.min(1, toHz / fromHz);
  const reach = Math.ceil(CROSSINGS / width);
  const taps = Array.from({ length: up }, (_, phase) => tapsOf(phase / up, width, reach));
  return Float64Array.from({ length: Math.floor((samples.length * up) / down) }, (_, n) => {
    const middle = Math.floor((n * down) / up);
    const kernel = taps[(n * down) % up];
    let sum = 0;
    for (let k = 0; k < kernel.length; k++) sum += kernel[k] * (samples[middle - reach + k] ?? 0);
    return sum;
  });
}

/** Weights of the samples from `reach` before to `reach` after one, for a time `fraction` of a sample past it. */
function tapsOf(fraction: number, width: number, reach: number): Float64Array {
  const taps = Float64Array.from({ length: 2 * reach + 1 }, (_, k) => {
    const x = k - reach - fraction;
    const edge = x / (reach + 1);
    return sinc(width * x) * bessel(BETA * Math.sqrt(1 - edge * edge));
  });
  // A steady level stays exactly as it is, at every phase.
  const sum = taps.reduce((s, t) => s + t, 0);
  return taps.map((t) => t / sum);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The modified Bessel function of order 0, from its series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
