/** Standard networks as WebAssembly modules: equal to the reference executor bit for bit, in every policy. */
import { describe, expect, test } from 'vitest';
import { importModel, planGraph } from '../compile.ts';
import { validate } from '../emit/wasm/testing/validate.ts';
import { allocate, elementCount, type Graph, type TypedArray } from '../graph/graph.ts';
import { randomValues, seeded } from '../ops/testing/operator-case.ts';
import type { Policy } from '../plan/plan.ts';
import { executePlan } from './execute.ts';
import { emitPlan, WasmModel } from './wasm-backend.ts';

function inputsOf(graph: Graph): TypedArray[] {
  const random = seeded(7);
  return graph.inputs.map(({ tensor }) => {
    const t = graph.tensors[tensor];
    const values = allocate(t.dtype, elementCount(t.shape));
    values.set(randomValues(random, t, values.length));
    return values;
  });
}

function expectEqual(zoo: string, dtype: 'f32' | 'int8', policy: Policy, method?: 'layerwise'): void {
  const graph = importModel({ zoo, dtype, calibrated: true });
  const { plan } = planGraph(graph, { policy, method });
  const inputs = inputsOf(graph);
  const expected = executePlan(graph, plan, inputs);
  const emitted = emitPlan(graph, plan);
  validate(emitted.wasm);
  const model = new WasmModel(new WebAssembly.Module(emitted.wasm), emitted);
  for (const paint of [0x00, 0xa5]) {
    const actual = model.run(inputs, { paint });
    expect(actual.arena.length).toBe(plan.arenaBytes);
    actual.outputs.forEach((o, i) => {
      expect(Buffer.from(o.buffer).equals(Buffer.from(expected.outputs[i].buffer))).toBe(true);
    });
  }
}

const POLICY: Policy = { input: 'reuse', output: 'whole' };

describe.each(['f32', 'int8'] as const)('%s', (dtype) => {
  test.each(['resnet8', 'ds-cnn', 'mobilenetv1-0.25-96'])('%s layer by layer', (name) => {
    expectEqual(name, dtype, POLICY, 'layerwise');
  });
  test.each([
    { input: 'reuse', output: 'whole' },
    { input: 'external', output: 'streamed' },
    { input: 'streamed', output: 'streamed' },
    { input: 'keep', output: 'whole' },
  ] as const)('resnet8 in the least memory, $input and $output', (policy) => {
    expectEqual('resnet8', dtype, policy);
  });
});
