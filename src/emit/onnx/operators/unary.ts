/** Elementwise functions of one value: the same code writes operators and the steps of epilogues. */
import { TidemarkError } from '../../../errors.ts';
import type { Attributes } from '../../../graph/graph.ts';
import { fileAxis, type Layout } from '../layout.ts';
import type { NodeAttributes, NodeList } from '../nodes.ts';

export interface UnaryContext {
  readonly nodes: NodeList;
  readonly name: string;
  readonly attrs: Attributes;
  /** Shape in memory order, for what goes by channel. */
  readonly shape: readonly number[];
  readonly layout: Layout;
}

export type UnaryEmitter = (x: string, c: UnaryContext) => string;

const node = (c: UnaryContext, opType: string, inputs: readonly string[], attrs?: NodeAttributes) =>
  c.nodes.node(opType, inputs, attrs, c.name);

/** A node of the same meaning; numeric attributes of these names are floats. */
const plain =
  (opType: string, ...floats: readonly string[]): UnaryEmitter =>
  (x, c) =>
    node(c, opType, [x], Object.fromEntries(floats.map((f) => [f, { float: Number(c.attrs[f]) }])));

const clip: UnaryEmitter = (x, c) => {
  const { min, max } = c.attrs;
  if (min === 0 && (max === null || max === undefined)) return node(c, 'Relu', [x]);
  const bound = (v: unknown) => (v === null || v === undefined ? '' : c.nodes.floats([Number(v)], []));
  const inputs = [x, bound(min), bound(max)];
  while (inputs[inputs.length - 1] === '') inputs.pop();
  return node(c, 'Clip', inputs);
};

/** One number a channel, shaped so that it broadcasts. */
function perChannel(c: UnaryContext, values: readonly number[]): string {
  const rank = c.shape.length;
  if (values.length === 1) return c.nodes.floats(values, []);
  const behind = rank - 1 - fileAxis(rank - 1, rank, c.layout);
  return c.nodes.floats(values, [values.length, ...new Array<number>(behind).fill(1)]);
}

const channelAffine: UnaryEmitter = (x, c) => {
  const scaled = node(c, 'Mul', [x, perChannel(c, c.attrs.scale as number[])]);
  return node(c, 'Add', [scaled, perChannel(c, c.attrs.shift as number[])]);
};

const gelu: UnaryEmitter = (x, c) => {
  const number = (v: number) => c.nodes.floats([v], []);
  let inner: string;
  if (c.attrs.approximate) {
    // tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))
    const cubed = node(c, 'Mul', [node(c, 'Mul', [x, x]), x]);
    const sum = node(c, 'Add', [x, node(c, 'Mul', [cubed, number(0.044715)])]);
    inner = node(c, 'Tanh', [node(c, 'Mul', [sum, number(Math.sqrt(2 / Math.PI))])]);
  } else inner = node(c, 'Erf', [node(c, 'Mul', [x, number(Math.SQRT1_2)])]);
  return node(c, 'Mul', [node(c, 'Mul', [x, node(c, 'Add', [inner, number(1)])]), number(0.5)]);
};

const emitters: Readonly<Record<string, UnaryEmitter>> = {
  Clip: clip,
  LeakyRelu: plain('LeakyRelu', 'alpha'),
  HardSigmoid: plain('HardSigmoid', 'alpha', 'beta'),
  Elu: plain('Elu', 'alpha'),
  Selu: plain('Selu', 'alpha', 'gamma'),
  Celu: plain('Celu', 'alpha'),
  ThresholdedRelu: plain('ThresholdedRelu', 'alpha'),
  Silu: (x, c) => node(c, 'Mul', [x, node(c, 'Sigmoid', [x])]),
  Rsqrt: (x, c) => node(c, 'Reciprocal', [node(c, 'Sqrt', [x])]),
  Mish: (x, c) => node(c, 'Mul', [x, node(c, 'Tanh', [node(c, 'Softplus', [x])])]),
  Gelu: gelu,
  ChannelAffine: channelAffine,
  ChannelPRelu: (x, c) => node(c, 'PRelu', [x, perChannel(c, c.attrs.slope as number[])]),
  Copy: plain('Identity'),
  // The numbers stay; the types around the step do the rest.
  Requantize: (x) => x,
  ...Object.fromEntries(
    [
      ...[
        'Sigmoid',
        'HardSwish',
        'Tanh',
        'Exp',
        'Log',
        'Sqrt',
        'Reciprocal',
        'Neg',
        'Abs',
        'Sign',
        'Floor',
        'Ceil',
      ],
      ...['Round', 'Erf', 'Softplus', 'Softsign', 'Sin', 'Cos', 'Not'],
    ].map((kind) => [kind, plain(kind)]),
  ),
};

export const unaryKinds: readonly string[] = Object.keys(emitters).filter((kind) => kind !== 'Requantize');

/** The nodes of one elementwise function. */
export function emitUnary(kind: string, x: string, c: UnaryContext): string {
  const emit = emitters[kind];
  if (!emit) throw new TidemarkError('operator-unsupported', `${kind} cannot be written as ONNX`);
  return emit(x, c);
}
