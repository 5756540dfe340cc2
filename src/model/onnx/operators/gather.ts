/** Gather and its kin. Places known before the run that are evenly spaced are a slice. */
import { TidemarkError } from '../../../errors.ts';
import { elementCount } from '../../../graph/graph.ts';
import {
  axisIn,
  constantInput,
  emit,
  type Importer,
  input,
  type NodeContext,
  orderFor,
  placed,
  refuse,
} from '../node-context.ts';
import { isConstant, place, reshaped, tensorValue, type Value } from '../value.ts';
import { sliced } from './selection.ts';

const gather: Importer = (c) => {
  const x = input(c, 0);
  const indices = input(c, 1);
  const rank = x.shape.length;
  const axis = axisIn(c.attrs.int('axis', 0), rank);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  if (!isConstant(indices)) {
    const made = emit(
      c,
      'Gather',
      [place(c.b, x, 'file'), place(c.b, indices, 'file')],
      { axis },
      { type: x.type },
    );
    return [reshaped(c.b, made, shape)];
  }
  const list = Array.from(constantInput(c, 1, 'indices', 'madeElements')!, (i) =>
    i < 0 ? i + x.shape[axis] : i,
  );
  const outside = list.find((i) => i < 0 || i >= x.shape[axis]);
  if (outside !== undefined)
    throw new TidemarkError(
      'operator-invalid',
      `index ${outside} is outside axis ${axis} of shape [${x.shape}]`,
    );
  return [reshaped(c.b, picked(c, x, axis, list), shape)];
};

/** The listed places along an axis: a slice where they are evenly spaced. */
function picked(c: NodeContext, x: Value, axis: number, list: readonly number[]): Value {
  const step = list.length > 1 ? list[1] - list[0] : 1;
  if (list.length > 0 && step !== 0 && list.every((v, i) => v === list[0] + i * step)) {
    const along = (value: number, others: (d: number) => number) =>
      x.shape.map((d, i) => (i === axis ? value : others(d)));
    return sliced(
      c,
      x,
      along(list[0], () => 0),
      along(step, () => 1),
      along(list.length, (d) => d),
      0,
    );
  }
  const rank = x.shape.length;
  const order = orderFor([x], rank);
  const indices = c.b.constant(`${c.name}/indices`, [list.length], Int32Array.from(list));
  return emit(
    c,
    'Gather',
    [place(c.b, x, order), indices],
    { axis: placed(axis, rank, order) },
    { order, type: x.type },
  );
}

const gatherNd: Importer = (c) => {
  const x = input(c, 0);
  const indices = input(c, 1);
  if (c.attrs.int('batch_dims', 0) !== 0) refuse('GatherND with batch_dims is not supported');
  return [emit(c, 'GatherND', [place(c.b, x, 'file'), place(c.b, indices, 'file')], {}, { type: x.type })];
};

/** Only between constants, where the result is a constant again. */
const gatherElements: Importer = (c) => {
  const x = input(c, 0);
  const indices = input(c, 1);
  if (!isConstant(x) || !isConstant(indices)) refuse('GatherElements on values of the run is not supported');
  const axis = axisIn(c.attrs.int('axis', 0), x.shape.length);
  const values = constantInput(c, 0, 'the input of GatherElements', 'madeElements')!;
  const list = constantInput(c, 1, 'indices', 'madeElements')!;
  const out = values.slice(0, 0);
  const result = new (out.constructor as { new (n: number): typeof values })(list.length);
  const strides = x.shape.map((_, i) => elementCount(x.shape.slice(i + 1)));
  for (let e = 0; e < list.length; e++) {
    let rest = e;
    let at = 0;
    for (let i = x.shape.length - 1; i >= 0; i--) {
      const place = rest % indices.shape[i];
      rest = Math.floor(rest / indices.shape[i]);
      at += (i === axis ? (list[e] < 0 ? list[e] + x.shape[axis] : list[e]) : place) * strides[i];
    }
    result[e] = values[at];
  }
  return [tensorValue(c.b.constant(c.outputs[0], indices.shape, result), x.type)];
};

export const gatherImporters: Record<string, Importer> = {
  Gather: gather,
  GatherND: gatherNd,
  GatherElements: gatherElements,
};
