/** Operators that change the view of a value: Reshape and its kin, Transpose, DepthToSpace. They add nothing to the graph. */
import { TidemarkError } from '../../../errors.ts';
import { elementCount } from '../../../graph/graph.ts';
import { axisIn, type Importer, input, integers, type NodeContext } from '../node-context.ts';
import { reshaped, transposed } from '../value.ts';

/** 0 keeps the input's dimension (unless allowzero), one -1 is what is left. */
const reshape: Importer = (c) => {
  const x = input(c, 0);
  const wanted = integers(c, 'shape', 1);
  if (!wanted) throw new TidemarkError('graph-invalid', 'the shape is missing');
  const allowZero = c.attrs.int('allowzero', 0) !== 0;
  const shape = wanted.map((d, i) => (d === 0 && !allowZero ? (x.shape[i] ?? 0) : d));
  const open = shape.indexOf(-1);
  if (open >= 0) {
    const known = shape.reduce((product, d, i) => (i === open ? product : product * d), 1);
    shape[open] = known === 0 ? 0 : elementCount(x.shape) / known;
  }
  if (!shape.every((d) => Number.isInteger(d) && d >= 0)) {
    throw new TidemarkError('shape-mismatch', `cannot reshape [${x.shape}] to [${wanted}]`);
  }
  return [reshaped(c.b, x, shape)];
};

const flatten: Importer = (c) => {
  const x = input(c, 0);
  const rank = x.shape.length;
  const given = c.attrs.int('axis', 1);
  const axis = given === rank ? rank : axisIn(given, rank);
  return [reshaped(c.b, x, [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis))])];
};

const squeeze: Importer = (c) => {
  const x = input(c, 0);
  const axes = integers(c, 'axes', 1)?.map((a) => axisIn(a, x.shape.length));
  // An empty list names none, and then all of size 1 go, as where there is no list.
  const dropped = x.shape.map((d, i) => (axes?.length ? axes.includes(i) : d === 1));
  if (x.shape.some((d, i) => dropped[i] && d !== 1)) {
    throw new TidemarkError(
      'shape-mismatch',
      `cannot squeeze axes [${axes}] of shape [${x.shape}]: they are not all 1`,
    );
  }
  return [
    reshaped(
      c.b,
      x,
      x.shape.filter((_, i) => !dropped[i]),
    ),
  ];
};

const unsqueeze: Importer = (c) => {
  const x = input(c, 0);
  const given = integers(c, 'axes', 1) ?? [];
  const rank = x.shape.length + given.length;
  const axes = new Set(given.map((a) => axisIn(a, rank)));
  if (axes.size !== given.length) throw new TidemarkError('operator-invalid', `axes [${given}] repeat`);
  const rest = [...x.shape];
  return [
    reshaped(
      c.b,
      x,
      Array.from({ length: rank }, (_, i) => (axes.has(i) ? 1 : rest.shift()!)),
    ),
  ];
};

const transpose: Importer = (c) => {
  const x = input(c, 0);
  const rank = x.shape.length;
  const perm = c.attrs.ints('perm') ?? [...x.shape.keys()].reverse();
  if (perm.length !== rank || new Set(perm).size !== rank || perm.some((p) => p < 0 || p >= rank)) {
    throw new TidemarkError('operator-invalid', `perm [${perm}] does not permute a shape of rank ${rank}`);
  }
  return [transposed(x, perm)];
};

function blocks(c: NodeContext): { x: ReturnType<typeof input>; r: number } {
  const x = input(c, 0);
  const r = c.attrs.int('blocksize', 0);
  if (x.shape.length !== 4 || r < 1)
    throw new TidemarkError('operator-invalid', `a block of ${r} does not fit the shape [${x.shape}]`);
  return { x, r };
}

const depthToSpace: Importer = (c) => {
  const { x, r } = blocks(c);
  const [n, channels, h, w] = x.shape;
  const depth = channels / (r * r);
  if (!Number.isInteger(depth))
    throw new TidemarkError('shape-mismatch', `${channels} channels do not make blocks of ${r}`);
  const crd = c.attrs.string('mode', 'DCR') === 'CRD';
  const parts = reshaped(c.b, x, crd ? [n, depth, r, r, h, w] : [n, r, r, depth, h, w]);
  return [
    reshaped(c.b, transposed(parts, crd ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]), [n, depth, h * r, w * r]),
  ];
};

const spaceToDepth: Importer = (c) => {
  const { x, r } = blocks(c);
  const [n, channels, h, w] = x.shape;
  if (h % r !== 0 || w % r !== 0)
    throw new TidemarkError('shape-mismatch', `a picture of ${h} x ${w} does not make blocks of ${r}`);
  const parts = reshaped(c.b, x, [n, channels, h / r, r, w / r, r]);
  return [reshaped(c.b, transposed(parts, [0, 3, 5, 1, 2, 4]), [n, channels * r * r, h / r, w / r])];
};

export const movementImporters: Record<string, Importer> = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Identity: (c) => [input(c, 0)],
};
