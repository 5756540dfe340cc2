/**
 * Chains of Reshape and Transpose become the shortest that moves elements alike: nothing, one Reshape, one
 * Transpose, ChannelShuffle, DepthToSpace or SpaceToDepth; or vanish into the weights of a dense layer.
 */
import { GraphEdit } from '../../graph/edit.ts';
import {
  type Attributes,
  channelsOf,
  elementCount,
  type Graph,
  type Operator,
  pixelsOf,
  type Tensor,
} from '../../graph/graph.ts';
import { sameType } from '../../ops/stored.ts';
import { isStill, type Movement, movementOf, type Step, sameMovement, sourceIndices } from './movement.ts';

/** Operators from one tensor to another; the first one reads `from`. */
interface Chain {
  readonly from: Tensor;
  readonly to: Tensor;
  readonly ops: readonly Operator[];
  readonly movement: Movement;
  /** Whether a tensor between is needed elsewhere. */
  readonly shared: boolean;
}

interface Replacement {
  readonly kind: string;
  readonly attrs: Attributes;
}

export function collapseMovement(graph: Graph): Graph {
  const edit = new GraphEdit(graph);
  for (const op of edit.operators()) {
    if (!edit.alive(op)) continue;
    if (op.kind === 'FullyConnected') intoWeights(edit, op);
    else if (isStep(op) && !feedsStep(edit, op)) collapse(edit, op);
  }
  return edit.finish();
}

function isStep(op: Operator | undefined): op is Operator {
  return op !== undefined && (op.kind === 'Reshape' || op.kind === 'Transpose') && !op.epilogue?.length;
}

function feedsStep(edit: GraphEdit, op: Operator): boolean {
  const reader = edit.soleReader(op.outputs[0]);
  return isStep(reader) && sameType(edit.output(reader), edit.output(op));
}

function stepOf(op: Operator): Step {
  return op.kind === 'Reshape'
    ? { kind: 'Reshape', shape: op.attrs.shape as readonly number[] }
    : { kind: 'Transpose', perm: op.attrs.perm as readonly number[] };
}

/** The chains that end in a tensor, longest first. */
function chainsTo(edit: GraphEdit, to: Tensor): Chain[] {
  const chains: Chain[] = [];
  const ops: Operator[] = [];
  let shared = false;
  let at = to;
  for (;;) {
    const op = edit.producer(at.id);
    if (!isStep(op)) break;
    const from = edit.input(op, 0)!;
    if (!sameType(from, at)) break;
    shared ||= ops.length > 0 && edit.soleReader(at.id) === undefined;
    ops.unshift(op);
    const movement = movementOf(from.shape, ops.map(stepOf));
    if (!movement) break;
    chains.unshift({ from, to, ops: [...ops], movement, shared });
    at = from;
  }
  return chains;
}

function collapse(edit: GraphEdit, last: Operator): void {
  const to = edit.output(last);
  for (const chain of chainsTo(edit, to)) {
    const next = shortest(chain);
    const cost = next.filter((r) => r.kind !== 'Reshape').length;
    const before = chain.ops.filter((op) => op.kind !== 'Reshape').length;
    // Over shared tensors only a view is free: the chain itself stays for the others.
    const better = cost < before || (cost === before && next.length < chain.ops.length);
    if (!better || (chain.shared && cost > 0)) continue;
    let id = chain.from.id;
    for (const r of next) id = edit.add(r.kind, [id], r.attrs, { like: last });
    if (id === chain.from.id && edit.isOutput(to.id) && (edit.inputPort(id) || edit.isOutput(id))) continue;
    edit.redirect(to.id, id);
    return;
  }
}

/** The fewest operators with the chain's effect. */
function shortest({ from, to, movement, ops }: Chain): Replacement[] {
  const reshape = (shape: readonly number[]): Replacement => ({ kind: 'Reshape', attrs: { shape } });
  if (isStill(movement)) return same(from.shape, to.shape) ? [] : [reshape(to.shape)];
  const perm = singleTranspose(from.shape, to.shape, movement);
  if (perm) return [{ kind: 'Transpose', attrs: { perm } }];
  const named = namedMovement(from.shape, to.shape, movement);
  if (named) return [named];
  const sizes = movement.sizes;
  const moved = movement.order.map((i) => sizes[i]);
  const parts = [
    ...(same(sizes, from.shape) ? [] : [reshape(sizes)]),
    { kind: 'Transpose', attrs: { perm: movement.order } },
    ...(same(moved, to.shape) ? [] : [reshape(to.shape)]),
  ];
  return parts.length <= ops.length ? parts : ops.map(({ kind, attrs }) => ({ kind, attrs }));
}

