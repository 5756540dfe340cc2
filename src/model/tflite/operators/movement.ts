/** Operators that move values without changing them: reshaping, joining, padding, gathering, transposing. */
import { TidemarkError } from '../../../errors.ts';
import { elementCount, type Tensor } from '../../../graph/graph.ts';
import {
  axisOf,
  clipOf,
  finish,
  type Importer,
  input,
  type Node,
  numbers,
  single,
  step,
} from '../importer.ts';
import {
  concatenationOptions,
  gatherOptions,
  mirrorPadOptions,
  packOptions,
  reshapeOptions,
  squeezeOptions,
} from '../schema.ts';

/** The shape with its one -1 filled in. */
function resolved(shape: readonly number[], count: number): number[] {
  const known = elementCount(shape.filter((d) => d !== -1));
  return shape.map((d) => (d === -1 && known > 0 ? count / known : d));
}

const reshape: Importer = (node) => {
  const x = input(node, 0);
  const count = elementCount(x.shape);
  let target = reshapeOptions(node.file.options).shape;
  const given = node.inputs[1];
  if (given?.constant) target = numbers(node, 1, 'new shape');
  // Without a constant shape the declared one holds, unless the file leaves a part of it open.
  else if (given || target.length === 0) target = [...node.declared[0].shape];
  // An old writer's way of naming a scalar.
  if (target.length === 1 && target[0] === 0 && count === 1) target = [];
  const shape = resolved(target, count);
  if (shape.some((d) => !Number.isInteger(d) || d < 0) || elementCount(shape) !== count) {
    const hint =
      given && !given.constant ? '; the new shape is computed at run time, expected a constant' : '';
    throw new TidemarkError(
      hint ? 'shape-dynamic' : 'shape-mismatch',
      `a reshape of [${x.shape}] to [${target}]${hint}`,
    );
  }
  return finish(node, 'Reshape', [x], { shape });
};

const squeeze: Importer = (node) => {
  const x = input(node, 0);
  const { dims } = squeezeOptions(node.file.options);
  const axes = new Set(dims.map((d) => axisOf(d, x.shape.length)));
  const shape = x.shape.filter((d, i) => (dims.length === 0 ? d !== 1 : !axes.has(i)));
  return finish(node, 'Reshape', [x], { shape });
};

const expandDims: Importer = (node) => {
  const x = input(node, 0);
  const axis = axisOf(single(node, 1, 'axis'), x.shape.length + 1);
  return finish(node, 'Reshape', [x], { shape: [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)] });
};

const concatenation: Importer = (node) => {
  const { axis, activation } = concatenationOptions(node.file.options);
  const parts = node.inputs.map((_, i) => input(node, i));
  const attrs = { axis: axisOf(axis, input(node, 0).shape.length) };
  // The activation is an operator of its own: a concatenation of parts in place has no kernel to fuse it into.
  const clip = clipOf(activation, node.types[0]);
  if (!clip) return finish(node, 'Concat', parts, attrs, { activation });
  const joined = step(node, 'concat', 'Concat', parts, attrs, node.types[0]);
  return finish(node, 'Clip', [joined], clip.attrs);
};

const pack: Importer = (node) => {
  const first = input(node, 0);
  const axis = axisOf(packOptions(node.file.options).axis, first.shape.length + 1);
  const shape = [...first.shape.slice(0, axis), 1, ...first.shape.slice(axis)];
  const parts = node.inputs.map((_, i) => step(node, `part${i}`, 'Reshape', [input(node, i)], { shape }));
  return finish(node, 'Concat', parts, { axis });
};

/** Pairs of pads `[before, after]`, one each an axis. */
function pads(node: Node, x: Tensor): { before: number[]; after: number[] } {
  const flat = numbers(node, 1, 'pads');
  if (flat.length !== 2 * x.shape.length || flat.some((p) => p < 0)) {
    throw new TidemarkError('operator-invalid', `pads [${flat}] on the shape [${x.shape}]`);
  }
  return { before: flat.filter((_, i) => i % 2 === 0), after: flat.filter((_, i) => i % 2 === 1) };
}

const pad: Importer = (node) => {
  const x = input(node, 0);
  return finish(node, 'Pad', [x], { ...pads(node, x), mode: 'constant', value: 0 });
};

const padV2: Importer = (node) => {
  const x = input(node, 0);
  const stored = single(node, 2, 'padding value');
  const { quant } = input(node, 2);
  const value = quant ? (stored - quant.zeroPoint[0]) * quant.scale[0] : stored;
  return finish(node, 'Pad', [x], { ...pads(node, x), mode: 'constant', value });
};

const mirrorPad: Importer = (node) => {
  const x = input(node, 0);
  const { symmetric } = mirrorPadOptions(node.file.options);
  return finish(node, 'Pad', [x], { ...pads(node, x), mode: symmetric ? 'symmetric' : 'reflect', value: 0 });
};

const transpose: Importer = (node) => {
  const x = input(node, 0);
  const perm = numbers(node, 1, 'permutation').map((a) => axisOf(a, x.shape.length));
  if (new Set(perm).size !== x.shape.length || perm.length !== x.shape.length) {
    throw new TidemarkError('operator-invalid', `the permutation [${perm}] of the shape [${x.shape}]`);
  }
  return finish(node, 'Transpose', [x], { perm });
};

const gather: Importer = (node) => {
  const x = input(node, 0);
  const { axis, batchDims } = gatherOptions(node.file.options);
  if (batchDims !== 0)
    throw new TidemarkError('operator-unsupported', `batch_dims of ${batchDims}; only 0 is supported`);
  return finish(node, 'Gather', [x, input(node, 1)], { axis: axisOf(axis, x.shape.length) });
};

const tile: Importer = (node) =>
  finish(node, 'Tile', [input(node, 0)], { repeats: numbers(node, 1, 'multiples') });

const broadcastTo: Importer = (node) =>
  finish(node, 'Expand', [input(node, 0)], { shape: numbers(node, 1, 'shape') });

function batches(kind: 'SpaceToBatch' | 'BatchToSpace'): Importer {
  return (node) => {
    const block = numbers(node, 1, 'block shape');
    const flat = numbers(node, 2, kind === 'SpaceToBatch' ? 'paddings' : 'crops');
    if (block.some((b) => b < 1) || flat.length !== 2 * block.length || flat.some((p) => p < 0)) {
      throw new TidemarkError('operator-invalid', `a block shape of [${block}] with [${flat}]`);
    }
    const before = flat.filter((_, i) => i % 2 === 0);
    return finish(node, kind, [input(node, 0)], { block, before, after: flat.filter((_, i) => i % 2 === 1) });
  };
}

export const movement: Record<string, Importer> = {
  RESHAPE: reshape,
  SQUEEZE: squeeze,
  EXPAND_DIMS: expandDims,
  CONCATENATION: concatenation,
  PACK: pack,
  PAD: pad,
  PADV2: padV2,
  MIRROR_PAD: mirrorPad,
  TRANSPOSE: transpose,
  GATHER: gather,
  GATHER_ND: (node) => finish(node, 'GatherND', [input(node, 0), input(node, 1)], {}),
  TILE: tile,
  BROADCAST_TO: broadcastTo,
  SPACE_TO_BATCH_ND: batches('SpaceToBatch'),
  BATCH_TO_SPACE_ND: batches('BatchToSpace'),
};
