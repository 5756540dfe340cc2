/** Kernels for Arm's DSP instructions and for Helium: small layers of awkward shapes, equal to the reference on emulated cores. */
import { describe, expect, test } from 'vitest';
import { kernelsFor } from '../../boards/kernels.ts';
import { partOf } from '../../boards/parts.ts';
import { smallLayers } from '../../boards/testing/small-layers.ts';
import { planGraph } from '../../compile.ts';
import { elementCount, type Graph } from '../../graph/graph.ts';
import { ARM_DSP, HELIUM } from '../../kernels/machine.ts';
import { guardedRun } from '../../kernels/testing/guarded-run.ts';
import { randomValues, seeded } from '../../ops/testing/operator-case.ts';
import { compileC, findCompiler } from '../../run/c-backend.ts';
import { fromTensor } from '../../run/input/port-values.ts';
import { runReference } from '../../run/reference.ts';
import { buildFor, runBuilt } from './on-board.ts';
import { missingTools } from './toolchain.ts';

const policy = { input: 'reuse', output: 'whole' } as const;
const LAYERS = 24;
const STRICT = ['-std=c99', '-Wall', '-Wextra', '-Werror', '-pedantic'];

function prepared(seed: number, dialect: 'tflite' | 'onnx') {
  const graph = smallLayers(seed, LAYERS, dialect);
  return { graph, plan: planGraph(graph, { policy }).plan, ...inputsOf(graph, seed) };
}

function inputsOf(graph: Graph, seed: number) {
  const random = seeded(seed + 1000);
  const tensors = graph.inputs.map(({ tensor }) => {
    const t = graph.tensors[tensor];
    return randomValues(random, t, elementCount(t.shape));
  });
  return { tensors, arrays: graph.inputs.map((port, i) => fromTensor(port, tensors[i])) };
}

test.each([
  ['arm-dsp', ARM_DSP, 1, 'tflite'],
  ['arm-dsp', ARM_DSP, 2, 'onnx'],
  ['helium', HELIUM, 3, 'tflite'],
  ['helium', HELIUM, 4, 'onnx'],
] as const)(
  '%s: what the language says is what the reference computes, case %#',
  (_, machine, seed, dialect) => {
    const { graph, plan, tensors, arrays } = prepared(seed, dialect);
    const expected = runReference(
      graph,
      arrays.map((a) => a.values),
    );
    const got = guardedRun(graph, plan, machine, tensors);
    graph.outputs.forEach((port, i) => {
      expect(Array.from(fromTensor(port, got[i]).values), port.name).toEqual(Array.from(expected[i].values));
    });
  },
);

const compiler = findCompiler();
test.skipIf(!compiler).each([
  ['arm-dsp', ARM_DSP],
  ['helium', HELIUM],
] as const)('%s: on other processors the C is plain, without a warning, and gives the same', (_, machine) => {
  const { graph, plan, tensors, arrays } = prepared(9, 'tflite');
  const model = compileC(graph, plan, { machine, flags: ['-O1', ...STRICT] });
  const { outputs } = model.run(tensors);
  model.dispose();
  const expected = runReference(
    graph,
    arrays.map((a) => a.values),
  );
  graph.outputs.forEach((port, i) => {
    expect(Array.from(fromTensor(port, outputs[i]).values), port.name).toEqual(
      Array.from(expected[i].values),
    );
  });
});

const missing = missingTools();
describe.skipIf(missing !== undefined)(`emulated cores${missing ? ` (skipped: ${missing})` : ''}`, () => {
  test.each([
    ['stm32f405', 5, 'tflite'],
    ['mps2-an505', 6, 'onnx'],
    ['mps3-an547', 7, 'tflite'],
    ['mps3-an547', 8, 'onnx'],
  ] as const)('%s: small layers equal the reference, seed %i', (name, seed, dialect) => {
    const part = partOf(name)!;
    expect(kernelsFor(part.core).dots).toBeDefined();
    const { graph, plan, tensors, arrays } = prepared(seed, dialect);
    const built = buildFor(graph, part, { policy, plan });
    expect(built.firmware.fits).toBe(true);
    expect(runBuilt(graph, built, { tensors, arrays }).equal).toBe(true);
  });
});
