/** Known facts of signals, scales and files, and that the recording is one. */
import { describe, expect, test } from 'vitest';
import { seeded } from '../../../src/ops/testing/operator-case.ts';
import { hearBus, NO_BUS } from './bus.ts';
import { recordingOf } from './cat-file.ts';
import { BANDS, FFT_SIZE, logMel, melFilters, melFrequencies, RATE_HZ, vectors } from './log-mel.ts';
import { resample } from './resample.ts';
import { hann, powerSpectrum } from './spectrum.ts';
import { readWav } from './wav.ts';

const tone = (hz: number, rateHz: number, length: number) =>
  Float64Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rateHz));

/** The greatest difference, ends left out: there a filter reaches past the sound. */
const inside = (a: Float64Array, b: Float64Array) =>
  Math.max(...a.slice(300, -300).map((v, i) => Math.abs(v - b[300 + i])));

describe('spectrum', () => {
  const random = seeded(3);
  const noise = Float64Array.from({ length: FFT_SIZE }, () => random() - 0.5);

  test('as the sum that defines it', () => {
    const frame = noise.subarray(0, 16);
    const byDefinition = Array.from({ length: 9 }, (_, k) => {
      const part = (of: (x: number) => number) =>
        frame.reduce((sum, x, i) => sum + x * of((2 * Math.PI * k * i) / 16), 0);
      return part(Math.cos) ** 2 + part(Math.sin) ** 2;
    });
    powerSpectrum(frame).forEach((p, k) => {
      expect(p).toBeCloseTo(byDefinition[k], 12);
    });
  });

  test('has the energy of the samples (Parseval)', () => {
    const power = powerSpectrum(noise);
    const both = power.reduce((sum, p, k) => sum + p * (k === 0 || k === FFT_SIZE / 2 ? 1 : 2), 0);
    const energy = noise.reduce((sum, x) => sum + x * x, 0);
    expect(both / FFT_SIZE / energy).toBeCloseTo(1, 12);
  });

  test("Hann's window is periodic", () => {
    const window = hann(8);
    expect(window[0]).toBe(0);
    expect(window[4]).toBe(1);
    expect(window[1]).toBeCloseTo(window[7], 15);
  });
});

describe('mel', () => {
  test("frequencies of librosa's manual, mel_frequencies(n_mels=40)", () => {
    const known: [number, number][] = [
      [0, 0],
      [1, 85.317],
      [11, 938.49],
      [12, 1024.856],
      [20, 2071.84],
      [30, 4994.285],
      [38, 10096.408],
      [39, 11025],
    ];
    const hz = melFrequencies(40, 11025);
    for (const [i, expected] of known) expect(hz[i]).toBeCloseTo(expected, 3);
  });

  test("weights of librosa's manual, mel(22050, 2048), and with 8 kHz as the most", () => {
    expect(melFilters(22050, 2048, 128)[0][1].toFixed(3)).toBe('0.016');
    expect(melFilters(22050, 2048, 128, 8000)[0][1].toFixed(2)).toBe('0.02');
  });

  test('each band has an area of 1', () => {
    for (const filter of melFilters(RATE_HZ, 65536, BANDS)) {
      expect(filter.reduce((sum, w) => sum + w, 0) * (RATE_HZ / 65536)).toBeCloseTo(1, 2);
    }
  });

  test.each([3, 20, 40, 64, 100, 125])('a tone in the middle of band %i is loudest there', (band) => {
    const hz = melFrequencies(BANDS + 2, RATE_HZ / 2)[band + 1];
    const frame = logMel(tone(hz, RATE_HZ, 4096))[4];
    expect(frame.indexOf(Math.max(...frame))).toBe(band);
  });

  test('twice the amplitude is 6.02 dB more, and silence is the least there is', () => {
    const [soft, loud] = [1, 2].map((gain) => logMel(tone(440, RATE_HZ, 2048).map((v) => gain * v))[2]);
    const band = soft.indexOf(Math.max(...soft));
    expect(loud[band] - soft[band]).toBeCloseTo(20 * Math.log10(2), 9);
    expect(logMel(new Float64Array(1024))[1].every((db) => db === 10 * Math.log10(2 ** -52))).toBe(true);
  });

  test('the sound is mirrored at its ends', () => {
    const mirrored = (i: number) => Math.cos((2 * Math.PI * 1000 * i) / RATE_HZ);
    const longer = Float64Array.from({ length: 2049 }, (_, i) => mirrored(i - 1024));
    const [there, here] = [logMel(longer)[2], logMel(longer.subarray(1024))[0]];
    expect(Math.max(...here.map((db, i) => Math.abs(db - there[i])))).toBeLessThan(1e-6);
  });

  test('a vector is five frames, the earliest first', () => {
    const frames = Array.from({ length: 7 }, (_, t) => new Float64Array(BANDS).fill(t));
    const all = vectors(frames);
    expect(all.map((v) => v.length)).toEqual([640, 640, 640]);
    expect(Array.from({ length: 5 }, (_, t) => all[2][t * BANDS])).toEqual([2, 3, 4, 5, 6]);
    expect(vectors(frames.slice(0, 4))).toEqual([]);
    expect(logMel(new Float64Array(5120)).length).toBe(11);
  });
});

