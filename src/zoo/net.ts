/**
 * Writes a network down layer by layer. Layers are named by kind and number, as in the published tables
 * (conv1, pool2, ...); batch normalisation is taken as folded into the convolutions, and activations stand as
 * epilogues, so that a graph made here is what importing its ONNX file gives. Weights are He-uniform, seeded by
 * the network's and the layer's name, and made on first use.
 */
import { GraphBuilder } from '../graph/builder.ts';
import { type Epilogue, elementCount, type Graph, lazyConstant, type Tensor } from '../graph/graph.ts';
import { seedOf, uniformValues } from './seed.ts';

export interface NetOptions {
  /** Picture height and width; left out: the published one. */
  readonly size?: readonly [number, number];
  /** Factor on the channels of all inner layers; left out: 1. */
  readonly width?: number;
}

export type Activation = 'none' | 'relu' | 'relu6' | 'leaky' | 'tanh' | 'prelu';

/** One number for all sides, `same` (as in TensorFlow: what is odd goes below and right), or half the kernel. */
export type Padding = number | 'same' | 'half';

export interface LayerOptions {
  readonly stride?: number;
  readonly pad?: Padding;
  readonly groups?: number;
  readonly act?: Activation;
  /** Factor on the weights: residual branches end on less, so that sums keep their scale. */
  readonly gain?: number;
  /** Do not scale the output channels with the network's width: the layer's meaning fixes them. */
  readonly exact?: boolean;
}

export interface PoolOptions {
  readonly stride?: number;
  readonly pad?: Padding;
  readonly ceil?: boolean;
}

type Pair = readonly [number, number];

const F32 = { dtype: 'f32' } as const;

const pair = (k: number | Pair): Pair => (typeof k === 'number' ? [k, k] : k);

export class Net {
  readonly #builder: GraphBuilder;
  readonly #name: string;
  readonly #act: Activation;
  readonly #width: number;
  #layers = 1;

  constructor(name: string, act: Activation, options: NetOptions) {
    this.#name = name;
    this.#act = act;
    this.#width = options.width ?? 1;
    this.#builder = new GraphBuilder(name, 'onnx');
  }

  /** The picture: `[1, H, W, C]` here, `[1, C, H, W]` to the outside. */
  input(height: number, width: number, channels: number): Tensor {
    const port = { name: 'input0', shape: [1, channels, height, width], dtype: 'f32', perm: [0, 2, 3, 1] };
    return this.#builder.input(port, F32);
  }

  conv(x: Tensor, channels: number, kernel: number | Pair, options: LayerOptions = {}): Tensor {
    const [kh, kw] = pair(kernel);
    const groups = options.groups ?? 1;
    const cout = options.exact ? channels : this.#scaled(channels, groups);
    return this.#window('Conv', 'conv', x, cout, [kh, kw], { ...options, groups });
  }

  /** Depthwise convolution: one filter a channel. */
  depthwise(x: Tensor, kernel: number, options: LayerOptions = {}): Tensor {
    const groups = x.shape[3];
    return this.#window('Conv', 'dw', x, groups, [kernel, kernel], { ...options, groups });
  }

  deconv(
    x: Tensor,
    channels: number,
    kernel: number,
    options: LayerOptions & { outputPadding?: number } = {},
  ): Tensor {
    const cout = options.exact ? channels : this.#scaled(channels, 1);
    return this.#window('ConvTranspose', 'deconv', x, cout, [kernel, kernel], { ...options, groups: 1 });
  }

  maxPool(x: Tensor, kernel: number, options: PoolOptions = {}): Tensor {
    return this.#builder.op('MaxPool', [x], this.#pool(x, kernel, options), { name: this.#next('pool') });
  }

  averagePool(x: Tensor, kernel: number, options: PoolOptions = {}): Tensor {
    const attrs = { ...this.#pool(x, kernel, options), countPad: true };
    return this.#builder.op('AveragePool', [x], attrs, { name: this.#next('pool') });
  }

  globalAverage(x: Tensor): Tensor {
    return this.#builder.op('ReduceMean', [x], { axes: [1, 2], keepDims: true }, { name: this.#next('gap') });
  }

  dense(x: Tensor, channels: number, options: LayerOptions = {}): Tensor {
    const name = this.#next('fc');
    const k = elementCount(x.shape);
    const n = options.exact ? channels : this.#scaled(channels, 1);
    const act = options.act ?? 'none';
    const weight = this.#weight(`${name}.weight`, [n, k], k, act, options.gain);
    const epilogue = this.#epilogue(name, act, n);
    return this.#builder.op(
      'FullyConnected',
      [x, weight, this.#bias(name, n)],
      { flatten: x.shape.length !== 2 },
      { name, epilogue },
    );
  }

  add(a: Tensor, b: Tensor, act: Activation = 'none'): Tensor {
    const name = this.#next('add');
    return this.#builder.op('Add', [a, b], {}, { name, epilogue: this.#epilogue(name, act, a.shape[3]) });
  }

  concat(parts: readonly Tensor[]): Tensor {
    return this.#builder.op('Concat', parts, { axis: 3 }, { name: this.#next('cat') });
  }

  /** Nearest neighbour, each pixel `factor` times in both directions. */
  upsample(x: Tensor, factor: number): Tensor {
    const size = [x.shape[1] * factor, x.shape[2] * factor];
    const attrs = {
      size,
      scales: [factor, factor],
      mode: 'nearest',
      coordinates: 'asymmetric',
      nearest: 'floor',
      cubicA: -0.75,
      excludeOutside: false,
      antialias: false,
    };
    return this.#builder.op('Resize', [x], attrs, { name: this.#next('up') });
  }

  depthToSpace(x: Tensor, block: number): Tensor {
    return this.#builder.op('DepthToSpace', [x], { block, order: 'DCR' }, { name: this.#next('d2s') });
  }

  /** The finished graph. Pictures leave as `[1, C, H, W]`. */
  finish(...outputs: readonly Tensor[]): Graph {
    for (const t of outputs) {
      const port = { name: t.name, dtype: 'f32' };
      if (t.shape.length !== 4) this.#builder.output(t, { ...port, shape: t.shape });
      else {
        const [n, h, w, c] = t.shape;
        this.#builder.output(t, { ...port, shape: [n, c, h, w], perm: [0, 2, 3, 1] });
      }
    }
    return this.#builder.build();
  }

  #next(kind: string): string {
    return `${kind}${this.#layers++}`;
  }

