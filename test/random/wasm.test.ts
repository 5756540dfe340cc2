/** Random graphs under all kinds of plans and policies, as WebAssembly: equal to the layer-by-layer run bit for bit. */
import { expect, test } from 'vitest';
import { validate } from '../../src/emit/wasm/testing/validate.ts';
import { TidemarkError } from '../../src/errors.ts';
import { emitPlan, WasmModel } from '../../src/run/wasm-backend.ts';
import { difference, fitPlans, rawPlans, subjectOf } from './random-plans.ts';

const SEEDS = 24;

/** What has no code yet, and is said to have none; other refusals fail. */
const KNOWN_GAPS = ['is an input outside the arena'];

test(`seeds 0 to ${SEEDS - 1}: every plan that can be emitted gives the same bits`, () => {
  let plans = 0;
  let refused = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    const subject = subjectOf(seed);
    for (const { name, plan } of [...fitPlans(subject), ...rawPlans(subject)]) {
      plans++;
      try {
        const emitted = emitPlan(subject.graph, plan);
        if (plans % 10 === 0) validate(emitted.wasm);
        const model = new WasmModel(new WebAssembly.Module(emitted.wasm), emitted);
        for (const paint of [0xa5, 0x00]) {
          const { outputs, arena } = model.run(subject.inputs, { paint });
          expect(arena.length).toBe(plan.arenaBytes);
          const wrong = difference(outputs, subject.expected);
          if (wrong) throw new Error(`seed ${seed}, ${name}: ${wrong}`);
        }
      } catch (error) {
        if (!(error instanceof TidemarkError && error.code === 'operator-unsupported')) throw error;
        expect(KNOWN_GAPS.some((gap) => error.message.includes(gap)) ? '' : error.message).toBe('');
        refused++;
      }
    }
  }
  expect(refused / plans).toBeLessThan(0.1);
});
