/**
 * Between arrays as files hold them and tensors as the arena holds them: the dimensions' order, the element type
 * (wider file types are narrowed as on import), and the numbers' meaning for quantised inputs.
 */
import { TidemarkError } from '../../errors.ts';
import { allocate, elementCount, type Port, type Tensor, type TypedArray } from '../../graph/graph.ts';
import { fromGraphLayout, toGraphLayout } from '../reference.ts';
import { type FileArray, type FileType, INTEGER_RANGE, isFileType } from './file-array.ts';

/** A port's element type in files. */
export function portType(port: Port): FileType {
  if (isFileType(port.dtype)) return port.dtype;
  throw new TidemarkError(
    'type-unsupported',
    `${port.name}: values of type ${port.dtype} cannot be read from a file`,
  );
}

/** An array with the port's shape and type, or a refusal that says what does not fit. */
export function fitArray(port: Port, tensor: Tensor, array: FileArray, name: string): FileArray {
  const dtype = portType(port);
  if (!sameShape(array.shape, port.shape)) {
    throw new TidemarkError(
      'shape-mismatch',
      `${name}: the shape is [${array.shape}], input ${port.name} needs [${port.shape}]`,
    );
  }
  const values = convert(array, dtype, tensor, `${name}: input ${port.name}`);
  return { dtype, shape: port.shape, values };
}

/** Equal, or equal once dimensions of size 1 are left out. */
function sameShape(a: readonly number[], b: readonly number[]): boolean {
  const essence = (shape: readonly number[]) => shape.filter((d) => d !== 1).join();
  return essence(a) === essence(b);
}

const isFloat = (dtype: FileType) => dtype === 'f16' || dtype === 'f32' || dtype === 'f64';

function convert(array: FileArray, dtype: FileType, tensor: Tensor, name: string): ArrayLike<number> {
  if (array.dtype === dtype || isFloat(dtype)) return array.values;
  if (isFloat(array.dtype) && tensor.quant) return quantiseReal(array.values, tensor);
  const range = INTEGER_RANGE[dtype]!;
  for (let i = 0; i < array.values.length; i++) {
    const v = array.values[i];
    if (!Number.isInteger(v) || v < range[0] || v > range[1]) {
      throw new TidemarkError('input-invalid', `${name} takes ${dtype}, but element ${i} is ${v}`);
    }
  }
  return array.values;
}

/** Real numbers as the tensor's stored integers: q = round(x / scale) + zero point, clamped. */
export function quantiseReal(values: ArrayLike<number>, tensor: Tensor): Float64Array {
  const { scale, zeroPoint } = tensor.quant!;
  const [low, high] = INTEGER_RANGE[tensor.dtype]!;
  return Float64Array.from(values, (x) => {
    const q = Math.round(x / scale[0]) + zeroPoint[0];
    return Math.min(high, Math.max(low, q));
  });
}

/** The port's values as its tensor's, in memory order. */
export function toTensor(port: Port, tensor: Tensor, array: FileArray): TypedArray {
  const stored = allocate(tensor.dtype, elementCount(tensor.shape));
  const store = storer(tensor);
  for (let i = 0; i < stored.length; i++) stored[i] = store(array.values[i]);
  return toGraphLayout(port, stored);
}

/** A tensor's values as the port shows them to the outside. */
export function fromTensor(port: Port, values: TypedArray): FileArray {
  return { dtype: portType(port), shape: port.shape, values: fromGraphLayout(port, values) };
}

function storer(tensor: Tensor): (v: number) => number {
  if (tensor.dtype === 'f32') return (v) => v;
  if (tensor.dtype === 'bool') return (v) => (v ? 1 : 0);
  const [low, high] = INTEGER_RANGE[tensor.dtype]!;
  return (v) => Math.min(high, Math.max(low, v));
}
