/**
 * Regions that may be cut: steps that follow one another, every operator of which can be cut, and of which one tensor
 * goes out. Branches, joins and several inputs are allowed. Pictures come one at a time: rows of several do not lie
 * side by side, and joining them would take the output twice.
 */
import { ABSENT, type Graph, type Operator, type TensorId } from '../../graph/graph.ts';
import { contextOf, definitionOf } from '../../ops/registry.ts';
import { partAlong } from './part.ts';
import type { Sequence } from './sequence.ts';
import { type RegionOperator, regionOperators } from './tile.ts';

/** An input that nobody reads after the region. */
export interface DyingInput {
  readonly root: number;
  readonly tensor: TensorId;
  readonly bytes: number;
}

export interface Candidate {
  /** Steps [first, last]. */
  readonly first: number;
  readonly last: number;
  readonly output: TensorId;
  readonly operators: readonly RegionOperator[];
  /** Bytes that are live before, during and after. */
  readonly throughBytes: number;
  readonly dying: readonly DyingInput[];
  readonly dyingBytes: number;
  /** Bytes of what the output lies in; 0 where that is there before the region. */
  readonly outputBytes: number;
  /** Operators that are more than addresses. */
  readonly steps: number;
  /** Whether the output may stay in bands: it owns its memory, and only operators read it. */
  readonly mayStayApart: boolean;
  /** Multiply-accumulates of each operator. */
  readonly macs: readonly number[];
}

/** Longest region, in steps: keeps the search linear in the length of the network. */
const MAX_STEPS = 96;

/** Operators of all regions together; beyond it the longest regions are left out. */
const MAX_OPERATORS = 24_000;

/** The regions that are looked at, by their first step. */
export function candidatesOf(sequence: Sequence): Candidate[] {
  const all = allRegions(sequence);
  const byLength = [...all].sort((a, b) => a.operators.length - b.operators.length);
  let operators = 0;
  const most = byLength.find((c) => (operators += c.operators.length) > MAX_OPERATORS)?.operators.length;
  return most === undefined ? all : all.filter((c) => c.operators.length < most);
}

function allRegions(sequence: Sequence): Candidate[] {
  const { graph, order, isView } = sequence;
  const n = order.length;
  const cuttable = order.map((id) => id < 0 || canBeCut(graph, id));
  const shown = new Set(graph.outputs.map((p) => p.tensor));
  const readers = new Int32Array(graph.tensors.length);
  for (const op of graph.operators) for (const t of new Set(op.inputs)) if (t !== ABSENT) readers[t]++;
  const found: Candidate[] = [];
  for (let first = 0; first < n; first++) {
    if (order[first] < 0) continue;
    const open = new Map<TensorId, number>();
    let steps = 0;
    const inside = new Set<TensorId>();
    let outsideParts = 0;
    for (let last = first; last < Math.min(n, first + MAX_STEPS) && cuttable[last]; last++) {
      if (order[last] < 0) continue;
      const op = graph.operators[order[last]];
      if (!isView[op.id]) steps++;
      for (const t of new Set(op.inputs)) {
        const left = open.get(t);
        if (left === undefined) continue;
        if (left === 1 && !shown.has(t)) open.delete(t);
        else open.set(t, left - 1);
      }
      const [made] = op.outputs;
      inside.add(made);
      outsideParts += partsOutside(sequence, op, inside);
      if (readers[made] > 0 || shown.has(made)) open.set(made, readers[made]);
      if (open.size !== 1 || steps < 1 || outsideParts > 0) continue;
      const [output] = open.keys();
      const { shape } = graph.tensors[output];
      if (shape.length === 4 && shape[0] === 1)
        found.push(describe(sequence, first, last, output, steps, shown.has(output)));
    }
  }
  return found;
}

/**
 * Parts of a join that were written where it lies before the region began. Its tiles would have to copy them, and they
 * would be there twice.
 */
function partsOutside({ rootOf, isView }: Sequence, op: Operator, inside: ReadonlySet<TensorId>): number {
  if (op.kind !== 'Concat' || !isView[op.id]) return 0;
  return op.inputs.filter((t) => !inside.has(t) && rootOf[t] === rootOf[op.outputs[0]]).length;
}

function canBeCut(graph: Graph, id: number): boolean {
  const op = graph.operators[id];
  const context = contextOf(graph, op);
  const { shape } = context.outputs[0];
  if (shape.length !== 4 || op.outputs.length !== 1) return false;
  return [1, 2].some(
    (axis) => shape[axis] > 1 && partAlong(context, axis as 1 | 2, { lo: 0, hi: 1 }) !== undefined,
  );
}

function describe(
  sequence: Sequence,
  first: number,
  last: number,
  output: TensorId,
  steps: number,
  shown: boolean,
): Candidate {
  const { graph, order, roots, rootOf } = sequence;
  const outer = roots[rootOf[output]];
  let throughBytes = 0;
  const dying: DyingInput[] = [];
  roots.forEach((root, i) => {
    if (root.first >= first || root.last < first) return;
    if (root.last > last) throughBytes += root.bytes;
    else dying.push({ root: i, tensor: root.tensor, bytes: root.bytes });
  });
  const ids = order.slice(first, last + 1).filter((id) => id >= 0);
  const operators = regionOperators(graph, ids);
  return {
    first,
    last,
    output,
    operators,
    throughBytes,
    dying,
    dyingBytes: dying.reduce((sum, d) => sum + d.bytes, 0),
    outputBytes: outer.first >= first ? outer.bytes : 0,
    steps,
    mayStayApart: !shown && outer.tensor === output,
    macs: operators.map(({ op, context }) => definitionOf(op.kind).macs(context)),
  };
}
