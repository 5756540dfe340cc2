/** Resize and Upsample in their forms since operator set 7. */
import { TidemarkError } from '../../../errors.ts';
import {
  axisIn,
  constantInput,
  emit,
  type Importer,
  input,
  type NodeContext,
  refuse,
} from '../node-context.ts';
import { type Order, place, reshaped, transposed, type Value } from '../value.ts';

interface Target {
  /** Output size of each axis of the file. */
  readonly sizes: number[];
  readonly scales: number[];
}

/** The two axes that are resized as rows and columns of a channels-last picture. */
function resized(
  c: NodeContext,
  x: Value,
  { sizes, scales }: Target,
  attrs: ReturnType<typeof sampling>,
): Value {
  const rank = x.shape.length;
  const moving = [...x.shape.keys()].filter((i) => sizes[i] !== x.shape[i] || scales[i] !== 1);
  if (moving.length === 0) return x;
  if (rank < 4) {
    // [L], [H, W], [N, C, L] as pictures of one channel, or of width one.
    const lead: number[] = rank === 3 ? [] : new Array(4 - rank).fill(1);
    const trail: number[] = rank === 3 ? [1] : [];
    const wide = reshaped(c.b, x, [...lead, ...x.shape, ...trail]);
    const grow = (list: number[]) => [...lead, ...list, ...trail];
    const y = resized(c, wide, { sizes: grow(sizes), scales: grow(scales) }, attrs);
    return reshaped(c.b, y, sizes);
  }
  const within = (allowed: number[]) => moving.every((axis) => allowed.includes(axis));
  const order: Order | undefined =
    rank !== 4 ? undefined : within([2, 3]) ? 'last' : within([1, 2]) ? 'file' : undefined;
  if (!order) {
    // [N, C, H, W] with other axes resized: bring those two to the place of rows and columns.
    if (rank !== 4 || moving.length > 2)
      refuse(`resizing axes [${moving}] of a value of rank ${rank} is not supported`);
    const still = [...x.shape.keys()].filter((i) => !moving.includes(i));
    const both = moving.length === 2 ? moving : [...moving, still.pop()!].sort((a, b) => a - b);
    const perm = [...x.shape.keys()].filter((i) => !both.includes(i)).concat(both);
    const turn = (list: number[]) => perm.map((axis) => list[axis]);
    const y = resized(c, transposed(x, perm), { sizes: turn(sizes), scales: turn(scales) }, attrs);
    return transposed(
      y,
      perm.map((_, i) => perm.indexOf(i)),
    );
  }
  const [h, w] = order === 'last' ? [2, 3] : [1, 2];
  return emit(
    c,
    'Resize',
    [place(c.b, x, order)],
    { ...attrs, size: [sizes[h], sizes[w]], scales: [scales[h], scales[w]] },
    { order, type: x.type },
  );
}

/** How positions are found and values are mixed. */
function sampling(c: NodeContext, shrinks: boolean) {
  const mode = c.attrs.string('mode', 'nearest');
  const old = c.opType === 'Upsample' || c.opset < 11;
  return {
    mode: mode === 'bilinear' ? 'linear' : mode,
    coordinates: old ? 'asymmetric' : c.attrs.string('coordinate_transformation_mode', 'half_pixel'),
    // Before operator set 11: floor when growing, ceil when shrinking (ONNX Runtime).
    nearest: old ? (shrinks ? 'ceil' : 'floor') : c.attrs.string('nearest_mode', 'round_prefer_floor'),
    cubicA: c.attrs.float('cubic_coeff_a', -0.75),
    excludeOutside: c.attrs.int('exclude_outside', 0) !== 0,
    antialias: c.attrs.int('antialias', 0) !== 0,
  };
}

const resize: Importer = (c) => {
  const x = input(c, 0);
  const rank = x.shape.length;
  const old = c.opType === 'Upsample' || c.opset < 11;
  const axes = c.attrs.ints('axes')?.map((a) => axisIn(a, rank)) ?? [...x.shape.keys()];
  const given = old
    ? (constantInput(c, 1, 'scales') ?? c.attrs.floats('scales'))
    : constantInput(c, 2, 'scales');
  const target = given && given.length > 0 ? byScales(x, axes, Array.from(given)) : bySizes(c, x, axes);
  const attrs = sampling(
    c,
    target.scales.some((s) => s < 1),
  );
  if (attrs.coordinates === 'tf_crop_and_resize') refuse('Resize with tf_crop_and_resize is not supported');
  return [resized(c, x, target, attrs)];
};

function byScales(x: Value, axes: readonly number[], given: readonly number[]): Target {
  if (given.length !== axes.length || given.some((s) => !(s > 0))) {
    throw new TidemarkError(
      'operator-invalid',
      `scales [${given}] do not fit axes [${axes}] of shape [${x.shape}]`,
    );
  }
  const scales = x.shape.map((_, i) => (axes.includes(i) ? given[axes.indexOf(i)] : 1));
  return { scales, sizes: x.shape.map((d, i) => Math.floor(d * scales[i])) };
}

function bySizes(c: NodeContext, x: Value, axes: readonly number[]): Target {
  const given = c.opset < 11 ? undefined : constantInput(c, 3, 'sizes');
  if (!given || given.length !== axes.length || given.some((s) => s < 1)) {
    throw new TidemarkError(
      'operator-invalid',
      `sizes [${given ?? ''}] do not fit axes [${axes}] of shape [${x.shape}]`,
    );
  }
  const sizes = x.shape.map((d, i) => (axes.includes(i) ? given[axes.indexOf(i)] : d));
  const scales = sizes.map((s, i) => s / x.shape[i]);
  const policy = c.attrs.string('keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch') return { sizes, scales };
  const each = axes.map((axis) => scales[axis]);
  const scale = policy === 'not_larger' ? Math.min(...each) : Math.max(...each);
  return {
    scales: scales.map((s, i) => (axes.includes(i) ? scale : s)),
    sizes: sizes.map((s, i) => (axes.includes(i) ? Math.floor(scale * x.shape[i] + 0.5) : s)),
  };
}

export const resizeImporters: Record<string, Importer> = { Resize: resize, Upsample: resize };
