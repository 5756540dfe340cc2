/**
 * The checker's own test: valid plans of random graphs are damaged, and a damaged plan that the checker lets
 * pass must still give the right result, touch nothing outside its arena, and not hang on what memory held.
 */
import { expect, it } from 'vitest';
import type { TypedArray } from '../../src/graph/graph.ts';
import { pick, seeded } from '../../src/ops/testing/operator-case.ts';
import { checkPlan } from '../../src/plan/check.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { executePlan } from '../../src/run/execute.ts';
import { MUTATION_NAMES, mutantOf } from './mutants.ts';
import { difference, rawPlans, type Subject, subjectOf } from './random-plans.ts';

/** Seeds beyond those of the other tests. */
const FIRST_SEED = 10_000;
const SEEDS = 150;
/** Bytes behind the arena that nobody may write. */
const GUARD = 256;

/** What is wrong with running a plan, or undefined. */
function fault({ graph, inputs, expected }: Subject, plan: Plan): string | undefined {
  for (const paint of [0x5a, 0xa7]) {
    let outputs: readonly TypedArray[];
    try {
      const guarded = executePlan(graph, { ...plan, arenaBytes: plan.arenaBytes + GUARD }, inputs, { paint });
      if (guarded.arena.subarray(plan.arenaBytes).some((b) => b !== paint)) return 'writes beyond the arena';
      outputs = executePlan(graph, plan, inputs, { paint }).outputs;
    } catch (error) {
      return `throws ${error}`;
    }
    const wrong = difference(outputs, expected);
    if (wrong) return wrong;
  }
  return undefined;
}

it('no wrong plan passes the checker', () => {
  const accepted: string[] = [];
  const count = { made: 0, passed: 0, refused: 0, refusedAndWrong: 0 };
  const used = new Set<string>();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const subject = subjectOf(seed);
    const random = seeded(seed ^ 0x1234567);
    for (const { name, plan } of rawPlans(subject)) {
      for (const mutation of MUTATION_NAMES) {
        let mutant = mutantOf(mutation, plan, subject.graph, random);
        if (!mutant) continue;
        // Now and then two faults at once.
        const another = MUTATION_NAMES[pick(random, 0, 3 * MUTATION_NAMES.length)];
        if (another) mutant = mutantOf(another, mutant, subject.graph, random) ?? mutant;
        used.add(mutation);
        count.made++;
        const { ok } = checkPlan(subject.graph, mutant);
        if (ok) count.passed++;
        else count.refused++;
        // What is refused is run now and then, to see that the damage is real.
        if (!ok && count.refused % 10 !== 0) continue;
        const wrong = fault(subject, mutant);
        if (wrong && ok) accepted.push(`seed ${seed}, ${name}, ${mutation}: ${wrong}`);
        if (wrong && !ok) count.refusedAndWrong++;
      }
    }
  }
  expect(accepted).toEqual([]);
  expect([...used].sort()).toEqual([...MUTATION_NAMES].sort());
  expect(count.made).toBeGreaterThan(10_000);
  expect(count.passed).toBeGreaterThan(1_000);
  // Of the refused ones that were run, more than half are really wrong.
  expect(count.refusedAndWrong * 10).toBeGreaterThan(count.refused / 2);
});
