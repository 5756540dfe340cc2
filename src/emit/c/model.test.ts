/** Emitted C: compiled without a warning, run bit for bit as the reference runs, and calling nothing it should not. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { importModel, planGraph } from '../../compile.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { elementCount, type Graph, perTensor, type TypedArray } from '../../graph/graph.ts';
import { lowerPlan } from '../../kernels/lower.ts';
import { type Machine, PLAIN, VECTOR16, VECTOR32, VECTOR64, VECTOR64_VNNI } from '../../kernels/machine.ts';
import { stackBytes } from '../../kernels/stack.ts';
import { randomValues, seeded } from '../../ops/testing/operator-case.ts';
import type { Plan, Policy } from '../../plan/plan.ts';
import { compileC, findCompiler } from '../../run/c-backend.ts';
import { executePlan } from '../../run/execute.ts';
import { layoutFiles } from './layouts.ts';
import { emitC } from './model.ts';

const STRICT = ['-std=c99', '-Wall', '-Wextra', '-Werror', '-pedantic'];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tidemark-c-test-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const any = findCompiler();
const compilers = ['gcc', 'clang'].filter((name) => findCompiler([name]));
const note = any ? '' : ' (skipped: no C compiler; install gcc or clang)';

function planned(zoo: string, dtype: 'f32' | 'int8', policy?: Policy): { graph: Graph; plan: Plan } {
  const graph = importModel({ zoo, dtype });
  const { plan } = planGraph(graph, { policy: policy ?? { input: 'reuse', output: 'whole' } });
  return { graph, plan };
}

function inputsOf(graph: Graph): TypedArray[] {
  const random = seeded(7);
  return graph.inputs.map(({ tensor }) => {
    const t = graph.tensors[tensor];
    return randomValues(random, t, elementCount(t.shape));
  });
}

/** Runs a compiler in the test's folder; gives what it said where it failed. */
function compile(compiler: string, ...args: string[]): string {
  const { status, stderr } = spawnSync(compiler, args, { cwd: folder, encoding: 'utf8' });
  return status === 0 ? '' : stderr;
}

function write(files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), content);
  }
}

const withoutVnni = process.arch === 'x64' ? ['-mno-avx512vnni'] : [];

