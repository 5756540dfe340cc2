/** Every limit holds, is said by its name, and can be raised; nothing of that size is made before it is refused. */
import { afterEach, expect, test } from 'vitest';
import { bytesTensor, floats, int64s, type TinyModel, tinyCnn, tinyModel } from '../test/onnx/tiny-model.ts';
import { importModel, planGraph } from './compile.ts';
import { TidemarkError } from './errors.ts';
import { LIMIT_NAMES, type LimitName, limits, resetLimits, setLimits } from './limits.ts';
import { smallModel, tfliteFile } from './model/tflite/testing/model-file.ts';
import { checkPlan } from './plan/check.ts';
import { parsePlan } from './plan/read.ts';

afterEach(resetLimits);

const POLICY = { input: 'reuse', output: 'whole' } as const;
const onnx = (model: TinyModel = tinyCnn()) => importModel({ bytes: tinyModel(model), file: 'm.onnx' });
const tflite = () => importModel({ bytes: tfliteFile(smallModel()), file: 'm.tflite' });
const plan = () => JSON.stringify(planGraph(onnx(), { policy: POLICY, method: 'layerwise' }).plan);
const read = (text: string) => parsePlan(text, 'plan.json', onnx());

/** The operator of a model that makes a constant of 64 elements from one of two. */
const expanded: TinyModel = {
  inputs: { x: [4, 16] },
  outputs: ['y'],
  weights: [floats('one', [1, 1], [1]), int64s('shape', [4, 16])],
  nodes: [
    { op: 'Expand', in: ['one', 'shape'], out: ['ones'] },
    { op: 'Add', in: ['x', 'ones'], out: ['y'] },
  ],
};

/** A batch normalisation whose parameters are made so long. */
function normalised(channels: number): TinyModel {
  const parameters = ['scale', 'bias', 'mean', 'variance'];
  return {
    inputs: { x: [1, 4, 2, 2] },
    outputs: ['y'],
    weights: [int64s('shape', [channels])],
    nodes: [
      ...parameters.map((name) => ({ op: 'ConstantOfShape', in: ['shape'], out: [name] })),
      { op: 'BatchNormalization', in: ['x', ...parameters], out: ['y'] },
    ],
  };
}

/** What breaks each limit once it is as low as given. Those of streaming change the plan instead. */
const broken: Partial<Record<LimitName, readonly [limit: number, run: () => unknown][]>> = {
  fileBytes: [
    [100, onnx],
    [100, tflite],
  ],
  nodes: [
    [1, onnx],
    [1, tflite],
  ],
  tensors: [
    [2, onnx],
    [4, tflite],
  ],
  operands: [
    [2, onnx],
    [2, tflite],
  ],
  rank: [
    [3, onnx],
    [3, tflite],
  ],
  tensorElements: [[100, onnx]],
  nameCharacters: [
    [3, onnx],
    [0, tflite],
  ],
  madeElements: [[32, () => onnx(expanded)]],
  parameterNumbers: [
    [1, () => onnx(normalised(4))],
    [1, () => importModel({ bytes: reshaping(), file: 'm.tflite' })],
  ],
  nesting: [
    [2, onnx],
    [2, () => read(text)],
  ],
  operatorBytes: [[1000, () => planGraph(onnx(), { policy: POLICY })]],
};
const text = plan();

function reshaping(): Uint8Array {
  const data = new Uint8Array(Int32Array.of(2, 3).buffer);
  return tfliteFile({
    tensors: [
      { name: 'x', shape: [3, 2] },
      { name: 's', shape: [2], type: 'i32', data },
      { name: 'y', shape: [2, 3] },
    ],
    nodes: [{ code: 22, inputs: [0, 1], outputs: [2] }],
    inputs: [0],
    outputs: [2],
  });
}

for (const [name, cases] of Object.entries(broken) as [LimitName, [number, () => unknown][]][]) {
  test(name, () => {
    for (const [limit, run] of cases) {
      resetLimits();
      expect(run()).toBeDefined();
      setLimits({ [name]: limit });
      let error: unknown;
      try {
        run();
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(TidemarkError);
      expect((error as Error).message).not.toContain('\n');
      if (name !== 'tensorElements' && name !== 'nesting')
        expect((error as Error).message).toContain(`${limit}`);
    }
  });
}

test("arenaBytes and firings are the checker's", () => {
  const graph = onnx();
  const parsed = read(text);
  expect(checkPlan(graph, parsed).ok).toBe(true);
  setLimits({ arenaBytes: parsed.arenaBytes - 1 });
  const layerwise = { policy: POLICY, method: 'layerwise' } as const;
  expect(() => planGraph(graph, layerwise)).toThrow(
    /smallest plan found takes \d+ bytes.*--limit arenaBytes/,
  );
  expect(checkPlan(graph, parsed).problem).toMatch(
    /memory takes \d+ bytes, the limit is \d+ \(--limit arenaBytes/,
  );
  resetLimits();
  setLimits({ firings: 1 });
  expect(checkPlan(graph, parsed).problem).toMatch(/more than 1 firings/);
});

test('a network of more rows or pixels than are followed is planned layer by layer', () => {
  for (const change of [{ streamedRows: 2 }, { streamedPixels: 2 }]) {
    setLimits(change);
    const planned = planGraph(onnx(), { policy: POLICY });
    expect(planned.plan.spans.every((s) => s.mode === 'whole')).toBe(true);
  }
});

test('there is no limit without a test, and the defaults are those of the page', () => {
  const elsewhere = ['arenaBytes', 'firings', 'streamedRows', 'streamedPixels', 'planFileBytes'];
  expect([...Object.keys(broken), ...elsewhere].sort()).toEqual([...LIMIT_NAMES].sort());
  expect(limits.operatorBytes).toBe(2 ** 30);
});

test('a small file that asks for gigabytes is refused at once', () => {
  const started = process.memoryUsage.rss();
  const huge = { ...expanded, weights: [floats('one', [1, 1], [1]), int64s('shape', [30_000, 30_000])] };
  expect(() => onnx({ ...huge, inputs: { x: [1, 1] } })).toThrow(/madeElements/);
  expect(() => onnx(normalised(2 ** 31 - 1))).toThrow(/2147483647 numbers.*parameterNumbers/);
  const scattered = { ...tinyCnn(), weights: [bytesTensor('w', [2 ** 20, 2 ** 20], [1], 2)] };
  expect(() => onnx(scattered)).toThrow(/elements/);
  expect(process.memoryUsage.rss() - started).toBeLessThan(200 * 2 ** 20);
});
