/**
 * A recorded machine for anomaly detection: a bus that pulls away, from OpenSFX, read where Debian's package puts it.
 * Toy cars, which the model knows, have no recordings in the public models.
 */
import { existsSync, readFileSync } from 'node:fs';
import { recordingOf } from './cat-file.ts';
import { logMel, RATE_HZ, vectors } from './log-mel.ts';
import { resample } from './resample.ts';
import { readWav } from './wav.ts';

const FILE = '/usr/share/games/openttd/baseset/opensfx/opensfx.cat';
const BUS = 25;

export const NO_BUS = existsSync(FILE)
  ? undefined
  : 'no recording of a machine: apt-get install --no-install-recommends openttd-opensfx (10 MB)';

export interface Heard {
  /** What the sound set calls it, with authors and licence. */
  readonly title: string;
  readonly seconds: number;
  /** All that the network can be asked about, 640 numbers in dB each. */
  readonly vectors: readonly Float32Array[];
  /** The one in the middle of the recording. */
  readonly middle: Float32Array;
}

export function hearBus(): Heard {
  const { title, wav } = recordingOf(new Uint8Array(readFileSync(FILE)), BUS);
  const { rateHz, samples } = readWav(wav);
  const all = vectors(logMel(resample(samples, rateHz, RATE_HZ)));
  return { title, seconds: samples.length / rateHz, vectors: all, middle: all[Math.floor(all.length / 2)] };
}
