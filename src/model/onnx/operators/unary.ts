/** Functions of one value, element by element. */

import type { Attributes } from '../../../graph/graph.ts';
import {
  combined,
  constantInput,
  type Importer,
  input,
  mapped,
  type NodeContext,
  scalar,
  singleNumber,
} from '../node-context.ts';
import { isConstant } from '../value.ts';

const none = () => ({});

/** ONNX operator -> kind and attributes in the graph. */
const functions: Record<string, readonly [string, (c: NodeContext) => Attributes]> = {
  Relu: ['Clip', () => ({ min: 0, max: null })],
  LeakyRelu: ['LeakyRelu', (c) => ({ alpha: c.attrs.float('alpha', 0.01) })],
  Sigmoid: ['Sigmoid', none],
  HardSigmoid: [
    'HardSigmoid',
    (c) => ({ alpha: c.attrs.float('alpha', 0.2), beta: c.attrs.float('beta', 0.5) }),
  ],
  HardSwish: ['HardSwish', none],
  Tanh: ['Tanh', none],
  Elu: ['Elu', (c) => ({ alpha: c.attrs.float('alpha', 1) })],
  Selu: [
    'Selu',
    (c) => ({
      alpha: c.attrs.float('alpha', c.opset < 6 ? 1.6732 : 1.6732632423543772),
      gamma: c.attrs.float('gamma', c.opset < 6 ? 1.0507 : 1.0507009873554805),
    }),
  ],
  Celu: ['Celu', (c) => ({ alpha: c.attrs.float('alpha', 1) })],
  Exp: ['Exp', none],
  Log: ['Log', none],
  Sqrt: ['Sqrt', none],
  Reciprocal: ['Reciprocal', none],
  Neg: ['Neg', none],
  Abs: ['Abs', none],
  Sign: ['Sign', none],
  Floor: ['Floor', none],
  Ceil: ['Ceil', none],
  Round: ['Round', none],
  Erf: ['Erf', none],
  Gelu: ['Gelu', (c) => ({ approximate: c.attrs.string('approximate', 'none') })],
  Mish: ['Mish', none],
  Softplus: ['Softplus', none],
  Softsign: ['Softsign', none],
  ThresholdedRelu: ['ThresholdedRelu', (c) => ({ alpha: c.attrs.float('alpha', 1) })],
  Sin: ['Sin', none],
  Cos: ['Cos', none],
  Not: ['Not', none],
};

/** Clip: bounds are attributes before operator set 11, inputs since. */
const clip: Importer = (c) => {
  const x = input(c, 0);
  if (c.opset < 11) {
    const bound = (name: string) => (c.attrs.has(name) ? c.attrs.float(name, 0) : null);
    return [mapped(c, 'Clip', x, { min: bound('min'), max: bound('max') })];
  }
  const [, low, high] = c.inputs;
  if ((low && !isConstant(low)) || (high && !isConstant(high))) {
    const raised = low ? combined(c, 'Max', [x, low], {}, { output: high ? 'raised' : 0 }) : x;
    return [high ? combined(c, 'Min', [raised, high]) : raised];
  }
  const bound = (index: number) => singleNumber(c, index, 'a bound of Clip') ?? null;
  return [mapped(c, 'Clip', x, { min: bound(1), max: bound(2) })];
};

/** Swish: x * sigmoid(alpha * x). */
const swish: Importer = (c) => {
  const x = input(c, 0);
  const alpha = c.attrs.float('alpha', 1);
  if (alpha === 1) return [mapped(c, 'Silu', x)];
  const gate = mapped(
    c,
    'Sigmoid',
    combined(c, 'Mul', [x, scalar(c, alpha)], {}, { output: 'scaled' }),
    {},
    { output: 'gate' },
  );
  return [combined(c, 'Mul', [x, gate])];
};

const fastGelu: Importer = (c) => {
  const x = input(c, 0);
  const bias = c.inputs[1];
  if (bias) constantInput(c, 1, 'the bias of FastGelu');
  const sum = bias ? combined(c, 'Add', [x, bias], {}, { output: 'biased' }) : x;
  return [mapped(c, 'Gelu', sum, { approximate: 'tanh' })];
};

export const unaryImporters: Record<string, Importer> = {
  ...Object.fromEntries(
    Object.entries(functions).map(([op, [kind, attrs]]): [string, Importer] => [
      op,
      (c) => [mapped(c, kind, input(c, 0), attrs(c))],
    ]),
  ),
  Clip: clip,
  Swish: swish,
  'com.microsoft:Gelu': (c) => [mapped(c, 'Gelu', input(c, 0), { approximate: 'none' })],
  'com.microsoft:FastGelu': fastGelu,
  'com.microsoft:QuickGelu': (c) => {
    const x = input(c, 0);
    const scaled = combined(
      c,
      'Mul',
      [x, scalar(c, c.attrs.float('alpha', 1.702))],
      {},
      { output: 'scaled' },
    );
    return [combined(c, 'Mul', [x, mapped(c, 'Sigmoid', scaled, {}, { output: 'gate' })])];
  },
};
