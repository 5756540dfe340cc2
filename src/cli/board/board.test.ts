/** A network on emulated boards: equal everywhere, exactly as large as planned, and fenced off. */
import { describe, expect, test } from 'vitest';
import { kernelsFor } from '../../boards/kernels.ts';
import { layoutOf } from '../../boards/layout.ts';
import { partOf } from '../../boards/parts.ts';
import { EXIT_CODES } from '../../boards/report.ts';
import { importModel, planGraph } from '../../compile.ts';
import { allocate, elementCount, type Graph } from '../../graph/graph.ts';
import { lowerPlan } from '../../kernels/lower.ts';
import type { Program } from '../../kernels/program.ts';
import { randomValues, seeded } from '../../ops/testing/operator-case.ts';
import type { Plan } from '../../plan/plan.ts';
import { fromTensor } from '../../run/input/port-values.ts';
import { emulate } from './emulate.ts';
import { buildFirmware } from './firmware.ts';
import { buildFor, runBuilt } from './on-board.ts';
import { missingTools } from './toolchain.ts';

const missing = missingTools();
const policy = { input: 'reuse', output: 'whole' } as const;

let prepared: { graph: Graph; plan: Plan } | undefined;
function keywordSpotter(): { graph: Graph; plan: Plan } {
  if (!prepared) {
    const graph = importModel({ zoo: 'ds-cnn', dtype: 'int8', calibrated: true });
    prepared = { graph, plan: planGraph(graph, { policy }).plan };
  }
  return prepared;
}

function inputsOf(graph: Graph) {
  const random = seeded(11);
  const tensors = graph.inputs.map(({ tensor }) => {
    const t = graph.tensors[tensor];
    const values = allocate(t.dtype, elementCount(t.shape));
    values.set(randomValues(random, t, values.length));
    return values;
  });
  return { tensors, arrays: graph.inputs.map((port, i) => fromTensor(port, tensors[i])) };
}

/** The program for a part; with the arena a multiple of 32 both of its ends are exact fences. */
function programFor(name: string, rounded = true): Program {
  const { graph, plan } = keywordSpotter();
  const program = lowerPlan(graph, plan, kernelsFor(partOf(name)!.core));
  return rounded ? { ...program, arenaBytes: Math.ceil(program.arenaBytes / 32) * 32 } : program;
}

const layout = (name: string) => layoutOf(partOf(name)!)!;

describe.skipIf(missing !== undefined)(`emulated boards${missing ? ` (skipped: ${missing})` : ''}`, () => {
  test.each(['stm32f405', 'microbit', 'mps2-an500', 'mps2-an505', 'mps3-an547'])(
    '%s computes what the reference does, in the planned bytes',
    (name) => {
      const { graph, plan } = keywordSpotter();
      const built = buildFor(graph, partOf(name)!, { policy, plan });
      expect(built.firmware.fits).toBe(true);
      const run = runBuilt(graph, built, inputsOf(graph));
      expect(run.equal).toBe(true);
      expect(run.touchedBytes).toBe(plan.arenaBytes);
      expect(run.stackBytes).toBeGreaterThan(0);
      expect(run.stackBytes).toBeLessThanOrEqual(built.firmware.stackBoundBytes);
      expect(run.instructions).toBe(run.operators.reduce((sum, o) => sum + o.instructions, 0));
    },
  );

  test.each(['stm32f405', 'mps2-an500', 'mps3-an547'])(
    'a byte past either end of the arena faults on %s, and so does the stack past its end',
    (name) => {
      const firmware = buildFirmware(programFor(name), layout(name), { tries: true });
      const { tensors } = inputsOf(keywordSpotter().graph);
      const below = emulate(firmware, tensors, { attempt: { kind: 'poke', distance: -1 } });
      const above = emulate(firmware, tensors, { attempt: { kind: 'poke', distance: 0 } });
      expect(below.exitCode).toBe(EXIT_CODES.fault);
      expect(below.fault!.address).toBe(below.report!.arenaFrom - 1);
      expect(above.exitCode).toBe(EXIT_CODES.fault);
      expect(above.fault!.address).toBe(above.report!.arenaTo);
      expect(emulate(firmware, tensors, { attempt: { kind: 'recurse' } }).exitCode).toBe(EXIT_CODES.fault);
      expect(emulate(firmware, tensors).exitCode).toBe(EXIT_CODES.ok);
    },
  );

  test('without a protection unit a byte below the arena is noticed, and one past it leaves RAM', () => {
    const firmware = buildFirmware(programFor('microbit'), layout('microbit'), { tries: true });
    const { tensors } = inputsOf(keywordSpotter().graph);
    const below = emulate(firmware, tensors, { attempt: { kind: 'poke', distance: -1 } });
    const above = emulate(firmware, tensors, { attempt: { kind: 'poke', distance: 0 } });
    expect(below.exitCode).toBe(EXIT_CODES.slack);
    expect(above.exitCode).toBe(EXIT_CODES.fault);
  });

  test('a streamed picture comes line by line, each once', () => {
    const { graph } = keywordSpotter();
    const streamed = { input: 'streamed', output: 'streamed' } as const;
    const { plan } = planGraph(graph, { policy: streamed });
    const built = buildFor(graph, partOf('mps3-an547')!, { policy: streamed, plan });
    const run = runBuilt(graph, built, inputsOf(graph));
    expect(run.equal).toBe(true);
    expect(run.touchedBytes).toBe(plan.arenaBytes);
    expect(built.firmware.dataBytes).toBeGreaterThan(20);
  });

  test('where the arena is no multiple of 32, a byte past its end is noticed', () => {
    const program = programFor('stm32f405', false);
    expect(program.arenaBytes % 32).not.toBe(0);
    const firmware = buildFirmware(program, layout('stm32f405'), { tries: true });
    const { tensors } = inputsOf(keywordSpotter().graph);
    const run = emulate(firmware, tensors, { attempt: { kind: 'poke', distance: 0 } });
    expect(run.exitCode).toBe(EXIT_CODES.slack);
  });

  test('an arena that is 32 bytes smaller does not link, and forced into one the program faults', () => {
    const program = programFor('stm32f405', false);
    expect(() =>
      buildFirmware(program, layout('stm32f405'), { arenaBytes: program.arenaBytes - 32 }),
    ).toThrow(/\.arena/);
    const rounded = programFor('stm32f405');
    const small = buildFirmware({ ...rounded, arenaBytes: rounded.arenaBytes - 32 }, layout('stm32f405'));
    const run = emulate(small, inputsOf(keywordSpotter().graph).tensors);
    expect(run.exitCode).toBe(EXIT_CODES.fault);
  });

  test('a part that is too small is told from one that is not', () => {
    const { graph, plan } = keywordSpotter();
    const built = buildFor(graph, { ...partOf('stm32f100')!, ramBytes: 4096 }, { policy, plan });
    expect(built.firmware.fits).toBe(false);
    expect(built.firmware.flashBytes).toBeGreaterThan(0);
  });
});
