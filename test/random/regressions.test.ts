/** Small graphs that once got a wrong plan, a wrong refusal or a wrong result, under every policy and way of planning. */
import { expect, it } from 'vitest';
import { fitGraph } from '../../src/fit/fit.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Graph, Tensor, TypedArray } from '../../src/graph/graph.ts';
import { checkPlan } from '../../src/plan/check.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { compressSchedule, expandSchedule } from '../../src/plan/schedule.ts';
import { runReference } from '../../src/run/reference.ts';
import { uniformValues } from '../../src/zoo/seed.ts';
import { randomInputs } from './random-graph.ts';
import { fitPlans, rawPlans, verifyPlan } from './random-plans.ts';

const F32 = { dtype: 'f32' } as const;
const PLAIN = { stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], groups: 1 };

/** Builds with the given inputs; what `make` gives back are the outputs. */
function graphOf(shapes: readonly number[][], make: (b: GraphBuilder, inputs: Tensor[]) => Tensor[]): Graph {
  const b = new GraphBuilder('regression', 'onnx');
  const inputs = shapes.map((shape, i) => b.input({ name: `in${i}`, shape, dtype: 'f32' }, F32));
  make(b, inputs).forEach((t, i) => {
    b.output(t, { name: `out${i}`, shape: t.shape, dtype: 'f32' });
  });
  return b.build();
}

function weights(b: GraphBuilder, shape: readonly number[]): Tensor {
  return b.constant(
    `w${shape}`,
    shape,
    uniformValues(
      77,
      shape.reduce((n, d) => n * d, 1),
      1,
    ),
  );
}

function slice(b: GraphBuilder, x: Tensor, axis: number, start: number, size: number): Tensor {
  const place = (on: number, off: (i: number) => number) => x.shape.map((_, i) => (i === axis ? on : off(i)));
  return b.op('Slice', [x], {
    starts: place(start, () => 0),
    steps: x.shape.map(() => 1),
    sizes: place(size, (i) => x.shape[i]),
  });
}

/** All policies, all ways of planning, several random cuts. */
function everyPlanIsRight(graph: Graph): void {
  const inputs = randomInputs(graph, 1);
  const expected: TypedArray[] = runReference(graph, inputs).map((o) => o.values);
  const totals = { arenaBytes: 0, touchedBytes: 0, plans: 0 };
  for (const input of ['reuse', 'keep', 'external', 'streamed'] as const) {
    for (const output of ['whole', 'streamed'] as const) {
      for (let seed = 0; seed < 2; seed++) {
        const subject = { seed, graph, inputs, expected, policy: { input, output } };
        const plans = [...rawPlans(subject), ...(seed === 0 ? fitPlans(subject) : [])];
        for (const plan of plans) verifyPlan(subject, plan, totals);
      }
    }
  }
  expect(totals.plans).toBeGreaterThan(100);
}

it('an input that nothing reads', () => {
  const shape = [1, 4, 4, 2];
  everyPlanIsRight(graphOf([shape, shape], (b, [x]) => [b.op('Tanh', [x])]));
});

it('a dead branch', () => {
  const graph = graphOf([[1, 5, 3, 2]], (b, [x]) => [b.op('Neg', [x]), b.op('Tanh', [b.op('Abs', [x])])]);
  everyPlanIsRight({ ...graph, outputs: graph.outputs.slice(0, 1) });
});

it('a window that skips the last rows leaves them uncomputed', () => {
  const graph = graphOf([[1, 6, 3, 2]], (b, [x]) => {
    const y = b.op('Conv', [x, weights(b, [2, 1, 1, 2])], PLAIN);
    const pool = { kernel: [1, 1], stride: [3, 1], dilation: [1, 1], pads: [0, 0, 0, 0], ceil: false };
    const small = b.op('MaxPool', [y], pool);
    return [b.op('Tile', [b.op('Tanh', [small])], { repeats: [1, 4, 1, 2] })];
  });
  everyPlanIsRight(graph);
});

it('an input that is an output and arrives late', () => {
  const graph = graphOf(
    [
      [1, 3, 3, 2],
      [1, 3, 3, 2],
    ],
    (b, [x, y]) => [y, b.op('Neg', [x])],
  );
  everyPlanIsRight(graph);
});

it('in place over an input of another shape', () => {
  const graph = graphOf([[1, 1, 6, 4]], (b, [x]) => {
    const y = b.op('Neg', [x]);
    const epilogue = [{ kind: 'LeakyRelu', attrs: { alpha: 0.25 }, from: F32, to: F32 }];
    return [b.op('Tanh', [b.op('Reshape', [y], { shape: [1, 1, 12, 2] }, { epilogue })])];
  });
  everyPlanIsRight(graph);
});

it('a part of a concat that nobody reads is written after the part that is read', () => {
  const graph = graphOf([[1, 4, 1, 4]], (b, [x]) => {
    const mean = b.op('ReduceMean', [x], { axes: [1, 2], keepDims: true });
    const joined = b.op('Concat', [b.op('Add', [x, mean]), b.op('Neg', [x]), x], { axis: 3 });
    const part = slice(b, joined, 3, 6, 6);
    const pool = {
      kernel: [2, 1],
      stride: [1, 1],
      dilation: [1, 1],
      pads: [1, 0, 0, 0],
      ceil: false,
      countPad: false,
    };
    return [b.op('Concat', [b.op('AveragePool', [part], pool), part], { axis: 2 })];
  });
  everyPlanIsRight(graph);
});

