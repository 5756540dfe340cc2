/**
 * Random chains of layers and of operators that move data, compared with ONNX Runtime: whatever the file does to
 * the order of axes, the values come out the same.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { readOnnx } from '../../src/model/onnx/read.ts';
import type { TensorInit } from '../../src/model/onnx/schema.ts';
import { runReference } from '../../src/run/reference.ts';
import { wholeNumbers } from '../../src/seeded.ts';
import { floats, int64s, seeded, type TinyNode, tinyModel } from './tiny-model.ts';

/** Numbers that depend on the seed alone. */
function generator(seed: number): (below: number) => number {
  const next = wholeNumbers((seed * 2654435761) >>> 0);
  return (below) => next() % below;
}

interface Chain {
  readonly nodes: TinyNode[];
  readonly weights: TensorInit[];
  /** Values so far and their shapes. */
  readonly values: { name: string; shape: number[] }[];
}

type Random = (below: number) => number;
type Step = (chain: Chain, x: { name: string; shape: number[] }, random: Random) => number[] | undefined;

const name = (chain: Chain) => `v${chain.nodes.length}`;

function add(chain: Chain, op: string, inputs: string[], attrs: TinyNode['attrs'] = {}): void {
  chain.nodes.push({ op, in: inputs, out: [name(chain)], attrs });
}

function weight(chain: Chain, tensor: (name: string) => TensorInit): string {
  const id = `w${chain.weights.length}`;
  chain.weights.push(tensor(id));
  return id;
}

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

