/** Elementwise operators: activations, arithmetic, comparisons, selection. */
import { TidemarkError } from '../../../errors.ts';
import type { Attributes, Tensor } from '../../../graph/graph.ts';
import { finish, type Importer, input, step } from '../importer.ts';
import { activationOf, geluOptions, leakyReluOptions } from '../schema.ts';

function unary(kind: string, attrs: Attributes = {}): Importer {
  return (node) => finish(node, kind, [input(node, 0)], attrs);
}

/** Two inputs with broadcasting; most have a fused activation in the first field of their options. */
function binary(kind: string, fused = false): Importer {
  return (node) => {
    const activation = fused ? activationOf(node.file.options, 0) : 'none';
    return finish(node, kind, [input(node, 0), input(node, 1)], {}, { activation });
  };
}

const notEqual: Importer = (node) => {
  const equal = step(node, 'equal', 'Equal', [input(node, 0), input(node, 1)], {}, { dtype: 'bool' });
  return finish(node, 'Not', [equal], {});
};

const square: Importer = (node) => finish(node, 'Mul', [input(node, 0), input(node, 0)], {});

const addN: Importer = (node) => {
  if (node.inputs.length === 1) return finish(node, 'Copy', [input(node, 0)], {});
  if (node.types[0].quant)
    throw new TidemarkError('type-unsupported', 'a sum of more than two quantised tensors is not supported');
  let sum = input(node, 0);
  for (let i = 1; i < node.inputs.length - 1; i++) sum = step(node, `${i}`, 'Add', [sum, input(node, i)], {});
  return finish(node, 'Add', [sum, input(node, node.inputs.length - 1)], {});
};

/** A one-dimensional condition chooses along the first dimension of larger operands. */
const select: Importer = (node) => {
  const [condition, a, b] = [input(node, 0), input(node, 1), input(node, 2)];
  const rank = a.shape.length;
  const column: Tensor =
    condition.shape.length === 1 && rank > 1
      ? step(node, 'condition', 'Reshape', [condition], {
          shape: [condition.shape[0], ...new Array(rank - 1).fill(1)],
        })
      : condition;
  return finish(node, 'Where', [column, a, b], {});
};

const gelu: Importer = (node) => finish(node, 'Gelu', [input(node, 0)], geluOptions(node.file.options));
const leakyRelu: Importer = (node) =>
  finish(node, 'LeakyRelu', [input(node, 0)], leakyReluOptions(node.file.options));

export const elementwise: Record<string, Importer> = {
  RELU: unary('Clip', { min: 0, max: null }),
  RELU6: unary('Clip', { min: 0, max: 6 }),
  RELU_N1_TO_1: unary('Clip', { min: -1, max: 1 }),
  RELU_0_TO_1: unary('Clip', { min: 0, max: 1 }),
  LOGISTIC: unary('Sigmoid'),
  TANH: unary('Tanh'),
  HARD_SWISH: unary('HardSwish'),
  ELU: unary('Elu', { alpha: 1 }),
  LEAKY_RELU: leakyRelu,
  GELU: gelu,
  EXP: unary('Exp'),
  LOG: unary('Log'),
  ABS: unary('Abs'),
  NEG: unary('Neg'),
  SIGN: unary('Sign'),
  SQRT: unary('Sqrt'),
  RSQRT: unary('Rsqrt'),
  SQUARE: square,
  FLOOR: unary('Floor'),
  CEIL: unary('Ceil'),
  ROUND: unary('Round'),
  SIN: unary('Sin'),
  COS: unary('Cos'),
  LOGICAL_NOT: unary('Not'),
  ADD: binary('Add', true),
  SUB: binary('Sub', true),
  MUL: binary('Mul', true),
  DIV: binary('Div', true),
  ADD_N: addN,
  MINIMUM: binary('Min'),
  MAXIMUM: binary('Max'),
  POW: binary('Pow'),
  SQUARED_DIFFERENCE: binary('SquaredDifference'),
  FLOOR_DIV: binary('FloorDiv'),
  FLOOR_MOD: binary('Mod'),
  PRELU: binary('PRelu'),
  EQUAL: binary('Equal'),
  NOT_EQUAL: notEqual,
  GREATER: binary('Greater'),
  GREATER_EQUAL: binary('GreaterOrEqual'),
  LESS: binary('Less'),
  LESS_EQUAL: binary('LessOrEqual'),
  LOGICAL_AND: binary('And'),
  LOGICAL_OR: binary('Or'),
  SELECT: select,
  SELECT_V2: (node) => finish(node, 'Where', [input(node, 0), input(node, 1), input(node, 2)], {}),
};
