/** Reductions and what goes along an axis. */
import { aside, type EmitContext, type Emitter, inputTensor, main, numbers, reals } from '../emitter.ts';
import { fileAxis, type Layout } from '../layout.ts';

/** Channels first, unless dimensions that are left would then come in another order. */
function layoutFor(c: EmitContext, axes: readonly number[]): Layout {
  if (c.attrs.keepDims || inputTensor(c, 0).shape.length !== 4) return 'first';
  const left = [0, 1, 2, 3].filter((axis) => !axes.includes(axis)).map((axis) => fileAxis(axis, 4, 'first'));
  return left.every((axis, i) => i === 0 || axis > left[i - 1]) ? 'first' : 'last';
}

/** Reductions take their axes as an input from this operator set on; ReduceSum always does here. */
const AXES_AS_INPUT = 18;

function reduce(opType: string): Emitter {
  return (c) => {
    const axes = numbers(c.attrs.axes);
    const { shape } = inputTensor(c, 0);
    if (opType === 'ReduceMean' && shape.length === 4 && c.attrs.keepDims && `${axes}` === '1,2') {
      // Runtimes know its integer form.
      return {
        value: main(c, 'GlobalAveragePool', [c.values.real(c.op.inputs[0], 'first')]),
        layout: 'first',
      };
    }
    const layout = layoutFor(c, axes);
    const placed = axes.map((axis) => fileAxis(axis, shape.length, layout)).sort((a, b) => a - b);
    const keepdims = c.attrs.keepDims ? 1 : 0;
    const asInput = opType === 'ReduceSum' || c.opset >= AXES_AS_INPUT;
    const inputs = [
      c.values.real(c.op.inputs[0], layout),
      ...(asInput ? [c.values.nodes.integers(placed)] : []),
    ];
    return { value: main(c, opType, inputs, { keepdims, axes: asInput ? undefined : placed }), layout };
  };
}

function arg(opType: string): Emitter {
  return (c) => {
    const axis = Number(c.attrs.axis);
    const { shape } = inputTensor(c, 0);
    const layout = layoutFor(c, [axis]);
    const value = main(c, opType, [c.values.real(c.op.inputs[0], layout)], {
      axis: fileAxis(axis, shape.length, layout),
      keepdims: c.attrs.keepDims ? 1 : 0,
      select_last_index: c.attrs.selectLast ? 1 : 0,
    });
    return { value: aside(c, 'Cast', [value], { to: 6 }), layout };
  };
}

const along =
  (opType: string): Emitter =>
  (c) => {
    const { shape } = inputTensor(c, 0);
    const { nodes } = c.values;
    let x = c.values.real(c.op.inputs[0], 'first');
    const beta = Number(c.attrs.beta ?? 1);
    if (beta !== 1) x = aside(c, 'Mul', [x, nodes.floats([beta], [])]);
    const axis = fileAxis(Number(c.attrs.axis), shape.length, 'first');
    return {
      value: main(c, opType, [x], { axis, p: opType === 'LpNormalization' ? Number(c.attrs.p) : undefined }),
      layout: 'first',
    };
  };

const lrn: Emitter = (c) => {
  const float = (name: string) => ({ float: Number(c.attrs[name]) });
  const attrs = {
    size: Number(c.attrs.size),
    alpha: float('alpha'),
    beta: float('beta'),
    bias: float('bias'),
  };
  return { value: main(c, 'LRN', [c.values.real(c.op.inputs[0], 'first')], attrs), layout: 'first' };
};

const instance: Emitter = (c) => ({
  value: main(c, 'InstanceNormalization', reals(c, 'first'), { epsilon: { float: Number(c.attrs.epsilon) } }),
  layout: 'first',
});

const layer: Emitter = (c) => {
  const attrs = { axis: Number(c.attrs.axis), epsilon: { float: Number(c.attrs.epsilon) } };
  return { value: main(c, 'LayerNormalization', reals(c, 'last'), attrs), layout: 'last' };
};

const reductionKinds = ['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL2'];

export const reductions: Readonly<Record<string, Emitter>> = {
  ...Object.fromEntries(reductionKinds.map((kind) => [kind, reduce(kind)])),
  ArgMax: arg('ArgMax'),
  ArgMin: arg('ArgMin'),
  Softmax: along('Softmax'),
  LogSoftmax: along('LogSoftmax'),
  Hardmax: along('Hardmax'),
  LpNormalization: along('LpNormalization'),
  LRN: lrn,
  InstanceNormalization: instance,
  LayerNormalization: layer,
};
