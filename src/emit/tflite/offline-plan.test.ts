import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FileModel, FileNode, FileTensor } from '../../model/tflite/file.ts';
import { parseTflite } from '../../model/tflite/file.ts';
import { CODE, smallModel, type TestModel, tfliteFile } from '../../model/tflite/testing/model-file.ts';
import { arenaBuffers, peakBytes } from './arena.ts';
import { offlinePlanProblem } from './check-offline-plan.ts';
import { greedyPlan } from './greedy.ts';
import { inPlacePairs } from './in-place.ts';
import { planInFile } from './metadata.ts';
import { planOffline } from './offline-plan.ts';
import { scratchOf } from './scratch.ts';
import { withOfflinePlan } from './write.ts';

const model = (m: TestModel) => parseTflite(tfliteFile(m));
const floats = (name: string, count: number) => ({ name, shape: [1, count] });

/** x -> Relu -> Relu -> ..., with the sizes given; a Relu of other sizes than its input stands for any operator. */
function chain(...counts: number[]): FileModel {
  return model({
    tensors: counts.map((c, i) => floats(`t${i}`, c)),
    nodes: counts.slice(1).map((_, i) => ({ code: CODE.FLOOR, inputs: [i], outputs: [i + 1] })),
    inputs: [0],
    outputs: [counts.length - 1],
  });
}

describe('what TFLite Micro keeps', () => {
  test('inputs from the start, outputs to the end, the rest from first write to last read', () => {
    const m = model({
      tensors: [floats('x', 4), floats('a', 8), floats('b', 4), floats('y', 3), floats('z', 4)],
      nodes: [
        { code: CODE.FLOOR, inputs: [0], outputs: [1] },
        { code: CODE.FLOOR, inputs: [1], outputs: [3] },
        { code: CODE.ADD, inputs: [1, 0], outputs: [2] },
        { code: CODE.FLOOR, inputs: [2], outputs: [4] },
      ],
      inputs: [0],
      outputs: [3, 4],
    });
    expect(arenaBuffers(m)).toEqual([
      { tensor: 0, bytes: 16, first: 0, last: 3 },
      { tensor: 1, bytes: 32, first: 1, last: 3 },
      { tensor: 2, bytes: 16, first: 3, last: 4 },
      { tensor: 3, bytes: 16, first: 2, last: 4 },
      { tensor: 4, bytes: 16, first: 4, last: 4 },
    ]);
  });

  test('no constants and no variables; tensors that nobody uses take room', () => {
    const { tensors, ...rest } = smallModel();
    const m = model({
      ...rest,
      tensors: [...tensors, { name: 'v', shape: [4], variable: true }, { name: 'o', shape: [100] }],
    });
    expect(arenaBuffers(m).map((b) => b.tensor)).toEqual([0, 3, 4, 6]);
    expect(arenaBuffers(m)[3]).toEqual({ tensor: 6, bytes: 400, first: -1, last: -1 });
    expect(planOffline(m).heads.reference.planned).toBe(400);
  });
});

describe("TFLite Micro's planner", () => {
  const buffer = (bytes: number, first: number, last: number) => ({ bytes, first, last });

  test('largest first, of equals the last one first, into the first gap', () => {
    const buffers = [buffer(32, 0, 1), buffer(64, 1, 2), buffer(32, 2, 3), buffer(16, 1, 1)];
    expect(greedyPlan(buffers)).toEqual({ offsets: [64, 0, 64, 96], headBytes: 112 });
  });

  test('what has an offset stays, and the rest goes around it', () => {
    const buffers = [buffer(32, 0, 1), buffer(32, 0, 1), buffer(16, 1, 1)];
    expect(greedyPlan(buffers, [16, -1, -1])).toEqual({ offsets: [16, 48, 0], headBytes: 80 });
  });
});

