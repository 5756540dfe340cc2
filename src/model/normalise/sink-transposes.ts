/**
 * Transposes pass through elementwise operators, concatenations, reductions and the like where that makes them
 * meet their inverse, or a graph input or output that takes them into its port's perm.
 *
 * For each Transpose the region of operators that could work on unpermuted tensors is grown and rewritten, with
 * a Transpose wherever the region ends; the rewritten graph is kept when, tidied up, it moves fewer bytes.
 */
import { GraphEdit } from '../../graph/edit.ts';
import { elementCount, type Graph, type Operator, type TensorId, tensorBytes } from '../../graph/graph.ts';
import { absorbTransposes } from './absorb-transposes.ts';
import { carriesUp, carry } from './carry-perm.ts';
import { collapseMovement } from './collapse-movement.ts';
import { inverse, isIdentity, type Perm, sameList, scatter } from './permutation.ts';
import { removeDuplicates } from './remove-duplicates.ts';

/** Tensors held by a permutation (see carry-perm.ts), and the operators that work on them. */
interface Region {
  readonly held: Map<TensorId, Perm>;
  readonly ops: Set<Operator>;
}

export function sinkTransposes(graph: Graph): Graph {
  let best = tidy(graph);
  let bytes = movedBytes(best);
  let again = bytes > 0;
  while (again) {
    again = false;
    // After a rewriting, go on from where it was: the Transposes before it have had their chance in this round.
    for (let i = 0; i < transposes(best).length; i++) {
      for (const upwards of [false, true]) {
        const trial = rewritten(best, transposes(best)[i], upwards);
        const after = trial ? movedBytes(trial) : bytes;
        if (!trial || after >= bytes) continue;
        best = trial;
        bytes = after;
        again = true;
        break;
      }
    }
  }
  return best;
}

function tidy(graph: Graph): Graph {
  return absorbTransposes(collapseMovement(removeDuplicates(collapseMovement(graph))));
}

function transposes(graph: Graph): number[] {
  return graph.operators.filter((op) => op.kind === 'Transpose' && !op.epilogue?.length).map((op) => op.id);
}

function movedBytes(graph: Graph): number {
  let bytes = 0;
  for (const op of graph.operators)
    if (op.kind === 'Transpose') bytes += tensorBytes(graph.tensors[op.outputs[0]]);
  return bytes;
}

/** The graph with the region around one Transpose working on unpermuted tensors. */
function rewritten(graph: Graph, index: number, upwards: boolean): Graph | undefined {
  const edit = new GraphEdit(graph);
  const region = grow(edit, graph.operators[index], upwards);
  if (!promising(edit, region, graph.operators[index])) return undefined;
  const made = new Map<TensorId, TensorId>();
  /** The tensor that stands for a held one. */
  const standIn = (id: TensorId): TensorId => {
    const known = made.get(id) ?? edit.add('Transpose', [id], { perm: inverse(region.held.get(id)!) });
    made.set(id, known);
    return known;
  };
  const members = graph.operators.filter((op) => region.ops.has(op));
  for (const op of members) {
    const perm = permAt(edit, region, op);
    const carried = carry(edit, op, perm)!;
    const y = edit.output(op);
    const inputs = op.inputs.map((id) =>
      region.held.has(id) ? standIn(id) : permutedConstant(edit, id, perm),
    );
    const given = { shape: scatter(carried.output, y.shape), dtype: y.dtype, quant: y.quant };
    made.set(y.id, edit.add(op.kind, inputs, carried.attrs, { like: op, epilogue: op.epilogue, given }));
    region.held.set(y.id, carried.output);
  }
  for (const op of members) {
    const [y] = op.outputs;
    edit.redirect(y, edit.add('Transpose', [made.get(y)!], { perm: region.held.get(y)! }));
  }
  return tidy(edit.finish());
}

/** Whether the region meets anything that could save a movement: another one, a port, or a smaller tensor. */
function promising(edit: GraphEdit, region: Region, start: Operator): boolean {
  const shrinks = (op: Operator) => op.kind === 'Slice' || op.kind.startsWith('Reduce');
  if (region.ops.size === 0) return false;
  if ([...region.ops].some(shrinks)) return true;
  const movement = (op: Operator | undefined) => op !== undefined && op !== start && isMovement(op);
  for (const id of region.held.keys()) {
    if (edit.isOutput(id) || edit.inputPort(id)) return true;
    if (movement(edit.producer(id)) || edit.readers(id).some(movement)) return true;
  }
  return false;
}

function isMovement(op: Operator): boolean {
  return op.kind === 'Transpose' || op.kind === 'Reshape';
}

function grow(edit: GraphEdit, start: Operator, upwards: boolean): Region {
  const region: Region = { held: new Map(), ops: new Set() };
  const pending: TensorId[] = [];
  const hold = (id: TensorId, perm: Perm) => {
    if (region.held.has(id)) return;
    region.held.set(id, perm);
    pending.push(id);
  };
  hold(start.outputs[0], start.attrs.perm as Perm);
  while (pending.length > 0) {
    const id = pending.pop()!;
    const perm = region.held.get(id)!;
    const near = [...edit.readers(id)];
    const above = edit.producer(id);
    if (upwards && above && carriesUp(above)) near.push(above);
    for (const op of near) {
      if (region.ops.has(op) || op.kind === 'Transpose') continue;
      const entering = entry(edit, region, op, perm);
      if (!entering) continue;
      region.ops.add(op);
      for (const [t, p] of entering) hold(t, p);
    }
  }
  return region;
}

/** The tensors that an operator brings into the region; undefined where it cannot join. */
function entry(edit: GraphEdit, region: Region, op: Operator, perm: Perm): [TensorId, Perm][] | undefined {
  const carried = carry(edit, op, perm);
  if (!carried) return undefined;
  const entering: [TensorId, Perm][] = [];
  const agrees = (id: TensorId, p: Perm) => {
    const held = region.held.get(id);
    return !held || sameList(held, p);
  };
  for (const id of op.inputs) {
    const t = edit.tensor(id);
    if (t.constant) continue;
    if (elementCount(t.shape) === 1 && t.shape.length < perm.length) continue;
    if (t.shape.length !== perm.length || !agrees(id, perm)) return undefined;
    entering.push([id, perm]);
  }
  const y = edit.output(op);
  if (y.shape.length !== carried.output.length || !agrees(y.id, carried.output)) return undefined;
  if (isIdentity(carried.output)) return entering;
  return [...entering, [y.id, carried.output]];
}

/** A constant operand, or one number, as an operator with permuted dimensions needs it. */
function permutedConstant(edit: GraphEdit, id: TensorId, perm: Perm): TensorId {
  const t = edit.tensor(id);
  if (elementCount(t.shape) === 1) return id;
  const ones = new Array<number>(perm.length - t.shape.length).fill(1);
  const full = ones.length > 0 ? edit.add('Reshape', [id], { shape: [...ones, ...t.shape] }) : id;
  return edit.add('Transpose', [full], { perm: inverse(perm) });
}

/** The permutation by which an operator's inputs are held. */
function permAt(edit: GraphEdit, region: Region, op: Operator): Perm {
  for (const id of op.inputs) {
    const perm = edit.tensor(id).constant ? undefined : region.held.get(id);
    if (perm && perm.length > 0) return perm;
  }
  throw new Error(`operator ${op.name} does not touch the region`);
}
