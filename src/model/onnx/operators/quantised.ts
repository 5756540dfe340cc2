/** Operators on quantised values: ONNX's QLinear and Integer operators and ONNX Runtime's additions. */
import { type Attributes, elementCount } from '../../../graph/graph.ts';
import { fileTypeNamed } from '../element-type.ts';
import {
  axisIn,
  combined,
  emit,
  type Importer,
  input,
  mapped,
  type NodeContext,
  orderFor,
  placed,
  quantisedAs,
  refuse,
} from '../node-context.ts';
import { isConstant, place, reshaped, transposed, type Value } from '../value.ts';
import { fullyConnected, matrixProduct } from './products.ts';
import { declaredOutput, quantisation, quantisedInput, zeroedInput } from './quantisation.ts';
import { convolution, windowAttributes } from './windows.ts';

const I32 = fileTypeNamed('i32');

const qlinearConv: Importer = (c) => {
  const x = quantisedInput(c, 0);
  const weights = quantisation(c, 4);
  if (!weights || !isConstant(input(c, 3)))
    refuse('weights that are only known at run time are not supported here');
  const w = quantisedAs(c, input(c, 3), weights.scale, weights.zeroPoint, 0);
  const { type, given } = declaredOutput(c, 6, x);
  return [{ ...convolution(c, x, w, c.inputs[8], given), type }];
};

const convInteger: Importer = (c) => {
  const x = zeroedInput(c, 0, 2, 0);
  const w = zeroedInput(c, 1, 3, 0);
  return [{ ...convolution(c, x, w, undefined, { dtype: 'i32' }), type: I32 }];
};

function product(
  c: NodeContext,
  a: Value,
  b: Value,
  given: { dtype: 'i32' } | ReturnType<typeof declaredOutput>['given'],
): Value {
  if (isConstant(b) && b.shape.length === 2 && !isConstant(a) && a.shape.length >= 2)
    return fullyConnected(c, a, b, { given });
  return matrixProduct(c, a, b, given);
}

const qlinearMatMul: Importer = (c) => {
  const a = quantisedInput(c, 0);
  const weights = quantisation(c, 4);
  if (!weights) refuse('a scale that is only known at run time is not supported here');
  const b = input(c, 3);
  const right = quantisedAs(c, b, weights.scale, weights.zeroPoint, b.shape.length - 1);
  const { type, given } = declaredOutput(c, 6, a);
  return [{ ...product(c, a, right, given), type }];
};

const matMulInteger: Importer = (c) => {
  const b = input(c, 1);
  return [
    {
      ...product(c, zeroedInput(c, 0, 2, 0), zeroedInput(c, 1, 3, b.shape.length - 1), { dtype: 'i32' }),
      type: I32,
    },
  ];
};

/** QGemm: a, its scale and zero, b, its scale and zero, C, the output's scale and zero. */
const qgemm: Importer = (c) => {
  if (c.attrs.float('alpha', 1) !== 1) refuse('QGemm with alpha is not supported');
  if (!c.inputs[7]) refuse('QGemm with a float32 output is not supported');
  const left = quantisedInput(c, 0);
  const a = c.attrs.int('transA', 0) ? transposed(left, [1, 0]) : left;
  const weights = quantisation(c, 4);
  if (!weights) refuse('a scale that is only known at run time is not supported here');
  const transB = c.attrs.int('transB', 0) !== 0;
  const stored = quantisedAs(c, input(c, 3), weights.scale, weights.zeroPoint, transB ? 0 : 1);
  const b = transB ? transposed(stored, [1, 0]) : stored;
  const { type, given } = declaredOutput(c, 7, a);
  const bias = c.inputs[6] && reshaped(c.b, c.inputs[6], [elementCount(c.inputs[6].shape)]);
  return [{ ...fullyConnected(c, a, b, { bias, given }), type }];
};

/** a, scale, zero, b, scale, zero, the output's scale and zero. */
function binary(kind: string): Importer {
  return (c) => {
    const a = quantisedInput(c, 0);
    const b = quantisedInput(c, 3);
    const { type, given } = declaredOutput(c, 6, a);
    return [combined(c, kind, [a, b], {}, { type, given })];
  };
}

/** x, scale, zero, the output's scale and zero. */
function unary(kind: string, attrs: (c: NodeContext) => Attributes): Importer {
  return (c) => {
    const x = quantisedInput(c, 0);
    const { type, given } = declaredOutput(c, 3, x);
    return [mapped(c, kind, x, attrs(c), { type, dtype: given.dtype, quant: given.quant })];
  };
}