describe('resampling from 44.1 to 16 kHz', () => {
  const converted = (hz: number) => resample(tone(hz, 44100, 8820), 44100, RATE_HZ);

  test.each([100, 1000, 5000, 7000])('a tone of %i Hz stays', (hz) => {
    expect(inside(converted(hz), tone(hz, RATE_HZ, 3200))).toBeLessThan(2e-4);
  });

  test.each([8000, 9000, 15000, 20000])('one of %i Hz, too high for the new rate, is gone', (hz) => {
    expect(inside(converted(hz), new Float64Array(3200))).toBeLessThan(2e-4);
  });

  test('to the same rate, nothing changes; upwards, a tone stays', () => {
    const given = tone(300, 8000, 1600);
    expect(resample(given, 8000, 8000)).toBe(given);
    expect(inside(resample(given, 8000, RATE_HZ), tone(300, RATE_HZ, 3200))).toBeLessThan(2e-4);
  });
});

describe('files', () => {
  /** A WAV file, with a chunk of odd length before the samples. */
  const wav = (channels: number, bits: number, data: readonly number[], format = 1) => {
    const chunk = (name: string, body: readonly number[]) => [
      ...Buffer.from(name),
      ...new Uint8Array(Uint32Array.of(body.length).buffer),
      ...body,
      ...(body.length % 2 ? [0] : []),
    ];
    const words = Uint16Array.of(format, channels, 16000, 0, 0, 0, 0, bits);
    const fmt = new Uint8Array(words.buffer);
    const chunks = [...chunk('fmt ', [...fmt]), ...chunk('LIST', [1, 2, 3]), ...chunk('data', data)];
    return Uint8Array.from(chunk('RIFF', [...Buffer.from('WAVE'), ...chunks]));
  };

  test('WAV of 8 bits, and the first channel of 16', () => {
    const bytes = wav(1, 8, [0, 128, 192]);
    expect(readWav(bytes)).toEqual({ rateHz: 16000, samples: Float64Array.of(-1, 0, 0.5) });
    const stereo = wav(2, 16, [0, 0x80, 1, 1, 0, 0x40, 1, 1]);
    expect(readWav(stereo).samples).toEqual(Float64Array.of(-1, 0.5));
  });

  test('what is no WAV of ours is refused', () => {
    expect(() => readWav(new Uint8Array(4))).toThrow('not a WAV file');
    expect(() => readWav(wav(1, 32, [0, 0, 0, 0], 3))).toThrow('format 3 of 32 bits');
    expect(() => readWav(wav(1, 8, []).subarray(0, 36))).toThrow('no samples');
  });

  test('a sound set gives a recording by its place', () => {
    const set = Uint8Array.from([
      ...new Uint8Array(Uint32Array.of(0x80000010, 2, 21, 3).buffer),
      ...[2, 65, 0, 7, 8],
      ...[3, 66, 67, 0, 4, 5, 6],
    ]);
    expect(recordingOf(set, 0)).toEqual({ title: 'A', wav: Uint8Array.of(7, 8) });
    expect(recordingOf(set, 1)).toEqual({ title: 'BC', wav: Uint8Array.of(4, 5, 6) });
    expect(() => recordingOf(set, 2)).toThrow('no recording 2 among 2');
  });
});

describe.skipIf(NO_BUS)(`the bus${NO_BUS ? ` (skipped: ${NO_BUS})` : ''}`, () => {
  test('is heard in the middle of its recording', () => {
    const { title, seconds, vectors: all, middle } = hearBus();
    expect(title).toMatch(/^"Truck\/old bus start/);
    expect(seconds).toBeCloseTo(4, 1);
    expect(all.length).toBe(122);
    const level = middle.reduce((sum, db) => sum + db, 0) / middle.length;
    expect(level).toBeGreaterThan(-40);
    expect(Math.max(...middle) - Math.min(...middle)).toBeGreaterThan(20);
  });
});
