/**
 * The one graph that every reader produces and every pass consumes.
 *
 * Always true: dimensions are in memory order (row-major, channels last), operators stand in a valid execution
 * order, a tensor's id is its index in `tensors`, and every tensor has one producer (an operator, a graph
 * input, or its own constant). Graphs are values: a pass returns a new one.
 */

/** Element types that can stand in the arena. Wider file types are narrowed on import (see docs/operators.md). */
export type DType = 'f32' | 'i32' | 'i16' | 'i8' | 'u8' | 'bool';

export type TypedArray = Float32Array | Int32Array | Int16Array | Int8Array | Uint8Array;

export type TensorId = number;

/** Stands in `Operator.inputs` for an optional input that is left out. */
export const ABSENT = -1;

/** real = scale * (stored - zeroPoint). One entry, or one per index along `axis`. */
export interface Quantisation {
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  /** Index into the tensor's shape that the entries run along; 0 when there is one entry. */
  readonly axis: number;
}

/** What is needed to interpret bytes as numbers. */
export interface ElementType {
  readonly dtype: DType;
  readonly quant?: Quantisation;
}

/** Weights and other values known before a run. Loaded on first use, so that planning needs none of them. */
export interface Constant {
  load(): TypedArray;
  /** Not in the file, but made on first use from something small: it can have any number of elements. */
  readonly made?: boolean;
}

export interface Tensor extends ElementType {
  readonly id: TensorId;
  readonly name: string;
  /** Dimensions, outermost first; the last one is the channels of a pixel. */
  readonly shape: readonly number[];
  readonly constant?: Constant;
}

export type AttributeValue =
  | number
  | string
  | boolean
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

export type Attributes = { readonly [key: string]: AttributeValue };

/**
 * A unary step applied in place to each run of pixels an operator has written, so that an activation costs no
 * buffer. `from` and `to` have elements of one size.
 */
export interface Epilogue {
  readonly kind: string;
  readonly attrs: Attributes;
  readonly from: ElementType;
  readonly to: ElementType;
}

export interface Operator<A extends Attributes = Attributes> {
  readonly id: number;
  /** The file's name for the node, or one made from its kind and output. */
  readonly name: string;
  /** Key into the operator registry (src/ops/registry.ts). */
  readonly kind: string;
  readonly inputs: readonly TensorId[];
  readonly outputs: readonly TensorId[];
  readonly attrs: A;
  readonly epilogue?: readonly Epilogue[];
}

/**
 * A graph input or output as the outside sees it. `shape[i]` is the file's dimension i; the tensor in the
 * graph has dimension `perm[j]` of the file at place j (an NCHW file has perm 0,2,3,1). Without `perm` the two
 * agree up to a reshape.
 */
export interface Port {
  readonly tensor: TensorId;
  readonly name: string;
  readonly shape: readonly number[];
  /** Element type in the file: f32, f16, f64, i64, i32, i8, u8, i16, bool. */
  readonly dtype: string;
  readonly perm?: readonly number[];
}

/**
 * Whose rounding quantised operators follow: ONNX Runtime's (float scale, ties to even) or the TFLite
 * reference kernels' (fixed-point multiplier).
 */
export type Dialect = 'onnx' | 'tflite';

export interface Graph {
  readonly name: string;
  readonly dialect: Dialect;
  readonly tensors: readonly Tensor[];
  readonly operators: readonly Operator[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

const BYTES: Readonly<Record<DType, number>> = { f32: 4, i32: 4, i16: 2, i8: 1, u8: 1, bool: 1 };

/** Bytes of one element. */
export function elementBytes(type: { readonly dtype: DType }): number {
  return BYTES[type.dtype];
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const d of shape) count *= d;
  return count;
}

/** Bytes of a whole tensor. */
export function tensorBytes(t: Tensor): number {
  return elementCount(t.shape) * elementBytes(t);
}

/** Elements of one pixel: the last dimension; 1 for a scalar. */
export function channelsOf(shape: readonly number[]): number {
  return shape.length === 0 ? 1 : shape[shape.length - 1];
}

/** Pixels of a tensor: all elements over its channels. */
export function pixelsOf(shape: readonly number[]): number {
  let count = 1;
  for (let i = 0; i < shape.length - 1; i++) count *= shape[i];
  return count;
}

/** Pixels of one row: the second last dimension from rank 3 on, else 1. */
export function rowPixels(shape: readonly number[]): number {
  return shape.length >= 3 ? shape[shape.length - 2] : 1;
}

/** An empty typed array for `count` elements of a dtype. */
export function allocate(dtype: DType, count: number): TypedArray {
  switch (dtype) {
    case 'f32':
      return new Float32Array(count);
    case 'i32':
      return new Int32Array(count);
    case 'i16':
      return new Int16Array(count);
    case 'i8':
      return new Int8Array(count);
    default:
      return new Uint8Array(count);
  }
}

/** A constant whose values are at hand. */
export function constantOf(values: TypedArray): Constant {
  return { load: () => values };
}

/** A constant made on first use and kept. */
export function lazyConstant(make: () => TypedArray): Constant {
  let values: TypedArray | undefined;
  return {
    load: () => {
      values ??= make();
      return values;
    },
  };
}

/** Per-tensor quantisation. */
export function perTensor(scale: number, zeroPoint: number): Quantisation {
  return { scale: [scale], zeroPoint: [zeroPoint], axis: 0 };
}

/** The operator that writes each tensor, by tensor id. */
export function producers(graph: Graph): (Operator | undefined)[] {
  const by: (Operator | undefined)[] = new Array(graph.tensors.length).fill(undefined);
  for (const op of graph.operators) for (const t of op.outputs) by[t] = op;
  return by;
}

/** The operators that read each tensor, by tensor id, in execution order, each once. */
export function consumers(graph: Graph): Operator[][] {
  const by: Operator[][] = graph.tensors.map(() => []);
  for (const op of graph.operators) {
    for (const t of new Set(op.inputs)) if (t !== ABSENT) by[t].push(op);
  }
  return by;
}
