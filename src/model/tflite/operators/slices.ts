/** Parts of a tensor: slices, strided slices, splits, unpacking. */
import { TidemarkError } from '../../../errors.ts';
import type { Tensor } from '../../../graph/graph.ts';
import { axisOf, finish, type Importer, input, type Node, numbers, single, step } from '../importer.ts';
import { packOptions, splitOptions, stridedSliceOptions } from '../schema.ts';

interface Part {
  readonly starts: number[];
  readonly steps: number[];
  readonly sizes: number[];
}

const whole = (x: Tensor): Part => ({
  starts: x.shape.map(() => 0),
  steps: x.shape.map(() => 1),
  sizes: [...x.shape],
});

const slice: Importer = (node) => {
  const x = input(node, 0);
  const begin = numbers(node, 1, 'begin');
  const size = numbers(node, 2, 'size');
  if (begin.length !== x.shape.length || size.length !== x.shape.length) {
    throw new TidemarkError(
      'operator-invalid',
      `begin [${begin}] and size [${size}] on a tensor of shape [${x.shape}]`,
    );
  }
  const sizes = size.map((s, i) => (s === -1 ? x.shape[i] - begin[i] : s));
  if (sizes.some((s, i) => s < 0 || begin[i] < 0 || begin[i] + s > x.shape[i])) {
    throw new TidemarkError(
      'operator-invalid',
      `begin [${begin}] and size [${size}] reach outside the shape [${x.shape}]`,
    );
  }
  return finish(node, 'Slice', [x], { starts: begin, steps: x.shape.map(() => 1), sizes });
};

/**
 * The part that TensorFlow's strided slice names, and the shape of its result: the ellipsis stands for the
 * dimensions that nothing else names, a new axis adds a dimension of one, a shrunk axis loses its own.
 */
export function stridedPart(
  shape: readonly number[],
  begin: readonly number[],
  end: readonly number[],
  strides: readonly number[],
  masks: ReturnType<typeof stridedSliceOptions>,
): Part & { readonly shape: number[] } {
  const part: Part & { shape: number[] } = { starts: [], steps: [], sizes: [], shape: [] };
  const bit = (mask: number, i: number) => (mask & (1 << i)) !== 0;
  const isNew = (i: number) => bit(masks.newAxisMask, i) && !bit(masks.ellipsisMask, i);
  const named = begin.filter((_, i) => !isNew(i) && !bit(masks.ellipsisMask, i)).length;
  const take = (count: number) => {
    for (let k = 0; k < count && part.starts.length < shape.length; k++) {
      const size = shape[part.starts.length];
      part.starts.push(0);
      part.steps.push(1);
      part.sizes.push(size);
      part.shape.push(size);
    }
  };
  for (let i = 0; i < begin.length; i++) {
    if (bit(masks.ellipsisMask, i)) {
      take(shape.length - named);
      continue;
    }
    if (isNew(i)) {
      part.shape.push(1);
      continue;
    }
    const axis = part.starts.length;
    if (axis >= shape.length)
      throw new TidemarkError('operator-invalid', `a slice of ${named} dimensions of the shape [${shape}]`);
    const [size, stride] = [shape[axis], strides[i]];
    if (stride === 0) throw new TidemarkError('operator-invalid', 'a stride of 0');
    const [low, high] = stride > 0 ? [0, size] : [-1, size - 1];
    const clamp = (at: number) => Math.min(high, Math.max(low, at < 0 ? at + size : at));
    const start = bit(masks.beginMask, i) ? (stride > 0 ? low : high) : clamp(begin[i]);
    const last = masks.offset ? begin[i] + end[i] : end[i];
    if (bit(masks.shrinkAxisMask, i)) {
      const at = begin[i] < 0 ? begin[i] + size : begin[i];
      if (at < 0 || at >= size)
        throw new TidemarkError('operator-invalid', `index ${begin[i]} of a dimension of ${size}`);
      part.starts.push(at);
      part.steps.push(1);
      part.sizes.push(1);
      continue;
    }
    const stop = bit(masks.endMask, i) ? (stride > 0 ? high : low) : clamp(last);
    const length = Math.max(0, Math.ceil((stop - start) / stride));
    part.starts.push(start);
    part.steps.push(stride);
    part.sizes.push(length);
    part.shape.push(length);
  }
  take(shape.length);
  return part;
}

