import { expect, test } from 'vitest';
import { difference, subjectOf } from '../../test/random/random-plans.ts';
import { elementCount, type Graph } from '../graph/graph.ts';
import { normalise } from '../model/normalise/normalise.ts';
import { csdfOf } from '../passes/3-schedule/csdf/from-graph.ts';
import { sizesOf } from '../passes/3-schedule/csdf/sizes.ts';
import { checkPlan } from '../plan/check.ts';
import { executePlan } from '../run/execute.ts';
import { fromGraphLayout, runReference, toGraphLayout } from '../run/reference.ts';
import { zooGraph } from '../zoo/zoo.ts';
import { csdfPlan } from './csdf-plan.ts';

/** The self-timed schedule under a choice of layers that work by parts. */
function scheduled(graph: Graph, byParts?: readonly boolean[]) {
  const csdf = csdfOf(graph, { padding: 'exact', byParts });
  const { trace } = sizesOf(csdf, { preference: 'downstream' });
  return { csdf, sequence: trace.sequence };
}

const STREAMED = { input: 'streamed', output: 'streamed' } as const;

test('random graphs, layers by parts or whole at random: proven, and bit-equal to the reference', () => {
  let plans = 0;
  for (let seed = 0; seed < 60; seed++) {
    const { graph, inputs, expected, policy } = subjectOf(seed);
    for (const every of [1, 2, 3]) {
      const byParts = graph.operators.map((_, i) => (i + seed) % every === 0);
      const schedule = scheduled(graph, byParts);
      for (const addresses of ['apart', 'shared'] as const) {
        const { plan } = csdfPlan(graph, { policy: every === 3 ? STREAMED : policy, ...schedule, addresses });
        expect(checkPlan(graph, plan).problem, `seed ${seed}`).toBeUndefined();
        const run = executePlan(graph, plan, inputs, { paint: 0x5a });
        expect(difference(run.outputs, expected), `seed ${seed}`).toBeUndefined();
        plans++;
      }
    }
  }
  expect(plans).toBe(360);
});

const SMALL = [
  ['ds-cnn', {}],
  ['resnet8', {}],
  ['vgg16', { size: [32, 32], width: 0.1 }],
  ['resnet18', { size: [48, 48], width: 0.1 }],
  ['resnet50', { size: [48, 48], width: 0.1 }],
  ['squeezenet1.1', { size: [64, 64], width: 0.25 }],
  ['densenet121', { size: [32, 32], width: 0.1 }],
  ['mobilenetv2-0.35-144', { size: [48, 48], width: 0.5 }],
  ['googlenet', { size: [64, 64], width: 0.1 }],
  ['unet', { size: [32, 32], width: 0.1 }],
  ['fsrcnn', { size: [12, 12] }],
] as const;

test.each(SMALL)('%s in small runs as the reference does', (name, options) => {
  const graph = normalise(zooGraph(name, options));
  const [port] = graph.inputs;
  const values = Float32Array.from({ length: elementCount(port.shape) }, (_, i) => Math.sin(i * i));
  const expected = runReference(graph, [values]).map((o) => o.values);
  const input = toGraphLayout(port, values);
  const bits = graph.operators.map((_, i) => i % 7 < 4);
  for (const byParts of [undefined, bits]) {
    const schedule = scheduled(graph, byParts);
    const { plan } = csdfPlan(graph, { policy: STREAMED, ...schedule, addresses: 'shared' });
    expect(checkPlan(graph, plan).problem).toBeUndefined();
    const { outputs } = executePlan(graph, plan, [input]);
    const found = outputs.map((o, i) => fromGraphLayout(graph.outputs[i], o));
    expect(difference(found, expected)).toBeUndefined();
  }
});

test.each(['vgg16', 'mobilenetv1-0.25-96', 'ds-cnn', 'dncnn-17'])(
  '%s: on a chain rings are what the model of tokens says',
  (name) => {
    const graph = normalise(zooGraph(name, { dtype: 'int8' }));
    const { plan } = csdfPlan(graph, { policy: STREAMED, ...scheduled(graph), addresses: 'apart' });
    const rings = plan.buffers.filter((b) => b.tensor !== undefined).map((b) => b.bytes);
    const csdf = csdfOf(graph, { padding: 'exact' });
    const sizes = sizesOf(csdf, { preference: 'downstream' });
    expect(rings).toEqual(sizes.edges.map((e) => e.bufferBytes));
  },
);
