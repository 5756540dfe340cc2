/**
 * Small random graphs, seeded: the same seed gives the same graph on every machine. They are meant to be awkward:
 * odd sizes, windows larger than the map, parts that are inputs or outputs, views of views, dead branches.
 */
import { TidemarkError } from '../../src/errors.ts';
import type { OperatorOptions } from '../../src/graph/builder.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import {
  type Attributes,
  type ElementType,
  type Epilogue,
  elementCount,
  type Graph,
  lazyConstant,
  type Tensor,
  type TypedArray,
} from '../../src/graph/graph.ts';
import { pick, type Random, randomValues, seeded } from '../../src/ops/testing/operator-case.ts';
import { quantiseGraph } from '../../src/zoo/quantise.ts';
import { placeholderRanges } from '../../src/zoo/ranges.ts';
import { uniformValues } from '../../src/zoo/seed.ts';

const F32 = { dtype: 'f32' } as const;
/** Tensors larger than this are not made, so that thousands of graphs run in a minute. */
const MAX_ELEMENTS = 900;

export interface RandomGraphOptions {
  /** Operators that are attempted. */
  readonly least?: number;
  readonly greatest?: number;
  /** Operators that seeds of before have not: products, gathers, normalisations. Left out: none, and no 8-bit unsigned. */
  readonly wide?: boolean;
  /** Float whatever the seed. */
  readonly float?: boolean;
}

/** A graph with 1 to 3 inputs and any number of outputs; float, or int8 in either dialect. */
export function randomGraph(seed: number, options: RandomGraphOptions = {}): Graph {
  const float = new Maker(seed, options).graph();
  const form = seed % 5;
  if (form < 2 || options.float) return float;
  const quantised = quantiseGraph(float, placeholderRanges(float));
  if (options.wide && form === 3) return unsigned(quantised);
  return form < 4 ? quantised : { ...quantised, dialect: 'tflite' };
}

/** Operators whose further inputs are weights: where those are constants they stay signed. */
const WEIGHTED = new Set(['Conv', 'ConvTranspose', 'FullyConnected']);

/** The same with unsigned activations: what is stored, and its zero point, is 128 more. */
function unsigned(graph: Graph): Graph {
  const weights = new Set(graph.operators.flatMap((op) => (WEIGHTED.has(op.kind) ? op.inputs.slice(1) : [])));
  const changed = <T extends ElementType>(type: T): T =>
    type.dtype === 'i8' && type.quant
      ? {
          ...type,
          dtype: 'u8',
          quant: { ...type.quant, zeroPoint: type.quant.zeroPoint.map((z) => z + 128) },
        }
      : type;
  const tensors = graph.tensors.map((t) => {
    if (t.constant && weights.has(t.id)) return t;
    const to = changed(t);
    const { constant } = t;
    if (to === t || !constant) return to;
    return { ...to, constant: lazyConstant(() => Uint8Array.from(constant.load(), (v) => v + 128)) };
  });
  const operators = graph.operators.map((op) => ({
    ...op,
    ...(op.epilogue
      ? { epilogue: op.epilogue.map((e) => ({ ...e, from: changed(e.from), to: changed(e.to) })) }
      : {}),
  }));
  const ports = (list: Graph['inputs']) => list.map((p) => ({ ...p, dtype: tensors[p.tensor].dtype }));
  return { ...graph, tensors, operators, inputs: ports(graph.inputs), outputs: ports(graph.outputs) };
}

/** Values for every input of a graph. */
export function randomInputs(graph: Graph, seed: number): TypedArray[] {
  const random = seeded(seed ^ 0x5bd1e995);
  return graph.inputs.map((p) => {
    const t = graph.tensors[p.tensor];
    return randomValues(random, t, elementCount(t.shape));
  });
}

const EPILOGUES: readonly (readonly [string, Attributes])[] = [
  ['Clip', { min: 0, max: null }],
  ['Clip', { min: 0, max: 0.75 }],
  ['Clip', { min: -0.5, max: 0.5 }],
  ['LeakyRelu', { alpha: 0.25 }],
  ['Sigmoid', {}],
  ['Tanh', {}],
  ['HardSwish', {}],
];

