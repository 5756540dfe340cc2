/** Changes of type, and operators whose result is known on import. */
import { TidemarkError } from '../../../errors.ts';
import {
  constantOf,
  elementCount,
  lazyConstant,
  type Tensor,
  type TypedArray,
} from '../../../graph/graph.ts';
import { finish, type Importer, input, type Node, numbers, single } from '../importer.ts';

const cast: Importer = (node) => {
  const x = input(node, 0);
  return finish(node, 'Cast', [x], { to: node.types[0].dtype });
};

const quantize: Importer = (node) => {
  const x = input(node, 0);
  return finish(node, x.quant ? 'Requantize' : 'Quantize', [x], {});
};

/** Float16 weights are floats in the graph already: then there is nothing to do. */
const dequantize: Importer = (node) => {
  const x = input(node, 0);
  if (x.dtype === 'f32') return x;
  if (!x.quant)
    throw new TidemarkError('quantisation-invalid', `tensor ${x.name} has no scale to dequantise with`);
  return finish(node, 'Dequantize', [x], {});
};

function known(node: Node, shape: readonly number[], values: TypedArray): Tensor {
  const { dtype } = node.types[0];
  if (dtype !== 'i32') throw new TidemarkError('type-unsupported', `sizes are integers, not ${dtype}`);
  return node.builder.tensor(node.declared[0].name, shape, node.types[0], constantOf(values));
}

const shapeOf: Importer = (node) => {
  const { shape } = input(node, 0);
  return known(node, [shape.length], Int32Array.from(shape));
};

const rank: Importer = (node) => known(node, [], Int32Array.of(input(node, 0).shape.length));

/** A tensor filled with one value. */
function filled(node: Node, shape: readonly number[], value: number): Tensor {
  const { dtype } = node.types[0];
  if (dtype !== 'f32' && dtype !== 'i32')
    throw new TidemarkError('type-unsupported', `a filled tensor of type ${dtype} is not supported`);
  const count = elementCount(shape);
  const make = () => (dtype === 'f32' ? new Float32Array(count) : new Int32Array(count)).fill(value);
  return node.builder.tensor(node.declared[0].name, shape, node.types[0], lazyConstant(make));
}

export const conversion: Record<string, Importer> = {
  CAST: cast,
  QUANTIZE: quantize,
  DEQUANTIZE: dequantize,
  SHAPE: shapeOf,
  RANK: rank,
  FILL: (node) => filled(node, numbers(node, 0, 'dimensions'), single(node, 1, 'value')),
  ZEROS_LIKE: (node) => filled(node, input(node, 0).shape, 0),
};