describe.skipIf(!any)(`emitted C${note}`, () => {
  const ints = planned('ds-cnn', 'int8');
  const floats = planned('ds-cnn', 'f32');
  const cases: [string, { graph: Graph; plan: Plan }, Machine, ...flags: string[]][] = [
    ['int8, plain C', ints, PLAIN],
    ['int8, vectors of 16 bytes', ints, VECTOR16],
    ['int8, vectors of 64 bytes', ints, VECTOR64],
    ['int8, the same with dot products of bytes', ints, VECTOR64_VNNI],
    ['int8, those on a processor without', ints, VECTOR64_VNNI, ...withoutVnni],
    ['float32, plain C', floats, PLAIN],
    ['float32, vectors of 32 bytes', floats, VECTOR32],
  ];

  test.each(cases)('a fitted plan equals the reference: %s', (_, { graph, plan }, machine, ...flags) => {
    const inputs = inputsOf(graph);
    const model = compileC(graph, plan, { machine, flags: ['-O1', ...STRICT, ...flags] });
    const expected = executePlan(graph, plan, inputs).outputs;
    for (const paint of [0, 0xa5]) expect(model.run(inputs, { paint }).outputs).toEqual(expected);
    model.dispose();
  });

  test('plain C compiles without a warning, and calls memcpy and memset at most', () => {
    const { graph, plan } = ints;
    write(emitC(lowerPlan(graph, plan, PLAIN)).files);
    for (const compiler of compilers) {
      expect(compile(compiler, ...STRICT, '-O1', '-c', 'model.c', '-o', 'model.o')).toBe('');
      const symbols = spawnSync('nm', ['-u', 'model.o'], { cwd: folder, encoding: 'utf8' });
      if (symbols.status !== 0) continue;
      const called = symbols.stdout.split('\n').flatMap((l) => /U (\S+)/.exec(l)?.[1] ?? []);
      expect(called.filter((name) => !['memcpy', 'memset', '_GLOBAL_OFFSET_TABLE_'].includes(name))).toEqual(
        [],
      );
    }
  });

  test('vectors compile without a warning, whether or not the processor has them', () => {
    const { graph, plan } = ints;
    write(emitC(lowerPlan(graph, plan, VECTOR16)).files);
    for (const compiler of compilers)
      expect(compile(compiler, ...STRICT, '-c', 'model.c', '-o', 'model.o')).toBe('');
  });

  test('the stack stays below what is said', () => {
    const { graph, plan } = ints;
    const program = lowerPlan(graph, plan, PLAIN);
    write(emitC(program).files);
    if (!compilers.includes('gcc')) return;
    expect(compile('gcc', ...STRICT, '-Os', '-fstack-usage', '-c', 'model.c', '-o', 'model.o')).toBe('');
    const frames = fs
      .readFileSync(path.join(folder, 'model.su'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => Number(line.split('\t')[1]));
    expect(Math.max(...frames)).toBeLessThanOrEqual(stackBytes(program));
  });

  test("an arena of the caller's that is too small stops the compiler", () => {
    const { graph, plan } = ints;
    write(emitC(lowerPlan(graph, plan, PLAIN)).files);
    const given = (bytes: number) => ['-DMODEL_ARENA=mine', `-DMODEL_ARENA_BYTES=${bytes}`];
    const said = compile(any!, ...STRICT, ...given(plan.arenaBytes - 1), '-c', 'model.c', '-o', 'model.o');
    expect(said).toContain(`the model needs ${plan.arenaBytes} bytes`);
    expect(compile(any!, ...STRICT, ...given(plan.arenaBytes), '-c', 'model.c', '-o', 'model.o')).toBe('');
  });

  test('rows go in and out by callbacks where the plan streams them', () => {
    const { graph, plan } = planned('ds-cnn', 'int8', { input: 'streamed', output: 'streamed' });
    const program = lowerPlan(graph, plan, PLAIN);
    write({ ...emitC(program).files, 'main.c': callbackProgram() });
    expect(compile(any!, ...STRICT, '-O1', 'model.c', 'main.c', '-o', 'main')).toBe('');
    const [input] = inputsOf(graph);
    const ran = spawnSync('./main', { cwd: folder, input: new Uint8Array(input.buffer), maxBuffer: 1 << 26 });
    expect(ran.status).toBe(0);
    const expected = executePlan(graph, plan, [input]).outputs[0];
    expect(Buffer.compare(ran.stdout, Buffer.from(new Uint8Array(expected.buffer)))).toBe(0);
  });

  test('what takes vectors is always inlined', () => {
    const text = String(emitC(lowerPlan(ints.graph, ints.plan, VECTOR16)).files['model.c']);
    expect(text).toMatch(/always_inline, unused\)\) v_i32x4/);
    expect(text.match(/^TM_INLINE .*\bv_[iuf]\d+x\d+.*$/m)).toBeNull();
  });

  // GCC 12 found the floats' place from the bytes' and dropped the call as one without effect (docs/c-target.md).
  test.each([
    ['vectors of 16 bytes, -O1', VECTOR16, '-O1'],
    ['vectors of 64 bytes, -O2', VECTOR64, '-O2'],
  ])('bytes read and floats written by a function that is called: %s', (_, machine, level) => {
    const build = new GraphBuilder('floats', 'tflite');
    const shape = [1, 5, 6, 48];
    const input = build.input({ name: 'x', shape, dtype: 'i8' }, { dtype: 'i8', quant: perTensor(0.5, 3) });
    build.output(build.op('Dequantize', [input]), { name: 'y', shape, dtype: 'f32' });
    const graph = build.build();
    const { plan } = planGraph(graph, { policy: { input: 'keep', output: 'whole' }, method: 'layerwise' });
    const inputs = inputsOf(graph);
    const model = compileC(graph, plan, { machine, flags: [level, '-fno-inline', ...STRICT] });
    expect(model.run(inputs, { paint: 0xa5 }).outputs).toEqual(executePlan(graph, plan, inputs).outputs);
    model.dispose();
  });

  test('the same model gives the same files', () => {
    const { graph, plan } = ints;
    const text = () => emitC(lowerPlan(graph, plan, PLAIN)).files['model.c'];
    expect(text()).toBe(text());
  });
});

/** Reads the input from standard input as it is asked for, and writes outputs as they come. */
function callbackProgram(): string {
  return `#include "model.h"
#include <stdio.h>

static void take(void *user, int input, size_t from, void *to, size_t bytes) {
  (void)user; (void)input; (void)from;
  if (fread(to, 1, bytes, stdin) != bytes) *(char *)to = 0;
}

static void give(void *user, int output, size_t from, const void *data, size_t bytes) {
  (void)user; (void)output; (void)from;
  fwrite(data, 1, bytes, stdout);
}

int main(void) {
  static model_io io = { { NULL }, { NULL }, take, give, NULL };
  model_run(&io);
  return 0;
}
`;
}

test('build systems find what they look for', () => {
  const files = layoutFiles('a model / with: odd name');
  expect(Object.keys(files)).toEqual([
    'CMakeLists.txt',
    'zephyr/module.yml',
    'library.json',
    'library.properties',
  ]);
  expect(JSON.parse(files['library.json']).name).toBe('tidemark-a-model-with-odd-name');
});
