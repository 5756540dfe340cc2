/** Pools whose window is the whole picture, and means: planned as folds, run by the kernels with every access watched. */
import { describe, expect, test } from 'vitest';
import { planGraph } from '../compile.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Attributes, Dialect, ElementType, Epilogue, Graph } from '../graph/graph.ts';
import { randomValues, seeded } from '../ops/testing/operator-case.ts';
import { checkPlan } from '../plan/check.ts';
import { executePlan } from '../run/execute.ts';
import { runReference } from '../run/reference.ts';
import { wasmBackend } from '../run/wasm-backend.ts';
import { PLAIN, VECTOR16 } from './machine.ts';
import { guardedRun } from './testing/guarded-run.ts';

const F32: ElementType = { dtype: 'f32' };
const I8: ElementType = { dtype: 'i8', quant: { scale: [0.1], zeroPoint: [5], axis: 0 } };
const U8: ElementType = { dtype: 'u8', quant: { scale: [0.05], zeroPoint: [120], axis: 0 } };
const WHOLE = { kernel: [7, 6], stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], ceil: false };
const PADDED = { ...WHOLE, kernel: [9, 9], pads: [1, 2, 1, 1], stride: [3, 2] };

interface Case {
  readonly type: ElementType;
  readonly dialect?: Dialect;
  readonly batch?: number;
  readonly epilogue?: readonly Epilogue[];
}

function graphOf(
  kind: string,
  attrs: Attributes,
  { type, dialect = 'onnx', batch = 1, epilogue }: Case,
): Graph {
  const b = new GraphBuilder('whole', dialect);
  const x = b.input({ name: 'x', shape: [batch, 7, 6, 5], dtype: type.dtype }, type);
  const y = b.op(kind, [x], attrs, epilogue && { epilogue });
  b.output(y, { name: 'y', shape: y.shape, dtype: type.dtype });
  return b.build();
}

const relu: readonly Epilogue[] = [{ kind: 'Clip', attrs: { min: 0, max: null }, from: F32, to: F32 }];
const cases: [string, Attributes, Case][] = [
  ['AveragePool', { ...WHOLE, countPad: false }, { type: F32 }],
  ['AveragePool', { ...PADDED, countPad: true }, { type: F32, batch: 2, epilogue: relu }],
  ['AveragePool', { ...WHOLE, countPad: false }, { type: I8, dialect: 'tflite' }],
  ['AveragePool', { ...PADDED, countPad: true }, { type: U8 }],
  ['AveragePool', { ...PADDED, countPad: false }, { type: I8, batch: 2 }],
  ['MaxPool', WHOLE, { type: F32, epilogue: relu }],
  ['MaxPool', PADDED, { type: I8, batch: 3 }],
  ['MaxPool', WHOLE, { type: U8, dialect: 'tflite' }],
  ['ReduceMean', { axes: [1, 2], keepDims: true }, { type: F32, batch: 2 }],
];

describe('folds', () => {
  test.each(cases)('%s %j of %j', (kind, attrs, of) => {
    const graph = graphOf(kind, attrs, of);
    const random = seeded(9);
    const inputs = [randomValues(random, graph.tensors[graph.inputs[0].tensor], (of.batch ?? 1) * 210)];
    const [{ values: expected }] = runReference(graph, inputs);
    const { plan } = planGraph(graph, { policy: { input: 'streamed', output: 'whole' } });
    expect(plan.actors.some((actor) => actor.kind === 'operator' && actor.fold)).toBe(true);
    const runs = [
      executePlan(graph, plan, inputs, { paint: 0xa5 }).outputs,
      guardedRun(graph, plan, PLAIN, inputs),
      guardedRun(graph, plan, VECTOR16, inputs),
      wasmBackend.prepare(graph, plan).run(inputs, { paint: 0xa5 }).outputs,
    ];
    for (const [got] of runs) expect(got).toEqual(expected);
  });

  test('a window over a part of the picture is refused as a fold', () => {
    const graph = graphOf('MaxPool', { ...WHOLE, kernel: [7, 5] }, { type: F32 });
    const { plan } = planGraph(graph, { policy: { input: 'reuse', output: 'whole' } });
    const actors = plan.actors.map((a) => (a.kind === 'operator' ? { ...a, fold: true } : a));
    expect(checkPlan(graph, { ...plan, actors }).problem).toMatch(/ cannot fold$/);
  });
});