const steps: Step[] = [
  // Conv
  (chain, { name: x, shape }, random) => {
    if (shape.length !== 4) return undefined;
    const [n, c, h, w] = shape;
    const out = 1 + random(6);
    const k = 1 + random(Math.min(3, h, w));
    add(chain, 'Conv', [
      x,
      weight(chain, (id) => floats(id, [out, c, k, k], seeded(out * c * k * k, random(99) + 1))),
    ]);
    return [n, out, h - k + 1, w - k + 1];
  },
  // MaxPool
  (chain, { name: x, shape }) => {
    if (shape.length !== 4 || shape[2] < 2 || shape[3] < 2) return undefined;
    add(chain, 'MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
    return [shape[0], shape[1], Math.floor(shape[2] / 2), Math.floor(shape[3] / 2)];
  },
  // Transpose
  (chain, { name: x, shape }, random) => {
    const perm = [...shape.keys()];
    for (let i = perm.length - 1; i > 0; i--) {
      const j = random(i + 1);
      [perm[i], perm[j]] = [perm[j], perm[i]];
    }
    add(chain, 'Transpose', [x], { perm });
    return perm.map((axis) => shape[axis]);
  },
  // Reshape
  (chain, { name: x, shape }, random) => {
    const next: number[] = [];
    let rest = count(shape);
    while (rest > 1 && next.length < 4) {
      const divisors = [...Array(rest).keys()].map((d) => d + 1).filter((d) => rest % d === 0);
      const d = divisors[random(divisors.length)];
      next.push(d);
      rest /= d;
    }
    next.push(rest);
    add(chain, 'Reshape', [x, weight(chain, (id) => int64s(id, next))]);
    return next;
  },
  // Softmax, ReduceMean, Concat with itself, Slice: along any axis
  (chain, { name: x, shape }, random) => {
    add(chain, 'Softmax', [x], { axis: random(shape.length) });
    return shape;
  },
  (chain, { name: x, shape }, random) => {
    const axis = random(shape.length);
    const keep = random(2);
    if (shape.length < 2) return undefined;
    add(chain, 'ReduceMean', [x], { axes: [axis], keepdims: keep });
    return keep ? shape.map((d, i) => (i === axis ? 1 : d)) : shape.filter((_, i) => i !== axis);
  },
  (chain, { name: x, shape }, random) => {
    const axis = random(shape.length);
    if (count(shape) > 2000) return undefined;
    add(chain, 'Concat', [x, x], { axis });
    return shape.map((d, i) => (i === axis ? 2 * d : d));
  },
  (chain, { name: x, shape }, random) => {
    const axis = random(shape.length);
    const start = random(shape[axis]);
    const end = start + 1 + random(shape[axis] - start);
    const list = (v: number) => weight(chain, (id) => int64s(id, [v]));
    add(chain, 'Slice', [x, list(start), list(end), list(axis)]);
    return shape.map((d, i) => (i === axis ? end - start : d));
  },
  // Gather of one index drops the axis
  (chain, { name: x, shape }, random) => {
    if (shape.length < 2) return undefined;
    const axis = random(shape.length);
    const index = random(shape[axis]);
    add(chain, 'Gather', [x, weight(chain, (id) => int64s(id, [index], []))], { axis });
    return shape.filter((_, i) => i !== axis);
  },
  // Pad
  (chain, { name: x, shape }, random) => {
    const pads = [...shape, ...shape].map(() => random(2));
    if (count(shape) > 2000) return undefined;
    add(chain, 'Pad', [x, weight(chain, (id) => int64s(id, pads))]);
    return shape.map((d, i) => d + pads[i] + pads[i + shape.length]);
  },
  // Sigmoid, and a sum with a value along one axis
  (chain, { name: x, shape }) => {
    add(chain, 'Sigmoid', [x]);
    return shape;
  },
  (chain, { name: x, shape }, random) => {
    const axis = random(shape.length);
    const dims = shape.slice(axis).map((d, i) => (i === 0 ? d : 1));
    add(chain, 'Mul', [x, weight(chain, (id) => floats(id, dims, seeded(count(dims), random(99) + 1)))]);
    return shape;
  },
  // Sum with an earlier value of the same shape
  (chain, { name: x, shape }, random) => {
    const others = chain.values.filter((v) => `${v.shape}` === `${shape}` && v.name !== x);
    if (others.length === 0) return undefined;
    add(chain, 'Add', [x, others[random(others.length)].name]);
    return shape;
  },
  // Dense layer on the last axis
  (chain, { name: x, shape }, random) => {
    if (shape.length < 2) return undefined;
    const k = shape[shape.length - 1];
    const n = 1 + random(5);
    add(chain, 'MatMul', [x, weight(chain, (id) => floats(id, [k, n], seeded(k * n, random(99) + 1)))]);
    return [...shape.slice(0, -1), n];
  },
];

function randomChain(seed: number): { chain: Chain; input: number[] } {
  const random = generator(seed);
  const input =
    random(4) === 0
      ? [1 + random(2), 1 + random(6), 2 + random(7)]
      : [1 + random(2), 1 + random(6), 2 + random(5), 2 + random(5)];
  const chain: Chain = { nodes: [], weights: [], values: [{ name: 'x', shape: input }] };
  const length = 3 + random(7);
  while (chain.nodes.length < length) {
    const at = random(4) === 0 ? random(chain.values.length) : chain.values.length - 1;
    const before = chain.nodes.length;
    const shape = steps[random(steps.length)](chain, chain.values[at], random);
    if (shape) chain.values.push({ name: `v${before}`, shape });
  }
  return { chain, input };
}

const MODELS = 300;

describe('random models', () => {
  it(`${MODELS} of them equal ONNX Runtime`, async () => {
    for (let seed = 1; seed <= MODELS; seed++) {
      const { chain, input } = randomChain(seed);
      const last = chain.values[chain.values.length - 1];
      const bytes = tinyModel({
        inputs: { x: input },
        outputs: [last.name],
        nodes: chain.nodes,
        weights: chain.weights,
      });
      const x = Float32Array.from(seeded(count(input), seed));
      // Without its optimiser, which moves a Pad of zeros into a MaxPool that pads with the least number.
      const session = await InferenceSession.create(bytes, {
        graphOptimizationLevel: 'disabled',
        logSeverityLevel: 3,
        intraOpNumThreads: 1,
      });
      const expected = (await session.run({ x: new Tensor('float32', x, input) }))[last.name];
      const [got] = runReference(readOnnx(bytes, { name: 'random', file: `seed ${seed}` }), [x]);
      const what = `seed ${seed}: ${chain.nodes.map((n) => n.op).join(' ')}`;
      expect([...got.shape], what).toEqual([...expected.dims]);
      const values = expected.data as Float32Array;
      for (let i = 0; i < values.length; i++) {
        const error = Math.abs(got.values[i] - values[i]);
        if (!(error <= 1e-5 + 1e-4 * Math.abs(values[i]))) {
          expect(got.values[i], `${what}, element ${i}`).toBeCloseTo(values[i], 4);
        }
      }
    }
  }, 120_000);
});