const stridedSlice: Importer = (node) => {
  const x = input(node, 0);
  const [begin, end, strides] = [
    numbers(node, 1, 'begin'),
    numbers(node, 2, 'end'),
    numbers(node, 3, 'strides'),
  ];
  if (begin.length !== end.length || begin.length !== strides.length || begin.length > 31) {
    throw new TidemarkError(
      'operator-invalid',
      `begin [${begin}], end [${end}] and strides [${strides}] differ in length`,
    );
  }
  const { shape, ...part } = stridedPart(
    x.shape,
    begin,
    end,
    strides,
    stridedSliceOptions(node.file.options),
  );
  if (shape.length === part.sizes.length && shape.every((d, i) => d === part.sizes[i])) {
    return finish(node, 'Slice', [x], { ...part });
  }
  const sliced = step(node, 'slice', 'Slice', [x], { ...part });
  return finish(node, 'Reshape', [sliced], { shape });
};

/** One slice for each output along an axis. */
function cut(node: Node, x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  const total = sizes.reduce((a, b) => a + b, 0);
  if (sizes.length !== node.types.length || total !== x.shape[axis] || sizes.some((s) => s < 0)) {
    throw new TidemarkError(
      'shape-mismatch',
      `parts of [${sizes}] for ${node.types.length} outputs of a dimension of ${x.shape[axis]}`,
    );
  }
  let start = 0;
  return sizes.map((size, output) => {
    const part = whole(x);
    part.starts[axis] = start;
    part.sizes[axis] = size;
    start += size;
    return finish(node, 'Slice', [x], { ...part }, { output });
  });
}

const split: Importer = (node) => {
  const x = input(node, 1);
  const axis = axisOf(single(node, 0, 'axis'), x.shape.length);
  const { count } = splitOptions(node.file.options);
  if (count < 1 || x.shape[axis] % count !== 0 || count !== node.types.length) {
    throw new TidemarkError('shape-mismatch', `${count} equal parts of a dimension of ${x.shape[axis]}`);
  }
  return cut(node, x, axis, new Array(count).fill(x.shape[axis] / count));
};

const splitV: Importer = (node) => {
  const x = input(node, 0);
  const axis = axisOf(single(node, 2, 'axis'), x.shape.length);
  const sizes = numbers(node, 1, 'sizes');
  const known = sizes.reduce((sum, s) => sum + Math.max(0, s), 0);
  return cut(
    node,
    x,
    axis,
    sizes.map((s) => (s === -1 ? x.shape[axis] - known : s)),
  );
};

const unpack: Importer = (node) => {
  const x = input(node, 0);
  const options = packOptions(node.file.options);
  const axis = axisOf(options.axis, x.shape.length);
  if (options.count !== node.types.length || options.count !== x.shape[axis]) {
    throw new TidemarkError('shape-mismatch', `${options.count} parts of a dimension of ${x.shape[axis]}`);
  }
  const shape = x.shape.filter((_, i) => i !== axis);
  return node.types.map((_, output) => {
    const part = whole(x);
    part.starts[axis] = output;
    part.sizes[axis] = 1;
    const sliced = step(node, `slice${output}`, 'Slice', [x], { ...part });
    return finish(node, 'Reshape', [sliced], { shape }, { output });
  });
};

/** Reversal is a slice with a step of -1. */
const reverse: Importer = (node) => {
  const x = input(node, 0);
  const part = whole(x);
  for (const a of numbers(node, 1, 'axes')) {
    const axis = axisOf(a, x.shape.length);
    part.steps[axis] = -1;
    part.starts[axis] = Math.max(0, x.shape[axis] - 1);
  }
  return finish(node, 'Slice', [x], { ...part });
};

export const slices: Record<string, Importer> = {
  SLICE: slice,
  STRIDED_SLICE: stridedSlice,
  SPLIT: split,
  SPLIT_V: splitV,
  UNPACK: unpack,
  REVERSE_V2: reverse,
};
