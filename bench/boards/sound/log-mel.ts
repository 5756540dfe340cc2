/**
 * What MLPerf Tiny's anomaly detection hears: frames of 128 log-mel bands, five frames a vector of 640. Parameters are
 * those of its training (benchmark/training/anomaly_detection, baseline.yaml and common.py), the spectrogram's meaning
 * that of librosa 0.6.0, which its requirements name.
 */
import { hann, powerSpectrum } from './spectrum.ts';

export const RATE_HZ = 16000;
export const BANDS = 128;
export const FRAMES = 5;
export const FFT_SIZE = 1024;
const HOP = 512;

/** Slaney's scale (Auditory Toolbox, 1998): 200/3 Hz a step up to 1000 Hz, above it 27 steps for a factor of 6.4. */
const STEP_HZ = 200 / 3;
const KNEE_HZ = 1000;
const KNEE = KNEE_HZ / STEP_HZ;
const LOG_STEP = Math.log(6.4) / 27;

function toMel(hz: number): number {
  return hz < KNEE_HZ ? hz / STEP_HZ : KNEE + Math.log(hz / KNEE_HZ) / LOG_STEP;
}

function toHz(mel: number): number {
  return mel < KNEE ? mel * STEP_HZ : KNEE_HZ * Math.exp(LOG_STEP * (mel - KNEE));
}

/** `count` frequencies from 0 to `maxHz`, evenly spaced in mel. */
export function melFrequencies(count: number, maxHz: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => toHz((toMel(maxHz) * i) / (count - 1)));
}

/**
 * A triangle a band over the bins of the power spectrum, from the middle of the band below to that of the band above,
 * with an area of 1 in Hz.
 */
export function melFilters(
  rateHz: number,
  fftSize: number,
  bands: number,
  maxHz = rateHz / 2,
): Float64Array[] {
  const edges = melFrequencies(bands + 2, maxHz);
  return Array.from({ length: bands }, (_, band) => {
    const [low, middle, high] = edges.subarray(band, band + 3);
    return Float64Array.from({ length: fftSize / 2 + 1 }, (_, bin) => {
      const hz = (bin * rateHz) / fftSize;
      const height = Math.min((hz - low) / (middle - low), (high - hz) / (high - middle));
      return (2 / (high - low)) * Math.max(0, height);
    });
  });
}

/** A frame each 512 samples, in dB; frame t has its middle at sample 512 t, and the sound is mirrored at its ends. */
export function logMel(samples: Float64Array): Float64Array[] {
  const window = hann(FFT_SIZE);
  const filters = melFilters(RATE_HZ, FFT_SIZE, BANDS);
  return Array.from({ length: 1 + Math.floor(samples.length / HOP) }, (_, t) => {
    const first = t * HOP - FFT_SIZE / 2;
    const power = powerSpectrum(window.map((w, i) => w * samples[mirrored(first + i, samples.length)]));
    return Float64Array.from(filters, (filter) => {
      const mel = filter.reduce((sum, weight, bin) => sum + weight * power[bin], 0);
      return 10 * Math.log10(mel + Number.EPSILON);
    });
  });
}

/** An index past an end counts back from there; the sample at the end is not repeated. */
function mirrored(i: number, length: number): number {
  if (i < 0) return -i;
  return i < length ? i : 2 * (length - 1) - i;
}

/** Every five frames in a row, one behind the other. */
export function vectors(frames: readonly Float64Array[]): Float32Array[] {
  return Array.from({ length: Math.max(0, frames.length - FRAMES + 1) }, (_, t) =>
    Float32Array.from(frames.slice(t, t + FRAMES).flatMap((frame) => Array.from(frame))),
  );
}