/** In channels-last order whichever order the file has. */
function channelsFirst(c: NodeContext, x: Value): Value {
  return c.attrs.int('channels_last', 0) !== 0 ? transposed(x, [0, 3, 1, 2]) : x;
}

function asInFile(c: NodeContext, y: Value): Value {
  return c.attrs.int('channels_last', 0) !== 0 ? transposed(y, [0, 2, 3, 1]) : y;
}

const globalAveragePool: Importer = (c) => {
  const x = channelsFirst(c, quantisedInput(c, 0));
  if (x.shape.length !== 4) refuse(`QLinearGlobalAveragePool over shape [${x.shape}] is not supported`);
  const { type, given } = declaredOutput(c, 3, x);
  const shape = [x.shape[0], 1, 1, x.shape[1]];
  const y = emit(
    c,
    'ReduceMean',
    [place(c.b, x, 'last')],
    { axes: [1, 2], keepDims: true },
    { order: 'last', type, given: { ...given, shape } },
  );
  return [asInFile(c, y)];
};

const averagePool: Importer = (c) => {
  const x = channelsFirst(c, quantisedInput(c, 0));
  if (x.shape.length !== 4) refuse(`QLinearAveragePool over shape [${x.shape}] is not supported`);
  const { type, given } = declaredOutput(c, 3, x);
  const window = windowAttributes(c, x.shape, c.attrs.ints('kernel_shape') ?? []);
  const attrs = {
    ...window,
    ceil: c.attrs.int('ceil_mode', 0) === 1,
    countPad: c.attrs.int('count_include_pad', 0) !== 0,
  };
  const plain = emit(c, 'AveragePool', [place(c.b, x, 'last')], attrs, {
    order: 'last',
    type,
    output: 'pool',
  });
  return [asInFile(c, mapped(c, 'Requantize', plain, {}, { type, dtype: given.dtype, quant: given.quant }))];
};

/** The output's scale and zero, then values, scale, zero for each part. */
const concat: Importer = (c) => {
  const parts: Value[] = [];
  for (let at = 2; at < c.inputs.length; at += 3) parts.push(quantisedInput(c, at));
  const { type, given } = declaredOutput(c, 0, parts[0]);
  const rank = parts[0].shape.length;
  const axis = axisIn(c.attrs.int('axis', 1), rank);
  const order = orderFor(parts, rank);
  const tensors = parts.map((p, i) => {
    const same =
      p.source.tensor.quant?.scale[0] === given.quant.scale[0] &&
      p.source.tensor.quant.zeroPoint[0] === given.quant.zeroPoint[0];
    const part = same
      ? p
      : mapped(c, 'Requantize', p, {}, { type, dtype: given.dtype, quant: given.quant, output: `part${i}` });
    return place(c.b, part, order);
  });
  return [emit(c, 'Concat', tensors, { axis: placed(axis, rank, order) }, { order, type })];
};

/** Softmax with the axis rule of the operator set it was made for; scale and zero of x and y. */
const softmax: Importer = (c) => {
  const x = quantisedInput(c, 0);
  const { type, given } = declaredOutput(c, 3, x);
  const rank = x.shape.length;
  const axis = axisIn(c.attrs.int('axis', -1), rank);
  if (c.attrs.int('opset', 13) < 13 && x.shape.slice(axis + 1).some((d) => d > 1))
    refuse('QLinearSoftmax over several axes is not supported');
  const order = orderFor([x], rank);
  const tensor = place(c.b, x, order);
  return [
    emit(
      c,
      'Softmax',
      [tensor],
      { axis: placed(axis, rank, order), beta: 1 },
      { order, type, given: { ...given, shape: tensor.shape } },
    ),
  ];
};

export const quantisedImporters: Record<string, Importer> = {
  QLinearConv: qlinearConv,
  ConvInteger: convInteger,
  QLinearMatMul: qlinearMatMul,
  MatMulInteger: matMulInteger,
  'com.microsoft:QLinearConv': qlinearConv,
  'com.microsoft:QGemm': qgemm,
  'com.microsoft:QLinearAdd': binary('Add'),
  'com.microsoft:QLinearMul': binary('Mul'),
  'com.microsoft:QLinearSigmoid': unary('Sigmoid', () => ({})),
  'com.microsoft:QLinearLeakyRelu': unary('LeakyRelu', (c) => ({ alpha: c.attrs.float('alpha', 0.01) })),
  'com.microsoft:QLinearGlobalAveragePool': globalAveragePool,
  'com.microsoft:QLinearAveragePool': averagePool,
  'com.microsoft:QLinearConcat': concat,
  'com.microsoft:QLinearSoftmax': softmax,
};
