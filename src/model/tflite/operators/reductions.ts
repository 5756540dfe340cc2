/** Reductions, normalisations over channels, and the place of the greatest or least value. */
import { TidemarkError } from '../../../errors.ts';
import { axisOf, finish, type Importer, input, numbers, single } from '../importer.ts';
import { lrnOptions, reducerOptions, softmaxOptions } from '../schema.ts';

function reduce(kind: string): Importer {
  return (node) => {
    const x = input(node, 0);
    const rank = x.shape.length;
    const axes = [...new Set(numbers(node, 1, 'axes').map((a) => axisOf(a, rank)))].sort((a, b) => a - b);
    const { keepDims } = reducerOptions(node.file.options);
    if (rank === 0 || axes.length === 0) return finish(node, 'Reshape', [x], { shape: [...x.shape] });
    return finish(node, kind, [x], { axes, keepDims });
  };
}

function place(kind: 'ArgMax' | 'ArgMin'): Importer {
  return (node) => {
    const x = input(node, 0);
    const axis = axisOf(single(node, 1, 'axis'), x.shape.length);
    return finish(node, kind, [x], { axis, keepDims: false, selectLast: false });
  };
}

const softmax: Importer = (node) => {
  const x = input(node, 0);
  const { beta } = softmaxOptions(node.file.options);
  return finish(node, 'Softmax', [x], { axis: x.shape.length - 1, beta });
};

const logSoftmax: Importer = (node) => {
  const x = input(node, 0);
  return finish(node, 'LogSoftmax', [x], { axis: x.shape.length - 1, beta: 1 });
};

/** TFLite multiplies the sum by alpha; the graph's operator, like ONNX's, divides alpha by the size. */
const lrn: Importer = (node) => {
  const { radius, bias, alpha, beta } = lrnOptions(node.file.options);
  if (radius < 0) throw new TidemarkError('operator-invalid', `its radius is ${radius}; expected at least 0`);
  const size = 2 * radius + 1;
  return finish(node, 'LRN', [input(node, 0)], { size, alpha: alpha * size, beta, bias });
};

const l2Normalization: Importer = (node) => {
  const x = input(node, 0);
  return finish(node, 'LpNormalization', [x], { axis: x.shape.length - 1, p: 2 });
};

export const reductions: Record<string, Importer> = {
  MEAN: reduce('ReduceMean'),
  SUM: reduce('ReduceSum'),
  REDUCE_MAX: reduce('ReduceMax'),
  REDUCE_MIN: reduce('ReduceMin'),
  REDUCE_PROD: reduce('ReduceProd'),
  REDUCE_ANY: reduce('ReduceMax'),
  REDUCE_ALL: reduce('ReduceMin'),
  ARG_MAX: place('ArgMax'),
  ARG_MIN: place('ArgMin'),
  SOFTMAX: softmax,
  LOG_SOFTMAX: logSoftmax,
  LOCAL_RESPONSE_NORMALIZATION: lrn,
  L2_NORMALIZATION: l2Normalization,
};
