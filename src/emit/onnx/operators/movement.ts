/** What moves values without changing them, and what changes their type. */
import { TidemarkError } from '../../../errors.ts';
import { fileTypeNamed } from '../../../model/onnx/element-type.ts';
import {
  aside,
  type EmitContext,
  type Emitter,
  inputTensor,
  last,
  main,
  numbers,
  outputShape,
  outputTensor,
  reals,
} from '../emitter.ts';
import { axesOf, fileAxis, inFileOrder, sameOrder } from '../layout.ts';

const reshape: Emitter = (c) => {
  const from = sameOrder(inputTensor(c, 0).shape) ? 'first' : 'last';
  const to = sameOrder(outputTensor(c).shape) ? 'first' : 'last';
  const shape = c.values.nodes.integers(outputShape(c, to));
  return { value: main(c, 'Reshape', [c.values.real(c.op.inputs[0], from), shape]), layout: to };
};

const concat: Emitter = (c) => {
  const rank = outputTensor(c).shape.length;
  const axis = fileAxis(Number(c.attrs.axis), rank, 'first');
  return { value: main(c, 'Concat', reals(c, 'first'), { axis }), layout: 'first' };
};

const slice: Emitter = (c) => {
  const { shape } = inputTensor(c, 0);
  const [starts, steps, sizes] = [c.attrs.starts, c.attrs.steps, c.attrs.sizes].map(numbers);
  const cut = shape.map((_, axis) => axis).filter((axis) => steps[axis] !== 1 || sizes[axis] !== shape[axis]);
  if (cut.length === 0) cut.push(0);
  const { nodes } = c.values;
  const ends = cut.map((axis) => {
    const end = starts[axis] + sizes[axis] * steps[axis];
    // Before the first element: a plain negative end would count from the back.
    return end < 0 ? -(2 ** 31) : end;
  });
  const inputs = [
    nodes.integers(cut.map((axis) => starts[axis])),
    nodes.integers(ends),
    nodes.integers(cut.map((axis) => fileAxis(axis, shape.length, 'first'))),
    nodes.integers(cut.map((axis) => steps[axis])),
  ];
  return { value: main(c, 'Slice', [c.values.real(c.op.inputs[0], 'first'), ...inputs]), layout: 'first' };
};

const pad: Emitter = (c) => {
  const mode = String(c.attrs.mode);
  if (mode === 'symmetric') {
    throw new TidemarkError('operator-unsupported', `ONNX has no symmetric padding`);
  }
  const { nodes } = c.values;
  const pads = [c.attrs.before, c.attrs.after].flatMap((list) => inFileOrder(numbers(list), 'first'));
  const x = inputTensor(c, 0);
  const value = Number(c.attrs.value ?? 0);
  const inputs = [c.values.real(x.id, 'first'), nodes.integers(pads)];
  if (mode === 'constant') {
    inputs.push(x.dtype === 'i32' && !x.quant ? nodes.small([value], 'i32', []) : nodes.floats([value], []));
  }
  return { value: main(c, 'Pad', inputs, { mode }), layout: 'first' };
};

const transpose: Emitter = (c) => {
  const perm = numbers(c.attrs.perm);
  const rank = perm.length;
  const placed = axesOf(rank, 'first').map((axis) => fileAxis(perm[axis], rank, 'first'));
  return {
    value: main(c, 'Transpose', [c.values.real(c.op.inputs[0], 'first')], { perm: placed }),
    layout: 'first',
  };
};

const tile: Emitter = (c) => {
  const repeats = c.values.nodes.integers(inFileOrder(numbers(c.attrs.repeats), 'first'));
  return { value: main(c, 'Tile', [c.values.real(c.op.inputs[0], 'first'), repeats]), layout: 'first' };
};

const expand: Emitter = (c) => {
  const layout = inputTensor(c, 0).shape.length === outputTensor(c).shape.length ? 'first' : 'last';
  const shape = c.values.nodes.integers(outputShape(c, layout));
  return { value: main(c, 'Expand', [c.values.real(c.op.inputs[0], layout), shape]), layout };
};

const gather: Emitter = (c) => {
  const axis = Number(c.attrs.axis);
  const rank = inputTensor(c, 0).shape.length;
  const keepsRank = inputTensor(c, 1).shape.length === 1;
  const layout = keepsRank ? 'first' : 'last';
  const inputs = [c.values.real(c.op.inputs[0], layout), c.values.real(c.op.inputs[1], 'last')];
  return { value: main(c, 'Gather', inputs, { axis: fileAxis(axis, rank, layout) }), layout };
};

const gatherND: Emitter = (c) => {
  const indices = aside(c, 'Cast', [c.values.real(c.op.inputs[1], 'last')], { to: 7 });
  return last(main(c, 'GatherND', [c.values.real(c.op.inputs[0], 'last'), indices]));
};

const cast: Emitter = (c) => ({
  value: main(c, 'Cast', [c.values.real(c.op.inputs[0], 'first')], {
    to: fileTypeNamed(outputTensor(c).dtype).code,
  }),
  layout: 'first',
});

/** The real numbers stay: reading and writing quantised tensors does the rest. */
const sameNumbers: Emitter = (c: EmitContext) => ({
  value: c.values.real(c.op.inputs[0], 'first'),
  layout: 'first',
});

export const movement: Readonly<Record<string, Emitter>> = {
  Reshape: reshape,
  Concat: concat,
  Slice: slice,
  Pad: pad,
  Transpose: transpose,
  Tile: tile,
  Expand: expand,
  Gather: gather,
  GatherND: gatherND,
  Cast: cast,
  Quantize: sameNumbers,
  Dequantize: sameNumbers,
  Requantize: sameNumbers,
};
