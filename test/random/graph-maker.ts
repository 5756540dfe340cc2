/**
 * A random graph while it is made: draws from one seeded sequence, what can be read so far, and what has been read. The order
 * of draws is what a seed means, so that it never changes.
 */
import { TidemarkError } from '../../src/errors.ts';
import { GraphBuilder, type OperatorOptions } from '../../src/graph/builder.ts';
import {
  type Attributes,
  type Epilogue,
  elementCount,
  type Graph,
  type Tensor,
} from '../../src/graph/graph.ts';
import { pick, type Random, seeded } from '../../src/ops/testing/operator-case.ts';
import { uniformValues } from '../../src/zoo/seed.ts';

const F32 = { dtype: 'f32' } as const;
/** Tensors larger than this are not made, so that thousands of graphs run in a minute. */
const MAX_ELEMENTS = 900;

const EPILOGUES: readonly (readonly [string, Attributes])[] = [
  ['Clip', { min: 0, max: null }],
  ['Clip', { min: 0, max: 0.75 }],
  ['Clip', { min: -0.5, max: 0.5 }],
  ['LeakyRelu', { alpha: 0.25 }],
  ['Sigmoid', {}],
  ['Tanh', {}],
  ['HardSwish', {}],
];

/** Functions of one value. */
export const UNARY: readonly (readonly [string, Attributes])[] = [
  ...EPILOGUES,
  ['Neg', {}],
  ['Abs', {}],
  ['Copy', {}],
  ['Elu', { alpha: 1 }],
  ['Floor', {}],
];

export class GraphMaker {
  /** Numbers from 0 to below 1. */
  readonly random: Random;
  readonly #builder: GraphBuilder;
  /** What has batch, height, width and channels. */
  readonly pictures: Tensor[] = [];
  readonly #vectors: Tensor[] = [];
  readonly #read = new Set<number>();
  #constants = 0;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.random = seeded(seed);
    this.#builder = new GraphBuilder(`random-${seed}`, 'onnx');
  }

  /** From `least` to `greatest`, both possible. */
  int(least: number, greatest: number): number {
    return pick(this.random, least, greatest);
  }

  chance(share: number): boolean {
    return this.random() < share;
  }

  any<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)];
  }

  input(shape: readonly number[]): void {
    const name = `in${this.pictures.length}`;
    this.pictures.push(this.#builder.input({ name, shape, dtype: 'f32' }, F32));
  }

  /** What nothing reads becomes an output, and some of the rest. */
  finish(): Graph {
    const all = [...this.pictures, ...this.#vectors];
    const unread = all.filter((t) => !this.#read.has(t.id));
    let outputs = unread.filter(() => this.chance(0.9));
    outputs.push(...all.filter((t) => !outputs.includes(t) && this.chance(0.06)));
    if (outputs.length === 0) outputs = [all[all.length - 1]];
    if (this.chance(0.5)) outputs.reverse();
    outputs.forEach((t, i) => {
      this.#builder.output(t, { name: `out${i}`, shape: t.shape, dtype: 'f32' });
    });
    const graph = this.#builder.build();
    // What an output alone needed stays as a dead branch.
    if (graph.outputs.length < 2 || !this.chance(0.12)) return graph;
    return { ...graph, outputs: graph.outputs.slice(1) };
  }

  /** Mostly the last one that was made. */
  picture(): Tensor {
    const list = this.pictures;
    if (this.chance(0.65)) return list[list.length - 1];
    return this.any(list);
  }

  /** Throws where the parameters do not fit together. */
  add(
    kind: string,
    inputs: readonly (Tensor | undefined)[],
    attrs: Attributes = {},
    options: OperatorOptions = {},
  ): Tensor {
    const epilogue = options.epilogue;
    const out = this.#builder.op(kind, inputs, attrs, { ...options, epilogue });
    if (elementCount(out.shape) === 0) throw new TidemarkError('shape-mismatch', 'empty');
    for (const t of inputs) if (t) this.#read.add(t.id);
    if (out.shape.length === 4 && elementCount(out.shape) <= MAX_ELEMENTS) this.pictures.push(out);
    else if (elementCount(out.shape) <= MAX_ELEMENTS) this.#vectors.push(out);
    return out;
  }

  /** None, one or two functions of one value behind an operator. */
  activation(share = 0.35): OperatorOptions {
    const epilogue: Epilogue[] = [];
    while (epilogue.length < 2 && this.chance(epilogue.length === 0 ? share : 0.15)) {
      const [kind, attrs] = this.any(EPILOGUES);
      epilogue.push({ kind, attrs, from: F32, to: F32 });
    }
    return { epilogue };
  }

  constant(shape: readonly number[], bound: number): Tensor {
    const count = elementCount(shape);
    const values = uniformValues((this.#seed * 131 + ++this.#constants * 7919) | 1, count, bound);
    return this.#builder.constant(`c${this.#constants}`, shape, values);
  }

  indices(values: Int32Array): Tensor {
    return this.#builder.constant(`c${++this.#constants}`, [values.length], values);
  }
}
