/** Emitted C with everything dead forbidden, firing by firing: right plans run clean, a moved buffer is caught. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { rawPlans, subjectOf } from '../../test/random/random-plans.ts';
import { importModel, planGraph } from '../compile.ts';
import { elementCount, type Graph, type TypedArray } from '../graph/graph.ts';
import { PLAIN, VECTOR16 } from '../kernels/machine.ts';
import { randomValues, seeded } from '../ops/testing/operator-case.ts';
import { checkPlan } from '../plan/check.ts';
import type { Plan } from '../plan/plan.ts';
import { compileC, findCompiler } from './c-backend.ts';
import { type Watch, watches } from './c-watch.ts';
import { executePlan } from './execute.ts';

interface Planned {
  readonly graph: Graph;
  readonly plan: Plan;
  readonly inputs: readonly TypedArray[];
}

const compiler = findCompiler();
const why: Readonly<Record<Watch, string | undefined>> = {
  address: canLink('-fsanitize=address,undefined') ? undefined : 'the compiler has no sanitizers',
  bytes: compiler ? undefined : 'no C compiler; install gcc or clang',
  valgrind: compiler && findCompiler(['valgrind']) ? undefined : 'no valgrind; install it',
};

function canLink(flag: string): boolean {
  if (!compiler) return false;
  const args = [flag, '-x', 'c', '-', '-o', '/dev/null'];
  return spawnSync(compiler, args, { input: 'int main(void) { return 0; }' }).status === 0;
}

const cases = watches.map((watch) => ({ watch, note: why[watch] ? ` (skipped: ${why[watch]})` : '' }));

function fitted(): Planned {
  const graph = importModel({ zoo: 'ds-cnn', dtype: 'int8' });
  const { plan } = planGraph(graph, { policy: { input: 'reuse', output: 'whole' } });
  const random = seeded(7);
  const inputs = graph.inputs.map(({ tensor }) => {
    const t = graph.tensors[tensor];
    return randomValues(random, t, elementCount(t.shape));
  });
  return { graph, plan, inputs };
}

/** The first plan with one of its buffers moved so that the checker refuses it for what it overwrites. */
function moved(): Planned {
  for (let seed = 0; ; seed++) {
    const { graph, inputs } = subjectOf(seed);
    const { plan } = planGraph(graph, { policy: { input: 'reuse', output: 'whole' } });
    for (const [k, { offset, bytes }] of plan.buffers.entries()) {
      const to = Math.max(0, Math.min(plan.arenaBytes - bytes, offset + 8 * (offset === 0 ? 1 : -1)));
      const buffers = plan.buffers.map((b, i) => (i === k ? { ...b, offset: to } : b));
      const wrong = { ...plan, buffers };
      if (/overwrites/.test(checkPlan(graph, wrong).problem ?? '')) return { graph, inputs, plan: wrong };
    }
  }
}

describe.each(cases)('watched by $watch$note', ({ watch }) => {
  const skip = why[watch] !== undefined;
  const build = ({ graph, plan }: Planned) =>
    compileC(graph, plan, { watch, machine: watch === 'bytes' ? VECTOR16 : PLAIN });

  test.skipIf(skip)('a fitted network touches nothing but what its firings may', () => {
    const planned = fitted();
    const model = build(planned);
    const expected = executePlan(planned.graph, planned.plan, planned.inputs).outputs;
    expect(model.run(planned.inputs, { paint: 0xa5 }).outputs).toEqual(expected);
    model.dispose();
  });

  test.skipIf(skip)('a buffer moved onto another is caught by the run itself', () => {
    const planned = moved();
    const model = build(planned);
    expect(() => model.run(planned.inputs)).toThrow(/firing \d+ \(.*which the plan does not allow/);
    model.dispose();
  });
});

test.skipIf(why.bytes)('random graphs under every kind of plan touch nothing else', () => {
  for (const seed of [3]) {
    const subject = subjectOf(seed);
    for (const { name, plan } of rawPlans(subject)) {
      const model = compileC(subject.graph, plan, { watch: 'bytes', machine: PLAIN });
      const { outputs } = model.run(subject.inputs, { paint: 0x5a });
      expect(outputs, `seed ${seed}, ${name}`).toEqual(subject.expected);
      model.dispose();
    }
  }
});

test.skipIf(!compiler)('two emissions, compiled and run by themselves, leave the same bytes', () => {
  const { graph, plan, inputs } = fitted();
  const [one, two] = [1, 2].map(() => {
    const model = compileC(graph, plan, { machine: PLAIN, flags: ['-O1'] });
    const result = model.run(inputs, { paint: 0x33 });
    model.dispose();
    return result;
  });
  expect(two.outputs).toEqual(one.outputs);
  expect(two.arena).toEqual(one.arena);
});