/** The permutation of `from` that gives `to` with this movement, if one Transpose does it. */
function singleTranspose(
  from: readonly number[],
  to: readonly number[],
  movement: Movement,
): number[] | undefined {
  if (from.length !== to.length || from.length > 6) return undefined;
  const search = (perm: number[]): number[] | undefined => {
    if (perm.length === from.length) {
      return sameMovement(movement, movementOf(from, [{ kind: 'Transpose', perm }])) ? perm : undefined;
    }
    for (let axis = 0; axis < from.length; axis++) {
      if (perm.includes(axis) || from[axis] !== to[perm.length]) continue;
      const found = search([...perm, axis]);
      if (found) return found;
    }
    return undefined;
  };
  return search([]);
}

/** Movements inside pixels or between a pixel's channels and its neighbourhood. */
function namedMovement(
  from: readonly number[],
  to: readonly number[],
  movement: Movement,
): Replacement | undefined {
  const steps = (...list: Step[]) => movementOf(from, list);
  const channels = channelsOf(from);
  const pixels = pixelsOf(from);
  if (same(from, to)) {
    const groups = movement.sizes.at(-2) ?? 0;
    if (channels % groups !== 0) return undefined;
    const shuffle = steps(
      { kind: 'Reshape', shape: [pixels, groups, channels / groups] },
      { kind: 'Transpose', perm: [0, 2, 1] },
      { kind: 'Reshape', shape: to },
    );
    return sameMovement(movement, shuffle) ? { kind: 'ChannelShuffle', attrs: { groups } } : undefined;
  }
  if (from.length !== 4 || to.length !== 4 || from[0] !== to[0]) return undefined;
  const [n, h, w, c] = from;
  const block = to[1] / h;
  if (Number.isInteger(block) && block > 1 && to[2] === w * block && to[3] * block * block === c) {
    for (const order of ['DCR', 'CRD'] as const) {
      const split = order === 'DCR' ? [n, h, w, block, block, to[3]] : [n, h, w, to[3], block, block];
      const perm = order === 'DCR' ? [0, 1, 3, 2, 4, 5] : [0, 1, 4, 2, 5, 3];
      const m = steps(
        { kind: 'Reshape', shape: split },
        { kind: 'Transpose', perm },
        { kind: 'Reshape', shape: to },
      );
      if (sameMovement(movement, m)) return { kind: 'DepthToSpace', attrs: { block, order } };
    }
  }
  const shrink = h / to[1];
  if (Number.isInteger(shrink) && shrink > 1 && to[2] * shrink === w && to[3] === c * shrink * shrink) {
    const m = steps(
      { kind: 'Reshape', shape: [n, to[1], shrink, to[2], shrink, c] },
      { kind: 'Transpose', perm: [0, 1, 3, 2, 4, 5] },
      { kind: 'Reshape', shape: to },
    );
    if (sameMovement(movement, m)) return { kind: 'SpaceToDepth', attrs: { block: shrink, order: 'DCR' } };
  }
  return undefined;
}

/** Transpose -> Reshape -> FullyConnected: the columns of constant weights move instead of the data. */
function intoWeights(edit: GraphEdit, op: Operator): void {
  const w = edit.input(op, 1);
  const y = edit.output(op);
  if (!w?.constant || y.shape.length !== 2) return;
  const [n, k] = w.shape;
  const batch = y.shape[0];
  const flat = edit.input(op, 0)!;
  if (flat.shape.length !== 2 && op.attrs.flatten !== true) return;
  for (const chain of chainsTo(edit, flat)) {
    const { from } = chain;
    if (isStill(chain.movement) || elementCount(from.shape) !== batch * k) continue;
    if (batch > 1 && (from.shape[0] !== batch || !keepsBatch(chain, batch))) continue;
    const one = batch === 1 ? chain.movement : withoutBatch(chain, batch);
    if (!one || (w.quant && w.quant.scale.length > 1 && w.quant.axis !== 0)) continue;
    const columns = edit.constant(w.name, w.shape, w, () => {
      const source = sourceIndices(one);
      const old = w.constant!.load();
      const next = old.slice();
      for (let row = 0; row < n * k; row += k)
        for (let i = 0; i < k; i++) next[row + source[i]] = old[row + i];
      return next;
    });
    edit.replace(op, {
      inputs: [from.id, columns, ...op.inputs.slice(2)],
      attrs: { ...op.attrs, flatten: true },
    });
    return;
  }
}

function keepsBatch(chain: Chain, batch: number): boolean {
  const { order, sizes } = chain.movement;
  return order[0] === 0 && sizes[0] % batch === 0;
}

/** The movement inside each element of the batch, whose atom comes first on both sides. */
function withoutBatch(chain: Chain, batch: number): Movement | undefined {
  const { order, sizes } = chain.movement;
  if (sizes[0] === batch) return { sizes: sizes.slice(1), order: order.slice(1).map((i) => i - 1) };
  return { sizes: [sizes[0] / batch, ...sizes.slice(1)], order };
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}