it('a pad that hides all of its input', () => {
  const graph = graphOf([[1, 1, 5, 2]], (b, [x]) => {
    const y = b.op('Neg', [x]);
    const padded = b.op('Pad', [y], {
      before: [0, 2, 2, 0],
      after: [0, 0, 0, 0],
      mode: 'constant',
      value: 0,
    });
    return [
      b.op('Conv', [padded, weights(b, [3, 2, 2, 2])], { ...PLAIN, stride: [2, 1] }),
      b.op('Tanh', [x]),
    ];
  });
  everyPlanIsRight(graph);
});

it('both operands lie in one root: none is written over', () => {
  const graph = graphOf([[1, 5, 3, 1]], (b, [x]) => {
    const one = b.op('Neg', [x]);
    const both = b.op('Concat', [b.op('Softmax', [one], { axis: 1, beta: 1 }), one], { axis: 3 });
    return [b.op('Tanh', [b.op('Sub', [both, one])])];
  });
  everyPlanIsRight(graph);
});

it('computed weights that lie strided in another tensor', () => {
  const graph = graphOf(
    [
      [1, 6, 5, 2],
      [1, 3, 2, 4],
    ],
    (b, [x, source]) => {
      const w = slice(b, b.op('Neg', [source]), 3, 1, 2);
      return [b.op('Conv', [b.op('Tanh', [x]), w], PLAIN)];
    },
  );
  everyPlanIsRight(graph);
});

it('weights whose reshaped form is part of a concat', () => {
  const graph = graphOf([[1, 8, 4, 3]], (b, [x]) => {
    const w = b.op('Neg', [slice(b, slice(b, x, 1, 0, 3), 2, 0, 2)]);
    const row = b.op('Reshape', [w], { shape: [1, 1, 6, 3] });
    const joined = b.op('Concat', [row, b.op('Tanh', [slice(b, row, 3, 0, 2)])], { axis: 3 });
    return [b.op('Conv', [x, w], PLAIN), joined];
  });
  everyPlanIsRight(graph);
});

it('a transpose of what lies reshaped in a concat', () => {
  const graph = graphOf([[1, 4, 4, 3]], (b, [x]) => {
    const y = b.op('Neg', [x]);
    const row = b.op('Reshape', [y], { shape: [1, 1, 16, 3] });
    const joined = b.op('Concat', [row, b.op('Tanh', [row])], { axis: 3 });
    return [b.op('Transpose', [y], { perm: [0, 2, 3, 1] }), joined];
  });
  everyPlanIsRight(graph);
});

it('the checker refuses a bank that is not described, and a ring that takes a pixel apart', () => {
  const graph = graphOf([[1, 8, 4, 3]], (b, [x]) => [
    b.op('Conv', [b.op('Conv', [x, weights(b, [3, 3, 1, 3])], PLAIN), weights(b, [2, 3, 1, 3])], PLAIN),
  ]);
  const { plan } = fitGraph(graph, { policy: { input: 'streamed', output: 'streamed' } });
  const ringed = plan.buffers.findIndex((b) => b.ring !== undefined);
  expect(ringed).toBeGreaterThanOrEqual(0);
  const damaged = (change: Partial<Plan['buffers'][number]>): Plan => ({
    ...plan,
    arenaBytes: plan.arenaBytes + 64,
    buffers: plan.buffers.map((b, i) =>
      i === ringed ? { ...b, offset: plan.arenaBytes, bytes: 64, ...change } : b,
    ),
  });
  expect(checkPlan(graph, plan).ok).toBe(true);
  expect(checkPlan(graph, damaged({ bank: 'other' })).problem).toMatch(/bank other/);
  const { ring, bytes } = plan.buffers[ringed];
  const apart = { ...plan, arenaBytes: plan.arenaBytes + bytes + 16 };
  const buffers = plan.buffers.map((b, i) =>
    i === ringed ? { ...b, offset: plan.arenaBytes, bytes: bytes + 16, ring: ring! + 1 } : b,
  );
  expect(checkPlan(graph, { ...apart, buffers }).problem).toMatch(/take apart pixel/);
});

it('the checker refuses a plan in which an output never comes to be', () => {
  const shape = [1, 3, 3, 2];
  const graph = graphOf([shape, shape], (b, [x, y]) => [y, b.op('Neg', [x])]);
  const { plan } = fitGraph(graph, { policy: { input: 'streamed', output: 'whole' }, method: 'layerwise' });
  const never = plan.actors.findIndex((a) => a.kind === 'source' && a.index === 1);
  const sequence = expandSchedule(plan.schedule).filter((a) => a !== never);
  const buffers = plan.buffers.filter((b) => b.tensor !== graph.inputs[1].tensor);
  const arenaBytes = Math.max(...buffers.map((b) => b.offset + b.bytes));
  const without = { ...plan, schedule: compressSchedule(sequence), buffers, arenaBytes };
  expect(checkPlan(graph, plan).ok).toBe(true);
  expect(checkPlan(graph, without).problem).toMatch(/has no buffer/);
});

it('the checker refuses memory that nothing lies in', () => {
  const graph = graphOf([[1, 3, 3, 2]], (b, [x]) => [b.op('Neg', [x])]);
  const { plan } = fitGraph(graph, { policy: { input: 'reuse', output: 'whole' } });
  const padded = { ...plan, arenaBytes: 2 ** 31 - 1 };
  expect(checkPlan(graph, padded).problem).toMatch(
    /the arena of 2147483647 bytes is larger than its buffers/,
  );
});
