/** The published figures of method 4: exact on the authors' own network files, and on the same nets as graphs. */
import { describe, expect, it, test } from 'vitest';
import { GraphBuilder } from '../../../graph/builder.ts';
import type { Graph, Tensor } from '../../../graph/graph.ts';
import { normalise } from '../../../model/normalise/normalise.ts';
import { zooGraph } from '../../../zoo/zoo.ts';
import { csdfOf } from './from-graph.ts';
import { inconsistency } from './model.ts';
import { sizesOf } from './sizes.ts';
import { publishedNetworks } from './testing/published-networks.ts';

const AUTHORS = { preference: 'round' } as const;

describe("the authors' files", () => {
  test.each([
    ['vgg16', 635_392, 15_086_080, 602_112],
    ['tinyYoloV2', 208_000, 8_263_424, undefined],
    ['squeezenet', 408_720, 4_552_336, 407_720],
    ['resnet18', 642_048, 4_365_824, undefined],
    ['resnet50', 2_941_312, 21_957_888, 2_648_960],
    ['densenet121', 2_402_688, 26_573_056, undefined],
  ] as const)('%s', (name, buffers, whole, reuse) => {
    const graph = publishedNetworks[name]().graph(name);
    expect(inconsistency(graph)).toBeUndefined();
    const sizes = sizesOf(graph, AUTHORS);
    expect([sizes.bufferBytes, sizes.naiveBytes]).toEqual([buffers, whole]);
    if (reuse) expect(sizes.reuseBytes).toBe(reuse);
  });

  it('Tiny-YOLOv2, edge by edge', () => {
    const sizes = sizesOf(publishedNetworks.tinyYoloV2().graph('tinyyolov2'), AUTHORS);
    const bytes = sizes.edges.map((e) => e.bufferBytes);
    expect(bytes.slice(0, 6)).toEqual([1248, 3744, 13312, 9984, 13312, 9984]);
  });

  it('VGG16 with buffers that take turns and every layer whole', () => {
    const vgg16 = publishedNetworks.vgg16();
    const whole = vgg16.graph(
      'vgg16',
      vgg16.layers.map(() => false),
    );
    expect(sizesOf(whole, AUTHORS).reuseBytes).toBe(6_422_528);
  });
});

/** Convolution layers on a graph of bytes. */
class Bytes {
  readonly b = new GraphBuilder('net', 'onnx');

  input(size: number, channels: number): Tensor {
    const port = { name: 'input', shape: [1, size, size, channels], dtype: 'i8' };
    return this.b.input(port, { dtype: 'i8', quant: { scale: [0.1], zeroPoint: [0], axis: 0 } });
  }

  conv(x: Tensor, channels: number, k: number, pad: number): Tensor {
    const shape = [channels, k, k, x.shape[3]];
    const quant = { scale: [0.1], zeroPoint: [0], axis: 0 };
    const values = new Int8Array(shape.reduce((n, d) => n * d, 1));
    const w = this.b.constant('w', shape, values, { dtype: 'i8', quant });
    const attrs = { stride: [1, 1], dilation: [1, 1], pads: [pad, pad, pad, pad], groups: 1 };
    const size = x.shape[1] + 2 * pad - k + 1;
    const given = [{ shape: [1, size, size, channels], dtype: 'i8', quant } as const];
    return this.b.op('Conv', [x, w], attrs, { given });
  }

  finish(y: Tensor): Graph {
    this.b.output(y, { name: 'output', dtype: 'i8', shape: y.shape });
    return this.b.build();
  }
}

const ignored = (graph: Graph) => sizesOf(csdfOf(graph, { padding: 'ignore' }), AUTHORS);
const bytesOf = (graph: Graph) => ignored(graph).edges.map((e) => e.bufferBytes);

test('net A: two same convolutions, concatenated', () => {
  const n = new Bytes();
  const first = n.conv(n.input(32, 3), 8, 5, 2);
  const second = n.conv(first, 8, 5, 2);
  const graph = n.finish(n.b.op('Concat', [first, second], { axis: 3 }));
  const sizes = ignored(graph);
  expect(sizes.edges.map((e) => e.bufferBytes)).toEqual([480, 1280, 1280, 256, 512]);
  expect([sizes.bufferBytes, sizes.naiveBytes]).toEqual([3_808, 44_032]);
});

test('net B: a valid convolution and a dense layer', () => {
  const n = new Bytes();
  const x = n.conv(n.input(32, 3), 8, 5, 0);
  const quant = { scale: [0.1], zeroPoint: [0], axis: 0 };
  const w = n.b.constant('w', [10, 6272], new Int8Array(62720), { dtype: 'i8', quant });
  const given = [{ shape: [1, 10], dtype: 'i8', quant } as const];
  expect(bytesOf(n.finish(n.b.op('FullyConnected', [x, w], { flatten: true }, { given })))).toEqual([
    480, 6272, 10,
  ]);
});

test('VGG16 of the zoo, edge by edge', () => {
  const sizes = sizesOf(csdfOf(normalise(zooGraph('vgg16', { dtype: 'int8' })), { padding: 'ignore' }), {
    ...AUTHORS,
    inner: true,
  });
  const five = [43008, 28672, 21504];
  expect(sizes.edges.map((e) => e.bufferBytes)).toEqual([
    ...five,
    ...five,
    ...[43008, 43008, 28672, 21504],
    ...[43008, 43008, 28672, 21504],
    ...[21504, 21504, 100352, 25088, 4096, 4096],
  ]);
  expect([sizes.bufferBytes, sizes.naiveBytes, sizes.reuseBytes]).toEqual([635_392, 15_086_080, 602_112]);
});
