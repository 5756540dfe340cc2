/** Values of the file as the importers see them, and how they are brought into the order an operator wants. */
import { TidemarkError } from '../../errors.ts';
import type { GraphBuilder } from '../../graph/builder.ts';
import {
  allocate,
  elementCount,
  lazyConstant,
  type Quantisation,
  type Tensor,
  type TypedArray,
} from '../../graph/graph.ts';
import type { FileType } from './element-type.ts';
import {
  asTranspose,
  isStraight,
  lastPerm,
  plainView,
  reshapedView,
  transposedView,
  type View,
  type Walk,
  walkOf,
} from './layout.ts';
import { pixelMovement } from './pixel-movement.ts';

/** 'file': dimensions as in the file. 'last': channels last (dimension 1 moved to the end). */
export type Order = 'file' | 'last';

export interface Value {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: FileType;
  /** The tensor it lies in; a graph input gets one on first use. */
  readonly source: Source;
  readonly view: View;
  /**
   * A quantised constant behind a DequantizeLinear: the operator is added after the constant has been put in
   * order, so that later passes find constant and operator side by side.
   */
  readonly dequantise?: boolean;
}

/** A tensor, shared by all values that are views of it. */
export interface Source {
  readonly tensor: Tensor;
  /** Reordered forms that have been made, by walk and shape. */
  readonly forms: Map<string, Tensor>;
  /** Set for a graph input whose tensor is not made yet: its quantisation can still be chosen. */
  unmade?: { readonly shape: readonly number[]; quant?: Quantisation };
}

export function sourceOf(tensor: Tensor): Source {
  return { tensor, forms: new Map() };
}

/** A graph input: `make` is called on first use, with the quantisation that this use knows of. */
export function inputSource(shape: readonly number[], make: (quant?: Quantisation) => Tensor): Source {
  let made: Tensor | undefined;
  const source: Source = {
    forms: new Map(),
    unmade: { shape },
    get tensor() {
      if (!made) {
        made = make(source.unmade?.quant);
        source.unmade = undefined;
      }
      return made;
    },
  };
  return source;
}

/** The value that a tensor holds: in the file's order, or with dimension perm[j] at place j. */
export function tensorValue(tensor: Tensor, type: FileType, order: Order = 'file'): Value {
  const rank = tensor.shape.length;
  if (order === 'file') {
    return {
      name: tensor.name,
      shape: tensor.shape,
      type,
      source: sourceOf(tensor),
      view: plainView(tensor.shape),
    };
  }
  const perm = lastPerm(rank);
  const shape: number[] = [];
  for (const [j, axis] of perm.entries()) shape[axis] = tensor.shape[j];
  return { name: tensor.name, shape, type, source: sourceOf(tensor), view: plainView(shape, perm) };
}

export function transposed(value: Value, perm: readonly number[]): Value {
  return { ...value, shape: perm.map((axis) => value.shape[axis]), view: transposedView(value.view, perm) };
}

/** The value under another shape; data move only where the view cannot express it. */
export function reshaped(b: GraphBuilder, value: Value, shape: readonly number[]): Value {
  if (elementCount(shape) !== elementCount(value.shape)) {
    throw new TidemarkError(
      'shape-mismatch',
      `cannot reshape [${value.shape}] to [${shape}]: the numbers of elements differ`,
    );
  }
  const view = elementCount(shape) === 0 ? undefined : reshapedView(value.view, shape);
  if (view) return { ...value, shape, view };
  const tensor = place(b, value, 'file');
  return { ...value, dequantise: false, shape, view: plainView(shape), source: sourceOf(tensor) };
}

/** Whether memory already has this order. */
export function liesIn(value: Value, order: Order): boolean {
  return isStraight(walkOf(value.view, order === 'last' ? lastPerm(value.shape.length) : undefined));
}

/**
 * The order that costs nothing; where both do, the one the tensor's shape has, else the one with more channels
 * in a pixel; where none does, channels last if that can be computed pixel by pixel, else the order that keeps
 * what is innermost in memory innermost.
 */
export function preferredOrder(value: Value): Order {
  const rank = value.shape.length;
  if (rank !== 3 && rank !== 4) return 'file';
  const file = liesIn(value, 'file');
  const last = liesIn(value, 'last');
  const { view, shape, source } = value;
  const perm = lastPerm(rank);
  const target = perm.map((axis) => shape[axis]);
  const from = source.unmade?.shape ?? source.tensor.shape;
  if (file && last) {
    if (sameShape(from, target) !== sameShape(from, shape)) return sameShape(from, target) ? 'last' : 'file';
    return shape[1] > shape[rank - 1] ? 'last' : 'file';
  }
  if (file || last) return file ? 'file' : 'last';
  if (pixelMovement(from, target, walkOf(view, perm))) return 'last';
  return view.dims[1].includes(view.atoms.length - 1) ? 'last' : 'file';
}

