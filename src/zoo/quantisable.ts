/** Which operators have an integer form, and which of them leave their values as they are. */
import { ABSENT, type Graph, type Operator } from '../graph/graph.ts';

/** Output values are some of the input's: the same type must hold on both sides. */
const KEEPING = new Set([
  'MaxPool',
  'Reshape',
  'Concat',
  'Slice',
  'Pad',
  'Transpose',
  'ChannelShuffle',
  'Tile',
  'Expand',
  'Gather',
  'DepthToSpace',
  'SpaceToDepth',
  'SpaceToBatch',
  'BatchToSpace',
  'ReduceMax',
  'ReduceMin',
  'Copy',
]);

/** Values are computed: the output has a type of its own. */
const COMPUTING = new Set([
  ...[
    'Conv',
    'ConvTranspose',
    'FullyConnected',
    'MatMul',
    'AveragePool',
    'ReduceMean',
    'ReduceSum',
    'Softmax',
  ],
  ...['Add', 'Sub', 'Mul', 'Div', 'Min', 'Max', 'PRelu', 'ArgMax', 'ArgMin'],
  ...[
    'Clip',
    'LeakyRelu',
    'Sigmoid',
    'HardSigmoid',
    'HardSwish',
    'Silu',
    'Tanh',
    'Elu',
    'Selu',
    'Celu',
    'Exp',
    'Log',
  ],
  ...[
    'Sqrt',
    'Rsqrt',
    'Reciprocal',
    'Neg',
    'Abs',
    'Floor',
    'Ceil',
    'Round',
    'Erf',
    'Gelu',
    'Mish',
    'Softplus',
  ],
  ...['Softsign', 'ThresholdedRelu', 'Sin', 'Cos', 'ChannelAffine', 'ChannelPRelu'],
]);

/** True when an operator's output takes its values from its inputs, so that they must share a type. */
export function keepsValues({ kind, attrs }: Operator): boolean {
  return KEEPING.has(kind) || (kind === 'Resize' && attrs.mode !== 'cubic');
}

/** True when an operator of float32 tensors can work on integers. */
export function isInteger(op: Operator, graph: Graph): boolean {
  const { kind, inputs } = op;
  if (!keepsValues(op) && !COMPUTING.has(kind)) return false;
  const float = (id: number) => graph.tensors[id].dtype === 'f32';
  const first = inputs.find((id) => id !== ABSENT);
  if (first === undefined || !float(first)) return false;
  // A bias that is computed has no scale that follows from its operands.
  const bias = inputs[2] ?? ABSENT;
  const weighted = kind === 'Conv' || kind === 'ConvTranspose' || kind === 'FullyConnected';
  return !weighted || bias === ABSENT || graph.tensors[bias].constant !== undefined;
}
