/** Kernels touch nothing but what their firings may: fitted plans of whole networks, every access watched. */
import { describe, expect, test } from 'vitest';
import { importModel, planGraph } from '../compile.ts';
import { elementCount } from '../graph/graph.ts';
import { randomValues, seeded } from '../ops/testing/operator-case.ts';
import { executePlan } from '../run/execute.ts';
import { type Machine, VECTOR16, VECTOR64, VECTOR64_VNNI } from './machine.ts';
import { guardedRun } from './testing/guarded-run.ts';

const cases: [string, 'f32' | 'int8', Machine][] = [
  ['ds-cnn', 'int8', VECTOR16],
  ['ds-cnn', 'f32', VECTOR64],
  ['resnet8', 'int8', VECTOR64_VNNI],
];

describe('every access watched', () => {
  test.each(cases)(
    '%s, %s',
    (zoo, dtype, machine) => {
      const graph = importModel({ zoo, dtype });
      const { plan } = planGraph(graph, { policy: { input: 'reuse', output: 'whole' } });
      const random = seeded(3);
      const inputs = graph.inputs.map(({ tensor }) => {
        const t = graph.tensors[tensor];
        return randomValues(random, t, elementCount(t.shape));
      });
      const [expected] = executePlan(graph, plan, inputs).outputs;
      const [got] = guardedRun(graph, plan, machine, inputs);
      expect(got).toEqual(expected);
    },
    120_000,
  );
});