/** The value as a tensor whose dimensions lie in the given order. Adds what is needed to the graph. */
export function place(b: GraphBuilder, value: Value, order: Order): Tensor {
  const perm = order === 'last' ? lastPerm(value.shape.length) : undefined;
  const shape = perm ? perm.map((axis) => value.shape[axis]) : [...value.shape];
  const source = value.source.tensor;
  const walk = elementCount(shape) === 0 ? [] : walkOf(value.view, perm);
  const key = `${shape}|${JSON.stringify(walk)}|${!!value.dequantise}`;
  const made = value.source.forms.get(key);
  if (made) return made;
  let tensor = isStraight(walk) ? straight(b, source, shape) : moved(b, source, shape, walk, value);
  if (value.dequantise) tensor = b.op('Dequantize', [tensor], {}, { name: value.name, keep: true });
  value.source.forms.set(key, tensor);
  return tensor;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

function straight(b: GraphBuilder, source: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(source.shape, shape)) return source;
  if (!source.constant)
    return b.op('Reshape', [source], { shape }, { name: `${source.name}/as[${shape.join('x')}]` });
  const quant = movedQuantisation(source, shape, []);
  return b.tensor(source.name, shape, { dtype: source.dtype, quant }, source.constant);
}

function moved(b: GraphBuilder, source: Tensor, shape: readonly number[], walk: Walk, value: Value): Tensor {
  const name = value.name === source.name ? `${value.name}/reordered` : value.name;
  const { constant, dtype } = source;
  if (constant) {
    const quant = movedQuantisation(source, shape, walk);
    return b.tensor(
      name,
      shape,
      { dtype, quant },
      lazyConstant(() => gather(constant.load(), walk)),
    );
  }
  const known = pixelMovement(source.shape, shape, walk);
  if (known) return b.op(known.kind, [straight(b, source, known.from)], known.attrs, { name });
  const { shape: merged, perm } = asTranspose(walk);
  const from = sameShape(merged, source.shape)
    ? source
    : b.op('Reshape', [source], { shape: merged }, { name: `${name}/parts` });
  const direct = sameShape(
    perm.map((axis) => merged[axis]),
    shape,
  );
  const turned = b.op('Transpose', [from], { perm }, { name: direct ? name : `${name}/turned` });
  return direct ? turned : b.op('Reshape', [turned], { shape }, { name });
}

/** Elements in the order of the walk. */
function gather(values: TypedArray, walk: Walk): TypedArray {
  const out = values.slice();
  const inner = walk[walk.length - 1];
  const outer = walk.slice(0, -1);
  const index = outer.map(() => 0);
  let base = 0;
  for (let o = 0; o < out.length; ) {
    for (let i = 0; i < inner.size; i++) out[o++] = values[base + i * inner.stride];
    for (let d = outer.length - 1; d >= 0; d--) {
      base += outer[d].stride;
      if (++index[d] < outer[d].size) break;
      base -= outer[d].stride * outer[d].size;
      index[d] = 0;
    }
  }
  return out;
}

/** Per-axis quantisation of a constant after its elements moved: the axis must stay whole. */
function movedQuantisation(source: Tensor, shape: readonly number[], walk: Walk): Quantisation | undefined {
  const { quant } = source;
  if (!quant || quant.scale.length === 1) return quant;
  const stride = elementCount(source.shape.slice(quant.axis + 1));
  const size = source.shape[quant.axis];
  // Each element's place in the source, followed for one step along each axis of the new shape.
  const steps = walk.length === 0 || isStraight(walk) ? [{ size: elementCount(shape), stride: 1 }] : walk;
  const axis = shape.findIndex((d, i) => {
    if (d !== size) return false;
    const ahead = elementCount(shape.slice(i + 1));
    return sourceIndex(steps, ahead) === stride;
  });
  if (axis < 0) {
    throw new TidemarkError(
      'quantisation-invalid',
      `${source.name} is quantised per axis, and its shape is changed across that axis`,
    );
  }
  return { ...quant, axis };
}

function sourceIndex(walk: Walk, element: number): number {
  let rest = element;
  let at = 0;
  for (let i = walk.length - 1; i >= 0; i--) {
    at += (rest % walk[i].size) * walk[i].stride;
    rest = Math.floor(rest / walk[i].size);
  }
  return at;
}

/** The elements of a constant in the file's order. */
export function constantValues(b: GraphBuilder, value: Value): TypedArray {
  const tensor = place(b, { ...value, dequantise: false }, 'file');
  const values = tensor.constant!.load();
  if (!value.dequantise) return values;
  const { quant, shape } = tensor;
  const out = allocate('f32', values.length);
  const inner = quant!.scale.length > 1 ? elementCount(shape.slice(quant!.axis + 1)) : 1;
  for (let i = 0; i < out.length; i++) {
    const c = quant!.scale.length > 1 ? Math.floor(i / inner) % quant!.scale.length : 0;
    out[i] = Math.fround((values[i] - quant!.zeroPoint[c]) * Math.fround(quant!.scale[c]));
  }
  return out;
}

/** True when the value is known before the run. */
export function isConstant(value: Value): boolean {
  return !value.source.unmade && value.source.tensor.constant !== undefined;
}
