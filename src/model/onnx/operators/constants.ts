/** Operators whose results are known before the run, Cast, and Dropout (which does nothing at inference). */
import { TidemarkError } from '../../../errors.ts';
import { allocate, elementCount, lazyConstant, type TypedArray } from '../../../graph/graph.ts';
import { limits } from '../../../limits.ts';
import { fileType, fileTypeNamed } from '../element-type.ts';
import {
  constant,
  constantInput,
  countOf,
  type Importer,
  input,
  mapped,
  type NodeContext,
  refuse,
} from '../node-context.ts';
import { constantValues, isConstant, tensorValue, type Value } from '../value.ts';

function int64s(
  c: NodeContext,
  values: readonly number[],
  shape: readonly number[] = [values.length],
): Value {
  return constant(c, shape, Int32Array.from(values), 'i64');
}

const shape: Importer = (c) => {
  const x = input(c, 0);
  const rank = x.shape.length;
  const end = c.attrs.has('end') ? c.attrs.int('end', rank) : rank;
  return [int64s(c, x.shape.slice(c.attrs.int('start', 0), end))];
};

const constantNode: Importer = (c) => {
  const tensor = c.attrs.tensor('value');
  if (tensor) {
    const data = c.tensorOf(tensor);
    return [
      tensorValue(c.b.tensor(c.outputs[0], data.shape, { dtype: data.type.dtype }, data.constant), data.type),
    ];
  }
  if (c.attrs.has('value_float')) return [constant(c, [], Float32Array.of(c.attrs.float('value_float', 0)))];
  if (c.attrs.has('value_int')) return [int64s(c, [c.attrs.int('value_int', 0)], [])];
  const floats = c.attrs.floats('value_floats');
  if (floats && c.attrs.has('value_floats')) return [constant(c, [floats.length], Float32Array.from(floats))];
  if (c.attrs.has('value_ints')) return [int64s(c, c.attrs.ints('value_ints') ?? [])];
  refuse('Constant holds neither a dense tensor nor numbers');
};

const constantOfShape: Importer = (c) => {
  const dims = Array.from(constantInput(c, 0, 'the shape') ?? []);
  if (dims.some((d) => d < 0) || elementCount(dims) > limits.tensorElements) {
    throw new TidemarkError('graph-invalid', `a constant of shape [${dims}] cannot be`);
  }
  const tensor = c.attrs.tensor('value');
  const data = tensor && c.tensorOf(tensor);
  const type = data?.type ?? fileTypeNamed('f32');
  const fill = data ? data.constant.load()[0] : 0;
  const made = {
    ...lazyConstant(() => allocate(type.dtype, elementCount(dims)).fill(fill)),
    made: true,
  };
  return [tensorValue(c.b.tensor(c.outputs[0], dims, { dtype: type.dtype }, made), type)];
};

const range: Importer = (c) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => constantInput(c, i, 'a bound of Range')?.[0] ?? 0);
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (!(count <= limits.madeElements))
    throw new TidemarkError('graph-invalid', `Range from ${start} to ${limit} by ${delta} cannot be`);
  const { type } = input(c, 0);
  const values = allocate(type.dtype, count).map((_, i) => start + i * delta);
  return [constant(c, [count], values, type.name)];
};

const nonZero: Importer = (c) => {
  const x = input(c, 0);
  const values = constantInput(c, 0, 'the input of NonZero', 'madeElements')!;
  const places: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) places.push(i);
  const rows = x.shape.flatMap((d, axis) => {
    const inner = elementCount(x.shape.slice(axis + 1));
    return places.map((p) => Math.floor(p / inner) % d);
  });
  return [int64s(c, rows, [x.shape.length, places.length])];
};

const cast: Importer = (c) => {
  const x = input(c, 0);
  const to = fileType(c.attrs.int('to', 1));
  // Between types that are one in the graph nothing happens: float16 is computed in float32 throughout.
  if (x.type.dtype === to.dtype) return [{ ...x, type: to }];
  return [mapped(c, 'Cast', x, { to: to.dtype }, { type: to })];
};

const dropout: Importer = (c) => {
  const x = input(c, 0);
  const training = c.inputs[2];
  if (training && isConstant(training) && constantValues(c.b, training)[0] !== 0) {
    const ratio = c.inputs[1] ? constantInput(c, 1, 'ratio')![0] : 0.5;
    if (ratio !== 0) refuse('Dropout in training mode is not supported');
  }
  const mask = lazyConstant((): TypedArray => new Uint8Array(countOf(x)).fill(1));
  if (!c.outputs[1]) return [x];
  return [x, tensorValue(c.b.tensor(c.outputs[1], x.shape, { dtype: 'bool' }, mask), fileTypeNamed('bool'))];
};

export const constantImporters: Record<string, Importer> = {
  Shape: shape,
  Size: (c) => [int64s(c, [countOf(input(c, 0))], [])],
  Constant: constantNode,
  ConstantOfShape: constantOfShape,
  Range: range,
  NonZero: nonZero,
  Cast: cast,
  Dropout: dropout,
};