const UNARY: readonly (readonly [string, Attributes])[] = [
  ...EPILOGUES,
  ['Neg', {}],
  ['Abs', {}],
  ['Copy', {}],
  ['Elu', { alpha: 1 }],
  ['Floor', {}],
];

class Maker {
  readonly #random: Random;
  readonly #builder: GraphBuilder;
  readonly #pictures: Tensor[] = [];
  readonly #vectors: Tensor[] = [];
  readonly #read = new Set<number>();
  readonly #operators: number;
  #constants = 0;
  readonly #seed: number;
  readonly #wide: boolean;

  constructor(seed: number, options: RandomGraphOptions) {
    this.#seed = seed;
    this.#wide = options.wide === true;
    this.#random = seeded(seed);
    this.#builder = new GraphBuilder(`random-${seed}`, 'onnx');
    this.#operators = pick(this.#random, options.least ?? 2, options.greatest ?? 11);
  }

  #int(least: number, greatest: number): number {
    return pick(this.#random, least, greatest);
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #any<T>(list: readonly T[]): T {
    return list[this.#int(0, list.length - 1)];
  }

  graph(): Graph {
    const batch = this.#chance(0.15) ? 2 : 1;
    const shape = [batch, this.#int(1, 11), this.#int(1, 9), this.#int(1, 6)];
    this.#input(shape);
    if (this.#chance(0.25))
      this.#input(this.#chance(0.6) ? shape : [batch, shape[1], shape[2], this.#int(1, 4)]);
    if (this.#chance(0.08)) this.#input([batch, 1, 1, shape[3]]);
    for (let made = 0, tries = 0; made < this.#operators && tries < 60; tries++) {
      try {
        made += this.#step();
      } catch (error) {
        // The parameters did not fit together; others will.
        if (!(error instanceof TidemarkError) || error.code === 'internal') throw error;
      }
    }
    return this.#finish();
  }

  #input(shape: readonly number[]): void {
    const name = `in${this.#pictures.length}`;
    this.#pictures.push(this.#builder.input({ name, shape, dtype: 'f32' }, F32));
  }

  #finish(): Graph {
    const all = [...this.#pictures, ...this.#vectors];
    const unread = all.filter((t) => !this.#read.has(t.id));
    let outputs = unread.filter(() => this.#chance(0.9));
    outputs.push(...all.filter((t) => !outputs.includes(t) && this.#chance(0.06)));
    if (outputs.length === 0) outputs = [all[all.length - 1]];
    if (this.#chance(0.5)) outputs.reverse();
    outputs.forEach((t, i) => {
      this.#builder.output(t, { name: `out${i}`, shape: t.shape, dtype: 'f32' });
    });
    const graph = this.#builder.build();
    // What an output alone needed stays as a dead branch.
    if (graph.outputs.length < 2 || !this.#chance(0.12)) return graph;
    return { ...graph, outputs: graph.outputs.slice(1) };
  }

  #picture(): Tensor {
    const list = this.#pictures;
    if (this.#chance(0.65)) return list[list.length - 1];
    return this.#any(list);
  }

  #add(
    kind: string,
    inputs: readonly (Tensor | undefined)[],
    attrs: Attributes = {},
    options: OperatorOptions = {},
  ): Tensor {
    const epilogue = options.epilogue;
    const out = this.#builder.op(kind, inputs, attrs, { ...options, epilogue });
    if (elementCount(out.shape) === 0) throw new TidemarkError('shape-mismatch', 'empty');
    for (const t of inputs) if (t) this.#read.add(t.id);
    if (out.shape.length === 4 && elementCount(out.shape) <= MAX_ELEMENTS) this.#pictures.push(out);
    else if (elementCount(out.shape) <= MAX_ELEMENTS) this.#vectors.push(out);
    return out;
  }

  #activation(share = 0.35): OperatorOptions {
    const epilogue: Epilogue[] = [];
    while (epilogue.length < 2 && this.#chance(epilogue.length === 0 ? share : 0.15)) {
      const [kind, attrs] = this.#any(EPILOGUES);
      epilogue.push({ kind, attrs, from: F32, to: F32 });
    }
    return { epilogue };
  }

  #constant(shape: readonly number[], bound: number): Tensor {
    const count = elementCount(shape);
    const values = uniformValues((this.#seed * 131 + ++this.#constants * 7919) | 1, count, bound);
    return this.#builder.constant(`c${this.#constants}`, shape, values);
  }

  /** Adds one construction; the number of operators it has. */
  #step(): number {
    if (this.#wide && this.#chance(0.15)) return this.#rarer(this.#picture());
    const dice = this.#random();
    const list: readonly (readonly [number, () => number])[] = [
      [0.2, () => this.#conv(this.#picture())],
      [0.02, () => this.#dynamic(this.#picture())],
      [0.1, () => this.#pool(this.#picture())],
      [0.03, () => this.#convTranspose(this.#picture())],
      [0.04, () => this.#resize(this.#picture())],
      [0.14, () => this.#residual()],
      [0.14, () => this.#concat()],
      [0.08, () => this.#slice(this.#picture())],
      [0.04, () => this.#pad(this.#picture())],
      [0.06, () => this.#reshape(this.#picture())],
      [0.02, () => this.#transpose(this.#picture())],
      [0.04, () => this.#shuffles(this.#picture())],
      [0.03, () => this.#mean(this.#picture())],
      [0.03, () => this.#dense(this.#picture())],
      [0.03, () => this.#unary(this.#picture())],
    ];
    let sum = 0;
    for (const [share, make] of list) {
      sum += share;
      if (dice < sum) return make();
    }
    return this.#conv(this.#picture());
  }

  /** What most networks have little of. */
  #rarer(x: Tensor): number {
    const c = x.shape[3];
    const line = (bound: number) => this.#constant([c], bound);
    const epsilon = 0.001;
    const made: readonly (() => Tensor)[] = [
      () =>
        this.#add('MatMul', [x, this.#constant([1, 1, c, this.#int(1, 5)], 0.5)], {
          transposeA: false,
          transposeB: false,
        }),
      () => {
        const axis = this.#int(1, 3);
        const indices = Int32Array.from({ length: this.#int(1, 4) }, () => this.#int(0, x.shape[axis] - 1));
        const list = this.#builder.constant(`c${++this.#constants}`, [indices.length], indices);
        return this.#add('Gather', [x, list], { axis });
      },
      () => this.#add('LayerNormalization', [x, line(1), line(0.5)], { axis: 3, epsilon }),
      () => this.#add('InstanceNormalization', [x, line(1), line(0.5)], { epsilon }),
      () => this.#add('LRN', [x], { size: this.#any([1, 3, 5]), alpha: 0.1, beta: 0.75, bias: 1 }),
      () => this.#add('LpNormalization', [x], { axis: 3, p: this.#any([1, 2]) }),
      () => this.#add('PRelu', [x, this.#constant([1, 1, 1, c], 0.5)]),
      () => this.#add('ReduceSum', [x], { axes: this.#any([[1], [2], [1, 2]]), keepDims: true }),
      () => this.#add('Min', [x, this.#constant([1, 1, 1, c], 0.5)]),
    ];
    this.#any(made)();
    return 1;
  }

  #windowAttributes(same: boolean, kernel: readonly number[]): Attributes {
    if (same) {
      const half = kernel.map((k) => k >> 1);
      return {
        stride: [1, 1],
        dilation: [1, 1],
        pads: [half[0], half[1], kernel[0] - 1 - half[0], kernel[1] - 1 - half[1]],
      };
    }
    const stride = this.#chance(0.5) ? [1, 1] : [this.#int(1, 3), this.#int(1, 3)];
    const dilation = this.#chance(0.85) ? [1, 1] : [this.#int(1, 2), this.#int(1, 3)];
    const pads = this.#chance(0.4)
      ? [0, 0, 0, 0]
      : kernel.flatMap((_, i) =>
          [kernel[0], kernel[1]].map((k) => this.#int(0, Math.min(3, k - 1 + (i % 2)))),
        );
    return { stride, dilation, pads };
  }

  #conv(x: Tensor, same = this.#chance(0.4)): number {
    const c = x.shape[3];
    const kernel = this.#chance(0.25) ? [1, 1] : [this.#int(1, 4), this.#int(1, 4)];
    const divisors = [1, 2, 3, c].filter((g) => c % g === 0);
    const groups = this.#chance(0.6) ? 1 : this.#any(divisors);
    const out = groups * this.#int(1, groups > 2 ? 2 : 4);
    const attrs = { ...this.#windowAttributes(same, kernel), groups };
    const w = this.#constant(
      [out, ...kernel, c / groups],
      1 / Math.sqrt((c / groups) * kernel[0] * kernel[1]),
    );
    const bias = this.#chance(0.7) ? this.#constant([out], 0.5) : undefined;
    this.#add('Conv', [x, w, bias], attrs, this.#activation());
    return 1;
  }

  /** A convolution or a product whose weights are computed too. */
  #dynamic(x: Tensor): number {
    const c = x.shape[3];
    const other = this.#any(this.#pictures);
    if (this.#chance(0.5)) {
      // A slice of channels lies strided unless it is copied.
      if (other.shape[3] < c) throw new TidemarkError('shape-mismatch', 'too few channels');
      const starts = [0, 0, 0, this.#int(0, other.shape[3] - c)];
      const sizes = [1, Math.min(other.shape[1], 3), Math.min(other.shape[2], 2), c];
      const w = this.#add('Slice', [other], { starts, steps: [1, 1, 1, 1], sizes });
      this.#add(
        'Conv',
        [x, w],
        { stride: [1, 1], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 1 },
        this.#activation(),
      );
      return 2;
    }
    if (elementCount(other.shape) % c !== 0) throw new TidemarkError('shape-mismatch', 'does not divide');
    const w = this.#add('Reshape', [other], { shape: [elementCount(other.shape) / c, c] });
    this.#add('FullyConnected', [x, w], { flatten: false }, this.#activation());
    return 2;
  }

  #pool(x: Tensor, same = this.#chance(0.3)): number {
    const kernel = [this.#int(1, 3), this.#int(1, 3)];
    const attrs = { ...this.#windowAttributes(same, kernel), kernel, ceil: !same && this.#chance(0.4) };
    if (this.#chance(0.5)) this.#add('MaxPool', [x], attrs, this.#activation(0.1));
    else this.#add('AveragePool', [x], { ...attrs, countPad: this.#chance(0.3) }, this.#activation(0.1));
    return 1;
  }

  #convTranspose(x: Tensor): number {
    const kernel = [this.#int(1, 3), this.#int(1, 3)];
    const c = x.shape[3];
    const groups = this.#chance(0.7) ? 1 : c;
    const out = groups * this.#int(1, 3);
    const stride = [this.#int(1, 2), this.#int(1, 2)];
    const pads = this.#chance(0.5)
      ? [0, 0, 0, 0]
      : [this.#int(0, 1), this.#int(0, 1), this.#int(0, 1), this.#int(0, 1)];
    const attrs = { stride, dilation: [1, 1], pads, groups, outputPadding: [0, 0] };
    const bias = this.#chance(0.5) ? this.#constant([out], 0.5) : undefined;
    this.#add(
      'ConvTranspose',
      [x, this.#constant([out, ...kernel, c / groups], 0.4), bias],
      attrs,
      this.#activation(),
    );
    return 1;
  }

  #resize(x: Tensor): number {
    const scales = [this.#any([1, 2, 2, 0.5, 1.5]), this.#any([1, 2, 2, 0.5, 1.5])];
    const size = [
      Math.max(1, Math.floor(x.shape[1] * scales[0])),
      Math.max(1, Math.floor(x.shape[2] * scales[1])),
    ];
    const attrs = {
      size,
      scales,
      mode: this.#any(['nearest', 'nearest', 'linear', 'linear', 'cubic']),
      coordinates: this.#any(['half_pixel', 'asymmetric', 'align_corners']),
      nearest: 'floor',
      cubicA: -0.75,
      excludeOutside: false,
      antialias: false,
    };
    this.#add('Resize', [x], attrs);
    return 1;
  }

  #residual(): number {
    const x = this.#picture();
    const kind = this.#any(['Add', 'Add', 'Add', 'Mul', 'Sub', 'Max']);
    const dice = this.#random();
    if (dice < 0.1) {
      this.#add(kind, [x, x], {}, this.#activation(0.2));
      return 1;
    }
    if (dice < 0.3) {
      // Squeeze and excite, or a broadcast of a constant.
      const shape = [1, 1, 1, x.shape[3]];
      if (this.#chance(0.3)) shape[this.#int(1, 2)] = x.shape[this.#int(1, 2)];
      const other = this.#chance(0.6)
        ? this.#add('ReduceMean', [x], { axes: [1, 2], keepDims: true }, this.#activation())
        : this.#constant(shape, 1);
      this.#add(kind, this.#chance(0.8) ? [x, other] : [other, x], {}, this.#activation(0.2));
      return 2;
    }
    const equal = this.#pictures.filter((t) => t !== x && String(t.shape) === String(x.shape));
    if (dice < 0.55 && equal.length > 0) {
      this.#add(kind, [x, this.#any(equal)], {}, this.#activation(0.2));
      return 1;
    }
    if (dice < 0.65) {
      const fits = this.#pictures.filter(
        (t) => t !== x && t.shape.every((d, i) => d === 1 || d === x.shape[i]),
      );
      if (fits.length > 0) {
        this.#add(kind, [x, this.#any(fits)], {}, this.#activation(0.2));
        return 1;
      }
    }
    // A block of one or two same convolutions that keeps the channels.
    let y = x;
    const layers = this.#int(1, 2);
    for (let i = 0; i < layers; i++) {
      const kernel = [this.#int(1, 3), this.#int(1, 3)];
      const groups = this.#chance(0.3) ? x.shape[3] : 1;
      const w = this.#constant([x.shape[3], ...kernel, x.shape[3] / groups], 0.4);
      y = this.#add('Conv', [y, w], { ...this.#windowAttributes(true, kernel), groups }, this.#activation());
    }
    this.#add(kind, this.#chance(0.5) ? [x, y] : [y, x], {}, this.#activation(0.2));
    return layers + 1;
  }

  #concat(): number {
    const x = this.#picture();
    const axis = this.#chance(0.75) ? 3 : this.#int(1, 2);
    const matches = (t: Tensor) => t.shape.every((d, i) => i === axis || d === x.shape[i]);
    let made = 1;
    const parts: Tensor[] = [x];
    if (this.#chance(0.5)) {
      // An inception or dense block: parts made of x.
      const branches = this.#int(1, 2);
      for (let b = 0; b < branches; b++) {
        const before = this.#pictures.length;
        made += this.#chance(0.75) ? this.#conv(x, true) : this.#pool(x, true);
        const y = this.#pictures[this.#pictures.length - 1];
        if (this.#pictures.length > before && matches(y)) parts.push(y);
      }
      if (parts.length > 1 && this.#chance(0.5)) parts.shift();
    }
    const others = this.#pictures.filter((t) => !parts.includes(t) && matches(t));
    while (others.length > 0 && parts.length < 4 && this.#chance(0.45)) {
      parts.push(...others.splice(this.#int(0, others.length - 1), 1));
    }
    if (this.#chance(0.1)) parts.push(this.#any(parts));
    if (this.#chance(0.06))
      parts.push(
        this.#constant(
          x.shape.map((d, i) => (i === axis ? 1 : d)),
          1,
        ),
      );
    if (this.#chance(0.3)) parts.reverse();
    if (parts.length < 2 && this.#chance(0.9))
      throw new TidemarkError('shape-mismatch', 'nothing to concatenate');
    this.#add('Concat', parts, { axis }, this.#activation(0.05));
    return made;
  }

  #slice(x: Tensor): number {
    const rank = x.shape.length;
    const axis = this.#chance(0.5) ? 3 : this.#chance(0.7) ? 1 : this.#int(0, rank - 1);
    const d = x.shape[axis];
    if (this.#chance(0.3) && d > 1) {
      // Split: both halves stay in the pool.
      const at = this.#int(1, d - 1);
      for (const [start, size] of [
        [0, at],
        [at, d - at],
      ]) {
        const starts = x.shape.map((_, i) => (i === axis ? start : 0));
        this.#add('Slice', [x], {
          starts,
          steps: x.shape.map(() => 1),
          sizes: x.shape.map((s, i) => (i === axis ? size : s)),
        });
      }
      return 2;
    }
    const step = this.#chance(0.75) ? 1 : this.#any([2, -1]);
    const start = step > 0 ? this.#int(0, d - 1) : d - 1;
    const most = step > 0 ? Math.ceil((d - start) / step) : d;
    const size = this.#int(1, most);
    const place = (on: number, off: (i: number) => number) =>
      x.shape.map((_, i) => (i === axis ? on : off(i)));
    this.#add('Slice', [x], {
      starts: place(start, () => 0),
      steps: place(step, () => 1),
      sizes: place(size, (i) => x.shape[i]),
    });
    return 1;
  }

  #pad(x: Tensor): number {
    const mode = this.#any(['constant', 'constant', 'edge', 'reflect', 'symmetric']);
    const amount = (d: number) =>
      this.#chance(0.4) ? 0 : this.#int(0, mode === 'constant' ? 2 : Math.min(2, d - 1));
    const channels = this.#chance(0.25);
    const side = () => x.shape.map((d, i) => (i === 0 || (i === 3 && !channels) ? 0 : amount(d)));
    this.#add('Pad', [x], { before: side(), after: side(), mode, value: this.#any([0, 0, 0.5]) });
    return 1;
  }

  #reshape(x: Tensor): number {
    const [n, h, w, c] = x.shape;
    const shapes = [
      [n, h * w, 1, c],
      [n, 1, h * w, c],
      [n, w, h, c],
      [1, n * h, w, c],
      [n, h, w * c, 1],
      [n, h, 1, w * c],
    ];
    if (h % 2 === 0) shapes.push([n, h / 2, w * 2, c], [n, h / 2, w, 2 * c]);
    if (c % 2 === 0) shapes.push([n, h, w * 2, c / 2]);
    this.#add('Reshape', [x], { shape: this.#any(shapes) }, this.#activation(0.08));
    return 1;
  }

  #transpose(x: Tensor): number {
    this.#add('Transpose', [x], {
      perm: this.#any([
        [0, 2, 1, 3],
        [0, 3, 1, 2],
        [0, 2, 3, 1],
        [0, 1, 3, 2],
      ]),
    });
    return 1;
  }

  #shuffles(x: Tensor): number {
    const c = x.shape[3];
    const kind = this.#any(['ChannelShuffle', 'DepthToSpace', 'SpaceToDepth', 'Tile']);
    if (kind === 'ChannelShuffle') {
      const groups = [2, 3, c].filter((g) => c % g === 0);
      this.#add(kind, [x], { groups: this.#any(groups) });
    } else if (kind === 'Tile')
      this.#add(kind, [x], { repeats: [1, this.#int(1, 2), this.#int(1, 2), this.#int(1, 2)] });
    else this.#add(kind, [x], { block: 2, order: this.#any(['DCR', 'CRD']) });
    return 1;
  }

  #mean(x: Tensor): number {
    const axes = this.#any([[1, 2], [1, 2], [1, 2], [1], [2], [0, 1, 2]]);
    const kind = this.#any(['ReduceMean', 'ReduceMean', 'ReduceMax']);
    this.#add(
      kind,
      [x],
      { axes, keepDims: this.#chance(0.7) },
      kind === 'ReduceMean' ? this.#activation(0.2) : {},
    );
    return 1;
  }

  #dense(x: Tensor): number {
    const flatten = this.#chance(0.6);
    const out = this.#int(1, 5);
    const k = flatten ? elementCount(x.shape) / x.shape[0] : x.shape[3];
    const bias = this.#chance(0.6) ? this.#constant([out], 0.5) : undefined;
    const y = this.#add(
      'FullyConnected',
      [x, this.#constant([out, k], 1 / Math.sqrt(k)), bias],
      { flatten },
      this.#activation(),
    );
    if (this.#chance(0.4)) this.#add('Softmax', [y], { axis: y.shape.length - 1, beta: 1 });
    return 1;
  }

  #unary(x: Tensor): number {
    if (this.#chance(0.15)) this.#add('Softmax', [x], { axis: this.#int(1, 3), beta: 1 });
    else {
      const [kind, attrs] = this.#any(UNARY);
      this.#add(kind, [x], attrs, this.#activation(0.1));
    }
    return 1;
  }
}
