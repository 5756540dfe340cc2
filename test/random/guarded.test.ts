/** Plans of random graphs in the interpreter: emitted kernels give the reference's bits and touch what they may. */
import { expect, test } from 'vitest';
import { TidemarkError } from '../../src/errors.ts';
import type { TypedArray } from '../../src/graph/graph.ts';
import {
  ARM_DSP,
  HELIUM,
  type Machine,
  PLAIN,
  VECTOR16,
  VECTOR64,
  VECTOR64_VNNI,
} from '../../src/kernels/machine.ts';
import { guardedRun } from '../../src/kernels/testing/guarded-run.ts';
import { difference, rawPlans, subjectOf } from './random-plans.ts';

/** Seeds beyond those of the other tests. */
const FIRST_SEED = 30_000;
const SEEDS = Number(process.env.SEEDS ?? 24);
const MACHINES: readonly Machine[] = [PLAIN, VECTOR16, VECTOR64, VECTOR64_VNNI, ARM_DSP, HELIUM];

test('emitted kernels on random plans', () => {
  let ran = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const subject = subjectOf(seed);
    for (const { name, plan } of rawPlans(subject)) {
      const machine = MACHINES[seed % MACHINES.length];
      const where = `seed ${seed}, ${name}, ${machine.name}`;
      let got: readonly TypedArray[];
      try {
        got = guardedRun(subject.graph, plan, machine, subject.inputs);
      } catch (error) {
        const gap = error instanceof TidemarkError && error.message.includes('is an input outside the arena');
        if (gap) continue;
        throw new Error(`${where}: ${error instanceof Error ? error.message : error}`, { cause: error });
      }
      expect(difference(got, subject.expected), where).toBeUndefined();
      ran++;
    }
  }
  expect(ran).toBeGreaterThan(SEEDS);
}, 240_000);
