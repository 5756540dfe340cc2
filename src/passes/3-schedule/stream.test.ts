import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph, Tensor } from '../../graph/graph.ts';
import { zooGraph } from '../../zoo/zoo.ts';
import { networkOf } from './steps.ts';
import { scheduleSpan } from './stream.ts';

const RAM = { input: 'reuse', output: 'whole' } as const;

function chain(
  size: number,
  layers: readonly { readonly channels: number; readonly kernel: number; readonly stride: number }[],
): Graph {
  const b = new GraphBuilder('chain', 'onnx');
  let x: Tensor = b.input({ name: 'x', shape: [1, size, size, 4], dtype: 'i8' }, { dtype: 'f32' });
  layers.forEach(({ channels, kernel, stride }, i) => {
    const inputs = x.shape[3];
    const w = b.constant(
      `w${i}`,
      [channels, kernel, kernel, inputs],
      new Float32Array(channels * kernel * kernel * inputs),
    );
    const p = (kernel - 1) >> 1;
    x = b.op('Conv', [x, w], { stride: [stride, stride], dilation: [1, 1], pads: [p, p, p, p], groups: 1 });
  });
  b.output(x, { name: 'y', shape: x.shape, dtype: 'f32' });
  return b.build();
}

const LAYERS = [
  { channels: 8, kernel: 3, stride: 1 },
  { channels: 16, kernel: 5, stride: 1 },
  { channels: 8, kernel: 3, stride: 2 },
];

describe('rings of a streamed chain', () => {
  const network = networkOf(chain(32, LAYERS), RAM);

  test('by rows: k rows each', () => {
    const span = scheduleSpan(network, { first: 1, last: 3, mode: 'rows' })!;
    expect([...span.rings.values()]).toEqual([5 * 32 * 8, 3 * 32 * 16]);
  });

  test('by pixels: k - 1 rows and k pixels', () => {
    const span = scheduleSpan(network, { first: 1, last: 3, mode: 'pixels' })!;
    expect([...span.rings.values()]).toEqual([(4 * 32 + 5) * 8, (2 * 32 + 3) * 16]);
  });

  test('both orders are the same on a chain', () => {
    for (const mode of ['rows', 'pixels'] as const) {
      const demand = scheduleSpan(network, { first: 1, last: 3, mode }, { record: true })!;
      const eager = scheduleSpan(network, { first: 1, last: 3, mode }, { record: true, firing: 'eager' })!;
      expect(demand.peakBytes).toBe(eager.peakBytes);
    }
  });

  test('a limit below the need ends the simulation without an answer', () => {
    const { peakBytes } = scheduleSpan(network, { first: 1, last: 3, mode: 'rows' })!;
    expect(
      scheduleSpan(network, { first: 1, last: 3, mode: 'rows' }, { limitBytes: peakBytes }),
    ).toBeDefined();
    expect(
      scheduleSpan(network, { first: 1, last: 3, mode: 'rows' }, { limitBytes: peakBytes - 1 }),
    ).toBeUndefined();
  });
});

test('line buffers of VGG16 equal the dependence closure of its convolutions and pools (518,112 elements)', () => {
  const graph = zooGraph('vgg16', { dtype: 'int8' });
  const network = networkOf(graph, { input: 'streamed', output: 'whole' });
  const lastPool = network.steps.findIndex((s) => s.name.startsWith('pool18'));
  const span = scheduleSpan(network, { first: 0, last: lastPool, mode: 'rows' })!;
  const closure = [...span.rings.values()].reduce((a, b) => a + b, 0);
  expect(closure).toBe(518_112);
});
