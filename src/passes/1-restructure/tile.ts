/**
 * One tile of a region: which part of every tensor inside it is needed for a part of its output, found backwards from
 * the output. Where branches need different parts of a tensor, their hull is made (the halo), and each reads its own.
 */
import { ABSENT, type Attributes, type Graph, type Operator, type TensorId } from '../../graph/graph.ts';
import type { OpContext } from '../../ops/operator.ts';
import { contextOf } from '../../ops/registry.ts';
import { type Box, boxHull, type Interval, wholeBox } from './interval.ts';
import { type AxisPart, type Need, partAlong } from './part.ts';

/** Which directions are cut. What is not cut is needed whole, whatever the operator. */
export interface Directions {
  readonly rows: boolean;
  readonly columns: boolean;
}

/** What an operator of the region does for one tile. */
export interface TileStep {
  readonly op: Operator;
  /** The part of its output that is computed; covers what is needed of it. */
  readonly made: Box;
  /** One entry an input: the box to read; undefined for all of it, null where the input takes no part. */
  readonly reads: readonly (Box | undefined | null)[];
  /** Its attributes then; searches never ask. */
  attrs(): Attributes;
}

export interface TileOf {
  /** In the order of the region; operators that this tile does without are left out. */
  readonly steps: readonly TileStep[];
}

/** An operator with its tensors, found once for all tiles. */
export interface RegionOperator {
  readonly op: Operator;
  readonly context: OpContext;
}

/** Regions overlap: what is known of an operator is found once for all of them. */
const known = new WeakMap<Graph, RegionOperator[]>();

export function regionOperators(graph: Graph, ids: readonly number[]): RegionOperator[] {
  let all = known.get(graph);
  if (!all) known.set(graph, (all = graph.operators.map((op) => ({ op, context: contextOf(graph, op) }))));
  return ids.map((id) => all[id]);
}

/**
 * The tile that makes `want` of tensor `output`. Undefined where an operator cannot be cut so: the region is then not
 * cut here.
 */
export function tileOf(
  graph: Graph,
  operators: readonly RegionOperator[],
  output: TensorId,
  want: Box,
  cut: Directions,
): TileOf | undefined {
  const inside = new Set(operators.map(({ op }) => op.outputs[0]));
  const wants = new Map<TensorId, Box>([[output, want]]);
  const steps: TileStep[] = [];
  for (let i = operators.length - 1; i >= 0; i--) {
    const { op, context } = operators[i];
    if (op.outputs.length !== 1) return undefined;
    const wanted = wants.get(op.outputs[0]);
    if (!wanted) continue;
    if (context.outputs[0].shape.length !== 4) return undefined;
    const rows = along(context, 1, wanted.rows, cut.rows);
    const columns = along(context, 2, wanted.columns, cut.columns);
    if (!rows || !columns) return undefined;
    const reads = op.inputs.map((id, k) => boxOf(graph, id, rows.needs[k], columns.needs[k]));
    reads.forEach((box, k) => {
      const id = op.inputs[k];
      if (!inside.has(id) || box === null) return;
      const needed = box ?? wholeBox(graph.tensors[id].shape);
      const before = wants.get(id);
      wants.set(id, before ? boxHull(before, needed) : needed);
    });
    const attrs = () => changed(changed(op.attrs, rows), columns);
    steps.push({ op, made: { rows: rows.made, columns: columns.made }, reads, attrs });
  }
  return { steps: steps.reverse() };
}

const changed = (attrs: Attributes, { change }: AxisPart): Attributes => (change ? change(attrs) : attrs);

/** The part along one axis; along an axis that is not cut everything stays as it is. */
function along(context: OpContext, axis: 1 | 2, want: Interval, cut: boolean): AxisPart | undefined {
  if (cut) return partAlong(context, axis, want);
  return { made: { lo: 0, hi: context.outputs[0].shape[axis] }, needs: context.inputs.map(() => 'whole') };
}

/** The box of an input; undefined where that is all of it. */
function boxOf(graph: Graph, id: TensorId, rows: Need, columns: Need): Box | undefined | null {
  if (rows === 'none' || columns === 'none') return null;
  if (id === ABSENT || (rows === 'whole' && columns === 'whole')) return undefined;
  const { shape } = graph.tensors[id];
  // Inputs of a lower rank are aligned at their last axis.
  const axis = (a: 1 | 2) => a - (4 - shape.length);
  const all = (a: 1 | 2): Interval => ({ lo: 0, hi: axis(a) < 0 ? 1 : shape[axis(a)] });
  const box = {
    rows: rows === 'whole' ? all(1) : rows,
    columns: columns === 'whole' ? all(2) : columns,
  };
  const covers = (part: Interval, whole: Interval) => part.lo <= whole.lo && part.hi >= whole.hi;
  return covers(box.rows, all(1)) && covers(box.columns, all(2)) ? undefined : box;
}