describe('in place', () => {
  test('a reshape and an addition of one shape, where the input is read for the last time and no output', () => {
    const m = model({
      tensors: [floats('x', 4), floats('a', 4), { name: 'b', shape: [4] }, floats('c', 4), floats('y', 1)],
      nodes: [
        { code: CODE.FLOOR, inputs: [0], outputs: [1] },
        { code: CODE.RESHAPE, inputs: [1], outputs: [2] },
        { code: CODE.ADD, inputs: [1, 0], outputs: [3] },
        { code: CODE.ADD, inputs: [3, 3], outputs: [4] },
      ],
      inputs: [0],
      outputs: [2, 4],
    });
    const pairs = (level: 'none' | 'reshape' | 'elementwise') => inPlacePairs(m, arenaBuffers(m), level);
    expect(pairs('none')).toEqual([]);
    // The reshape's input is read again.
    expect(pairs('reshape')).toEqual([]);
    expect(pairs('elementwise')).toEqual([{ node: 2, input: 1, output: 3 }]);
  });

  test('is used only where it lowers the head', () => {
    const wide = { ...chain(64, 64, 64, 4) };
    const relu = wide.nodes.map((n) => ({ ...n, builtin: 'RELU' }));
    const plan = planOffline({ ...wide, nodes: relu });
    expect(plan.inPlace).toEqual([
      { node: 0, input: 0, output: 1 },
      { node: 1, input: 1, output: 2 },
    ]);
    expect(plan.heads.reference).toEqual({ greedy: 512, planned: 272 });
    expect(planOffline({ ...chain(4, 4, 64, 64) }).inPlace).toEqual([]);
  });
});

test('working memory of a mean of int8 and of a mirrored pad', () => {
  const tensor = (index: number, shape: number[], type: FileTensor['type']): FileTensor => ({
    ...{ index, shape, type, name: `t${index}`, signature: [], variable: false, sparse: false },
  });
  const node = (index: number, builtin: string, inputs: number[], outputs: number[]): FileNode => ({
    ...{ index, builtin, inputs, outputs, custom: '' },
  });
  const m: FileModel = {
    tensors: [tensor(0, [1, 4, 4, 7], 'i8'), tensor(1, [1, 7], 'i8'), tensor(2, [1, 9], 'i8')],
    nodes: [node(0, 'MEAN', [0], [1]), node(1, 'MIRROR_PAD', [1], [2]), node(2, 'SVDF', [2], [2])],
    ...{ description: '', inputs: [0], outputs: [2], metadata: [], subgraphs: 1 },
  };
  expect(scratchOf(m, 'reference')).toEqual({
    buffers: [
      { bytes: 32, first: 1, last: 1 },
      { bytes: 16, first: 2, last: 2 },
      { bytes: 16, first: 2, last: 2 },
    ],
    unknown: ['SVDF'],
  });
});

describe('the proof', () => {
  const m = chain(8, 16, 8, 4);
  const { offsets } = planOffline(m);

  test('holds for the plan and refuses what is wrong with one', () => {
    expect(offlinePlanProblem(m, offsets)).toBeUndefined();
    const moved = (t: number, to: number) => offlinePlanProblem(m, offsets.with(t, to));
    expect(moved(1, -1)).toContain('has no address');
    expect(moved(1, offsets[1] + 8)).toContain('not aligned');
    expect(moved(1, offsets[0])).toContain('over tensor 0');
    expect(offlinePlanProblem(m, offsets.slice(1))).toContain('3 offsets for 4 tensors');
  });

  test('refuses what is written over before it is read', () => {
    const skip = model({
      tensors: [floats('x', 8), floats('a', 8), floats('b', 8), floats('y', 8)],
      nodes: [
        { code: CODE.FLOOR, inputs: [0], outputs: [1] },
        { code: CODE.FLOOR, inputs: [1], outputs: [2] },
        { code: CODE.ADD, inputs: [0, 2], outputs: [3] },
      ],
      inputs: [0],
      outputs: [3],
    });
    expect(offlinePlanProblem(skip, [0, 32, 0, 64])).toContain(
      'reads tensor 0 (x), which has been written over',
    );
    expect(offlinePlanProblem(skip, [0, 32, 64, 0])).toBeUndefined();
    expect(offlinePlanProblem(skip, [0, 32, 64, 16])).toContain('writes tensor 3 (y) over tensor 0 (x)');
  });
});