  #scaled(channels: number, groups: number): number {
    return Math.max(1, Math.round((channels * this.#width) / groups)) * groups;
  }

  #window(
    kind: 'Conv' | 'ConvTranspose',
    label: string,
    x: Tensor,
    cout: number,
    kernel: Pair,
    options: LayerOptions & { readonly groups: number; readonly outputPadding?: number },
  ): Tensor {
    const name = this.#next(label);
    const { groups } = options;
    const stride = options.stride ?? 1;
    const cin = x.shape[3] / groups;
    const act = options.act ?? this.#act;
    // Of a transposed convolution only every stride-th tap meets a pixel.
    const taps =
      kind === 'Conv' ? kernel[0] * kernel[1] : Math.max(1, (kernel[0] * kernel[1]) / (stride * stride));
    const weight = this.#weight(`${name}.weight`, [cout, ...kernel, cin], taps * cin, act, options.gain);
    const common = {
      stride: [stride, stride],
      dilation: [1, 1],
      pads: padsOf(x, kernel, stride, options.pad),
      groups,
    };
    const output = options.outputPadding ?? 0;
    const attrs = kind === 'Conv' ? common : { ...common, outputPadding: [output, output] };
    const epilogue = this.#epilogue(name, act, cout);
    return this.#builder.op(kind, [x, weight, this.#bias(name, cout)], attrs, { name, epilogue });
  }

  #pool(x: Tensor, kernel: number, { stride = 1, pad = 0, ceil = false }: PoolOptions) {
    const pads = padsOf(x, [kernel, kernel], stride, pad);
    return { kernel: [kernel, kernel], stride: [stride, stride], dilation: [1, 1], pads, ceil };
  }

  #weight(name: string, shape: readonly number[], fanIn: number, act: Activation, gain = 1): Tensor {
    // He et al. 2015: variance 2 / fan-in before a rectifier, 1 / fan-in before none; uniform has bound sqrt(3) sigma.
    const rectified = act === 'none' || act === 'tanh' ? 1 : 2;
    const bound = gain * Math.sqrt((3 * rectified) / fanIn);
    const seed = seedOf(`${this.#name}/${name}`);
    const make = () => uniformValues(seed, elementCount(shape), bound);
    return this.#builder.tensor(name, shape, F32, lazyConstant(make));
  }

  #bias(layer: string, channels: number): Tensor {
    const name = `${layer}.bias`;
    const make = () => uniformValues(seedOf(`${this.#name}/${name}`), channels, 0.1);
    return this.#builder.tensor(name, [channels], F32, lazyConstant(make));
  }

  #epilogue(layer: string, act: Activation, channels: number): Epilogue[] {
    const step = (kind: string, attrs: Epilogue['attrs']): Epilogue[] => [
      { kind, attrs, from: F32, to: F32 },
    ];
    switch (act) {
      case 'none':
        return [];
      case 'relu':
        return step('Clip', { min: 0, max: null });
      case 'relu6':
        return step('Clip', { min: 0, max: 6 });
      case 'leaky':
        return step('LeakyRelu', { alpha: Math.fround(0.1) });
      case 'tanh':
        return step('Tanh', {});
      case 'prelu': {
        const around = uniformValues(seedOf(`${this.#name}/${layer}.slope`), channels, 0.125);
        return step('ChannelPRelu', { slope: Array.from(around, (v) => Math.fround(0.25 + v)) });
      }
    }
  }
}

/** top, left, bottom, right */
function padsOf(x: Tensor, kernel: Pair, stride: number, pad: Padding = 'half'): number[] {
  if (typeof pad === 'number') return [pad, pad, pad, pad];
  const [top, left] = kernel.map((k) => (k - 1) >> 1);
  if (pad === 'half') return [top, left, top, left];
  const total = kernel.map((k, i) => {
    const size = x.shape[1 + i];
    return Math.max(0, (Math.ceil(size / stride) - 1) * stride + k - size);
  });
  const before = total.map((t) => t >> 1);
  return [before[0], before[1], total[0] - before[0], total[1] - before[1]];
}