/** Models whose operators read up to three earlier tensors of any size. */
const anyModel = fc
  .array(
    fc.record({
      size: fc.integer({ min: 0, max: 60 }),
      reads: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
    }),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((steps): FileModel => {
    const count = steps.length + 1;
    const tensor = (index: number, size: number): FileTensor => ({
      ...{ index, name: `t${index}`, shape: [size], signature: [], variable: false, sparse: false },
      type: 'f32',
    });
    return {
      ...{ description: '', inputs: [0], outputs: [count - 1], metadata: [], subgraphs: 1 },
      tensors: [tensor(0, 16), ...steps.map((s, i) => tensor(i + 1, s.size))],
      nodes: steps.map((s, i) => ({
        ...{ index: i, custom: '', outputs: [i + 1] },
        builtin: s.size % 2 ? 'ADD' : 'FLOOR',
        inputs: s.reads.map((r) => r % (i + 1)),
      })),
    };
  });

test('random models: never above TFLite Micro, never below the bound, always proven', () => {
  fc.assert(
    fc.property(anyModel, (m) => {
      const plan = planOffline(m);
      for (const { greedy, planned } of Object.values(plan.heads))
        expect(planned).toBeLessThanOrEqual(greedy);
      expect(plan.heads.reference.planned).toBeGreaterThanOrEqual(plan.lowerBoundBytes);
      expect(plan.lowerBoundBytes).toBeLessThanOrEqual(peakBytes(arenaBuffers(m)));
      expect(offlinePlanProblem(m, plan.offsets)).toBeUndefined();
    }),
    { numRuns: 300, seed: 7 },
  );
});

describe('in the file', () => {
  const bytes = tfliteFile(smallModel());

  test('a plan replaces the one before it, and nothing else changes', () => {
    const first = withOfflinePlan(bytes, [0, -1, -1, 240, 0]);
    const second = withOfflinePlan(first, [96, -1, -1, 0, 96]);
    expect(planInFile(bytes)).toBeUndefined();
    expect(planInFile(first)).toEqual([0, -1, -1, 240, 0]);
    expect(planInFile(second)).toEqual([96, -1, -1, 0, 96]);
    expect(parseTflite(second).metadata).toEqual(['OfflineMemoryAllocation']);
    const { metadata: _, ...before } = parseTflite(bytes);
    const { metadata: __, ...after } = parseTflite(second);
    const plain = (value: unknown) => JSON.stringify(value, (key, v) => (key === 'options' ? undefined : v));
    expect(plain(after)).toBe(plain(before));
  });

  test('refuses several subgraphs and types that TFLite Micro has not', () => {
    const m = parseTflite(bytes);
    expect(() => planOffline({ ...m, subgraphs: 2 })).toThrow(/2 subgraphs/);
    const tensors = m.tensors.map((t) => ({ ...t, type: 'STRING' as const }));
    expect(() => planOffline({ ...m, tensors })).toThrow(/no tensors of type STRING/);
  });

  test('damaged files end in one error', () => {
    const written = withOfflinePlan(bytes, [0, -1, -1, 240, 0]);
    let seed = 1;
    for (let k = 0; k < 400; k++) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      const damaged = written.slice();
      damaged[(seed >>> 8) % 400] ^= 1 << (seed & 7);
      try {
        withOfflinePlan(damaged, planOffline(parseTflite(damaged)).offsets);
        planInFile(damaged);
      } catch (error) {
        expect((error as Error).name, String((error as Error).stack)).toBe('TidemarkError');
      }
    }
  });
});
